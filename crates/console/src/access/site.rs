//! Under which names the console is reached, and whether a request comes from its own page.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Uri, header};
use milkrun_core::{Error, ErrorKind};

use super::Access;
use crate::refusal::Refusal;

/// The address under which people reach the console: scheme, host, and port where it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    is_https: bool,
    host: String,
    port: u16,
}

impl PublicUrl {
    /// Reads `https://milkrun.example.com` or `http://10.0.0.7:7070`; a path is none of its business.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.strip_suffix('/').unwrap_or(text).parse().ok()?;
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return None;
        }
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Some(Self { is_https, host: authority.host().to_ascii_lowercase(), port })
    }
}

/// Addresses that begin alike, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `::1`, `192.168.1.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().ok()?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
        Some(Self { base, bits })
    }

    /// Whether it has that address.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                base.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// The other end of the connection; `serve` puts it into each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Access {
    /// Whether browsers reach the console over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.has_tls || self.public_url.as_ref().is_some_and(|url| url.is_https)
    }

    /// The cookie of a session. Cookies know no ports, so that the name tells two consoles on one machine apart.
    pub(crate) fn cookie(&self) -> String {
        if self.is_secure() {
            return "__Host-milkrun".to_owned();
        }
        format!("milkrun-{}", self.listen.port())
    }

    /// Where the request comes from, behind proxies that are believed.
    pub(crate) fn address(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<Peer>()?.0.ip().to_canonical();
        let is_proxy = |address: IpAddr| self.proxies.iter().any(|network| network.has(address));
        if !is_proxy(peer) {
            return Some(peer);
        }
        let said = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(',')).collect();
        // From the right: what stands further left was written by whoever the last proxy does not answer for.
        let mut nearest = peer;
        for text in said.iter().rev() {
            let Ok(address) = text.trim().parse::<IpAddr>() else { break };
            nearest = address.to_canonical();
            if !is_proxy(nearest) {
                break;
            }
        }
        Some(nearest)
    }

    /// Refuses names that are not the console's: a page elsewhere may have let its own name point to this machine.
    pub(crate) fn check_host(&self, parts: &Parts) -> Result<(), Refusal> {
        let mut hosts: Vec<&str> = Vec::new();
        let mut said = parts.headers.get_all(header::HOST).iter();
        if let (Some(host), None) = (said.next(), said.next()) {
            hosts.extend(host.to_str());
        }
        if let Some(authority) = parts.uri.authority() {
            hosts.push(authority.as_str());
        }
        let good = !hosts.is_empty() && hosts.iter().all(|host| self.is_own_host(host));
        if !good {
            let error = Error::new(ErrorKind::Forbidden, "the console is not reached under this name")
                .advise("use localhost or 127.0.0.1, or set `public_url` in `[console]`");
            return Err(Refusal::forbidden("wrong-host", error));
        }
        // Whoever put a proxy in front meant others to come in, and then somebody has to sign in.
        let is_forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host"];
        if self.is_open() && is_forwarded.iter().any(|name| parts.headers.contains_key(*name)) {
            let error = Error::new(ErrorKind::Forbidden, "behind a proxy somebody has to sign in")
                .advise("add a user with `milkrun console password`, and set `public_url` in `[console]`");
            return Err(Refusal::forbidden("wrong-host", error));
        }
        Ok(())
    }

    fn is_own_host(&self, text: &str) -> bool {
        let Ok(authority) = text.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host().to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        if self.public_url.as_ref().is_some_and(|url| url.host == host) {
            return true;
        }
        if self.listen.ip().is_loopback() {
            return false;
        }
        // An address cannot be pointed elsewhere. A name can, but whoever is led here by one has no cookie for it.
        address.is_some() || self.public_url.is_none()
    }

    /// Refuses a change that another site's page asks for.
    pub(crate) fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        if method.is_safe() {
            return Ok(());
        }
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let site = text("sec-fetch-site");
        let from_elsewhere = site.is_some_and(|site| site != "same-origin" && site != "none");
        let is_own = |origin: &str| {
            let own = self.public_url.as_ref() == PublicUrl::parse(origin).as_ref() && self.public_url.is_some();
            let scheme = if self.has_tls { "https" } else { "http" };
            let host = text("host").unwrap_or_default();
            own || origin.eq_ignore_ascii_case(&format!("{scheme}://{host}"))
        };
        if from_elsewhere || text("origin").is_some_and(|origin| !is_own(origin)) {
            let error = Error::new(ErrorKind::Forbidden, "another site's page asked for this");
            return Err(Refusal::forbidden("cross-site", error.advise("open the console itself, and do it there")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(listen: &str) -> Access {
        Access::new(listen.parse().unwrap(), false)
    }

    #[test]
    fn networks_hold_what_begins_alike() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::1", "::1", true),
            ("fd00::/8", "fd12::1", true),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ] {
            assert_eq!(Network::parse(network).unwrap().has(address.parse().unwrap()), expected, "{network} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn public_addresses() {
        let url = |text: &str| PublicUrl::parse(text);
        assert_eq!(url("https://a.example"), url("https://A.example:443/"));
        assert_ne!(url("http://a.example"), url("https://a.example"));
        for text in ["a.example", "ftp://a", "https://u@a", "https://a/b", "https://a?b", "", "https://"] {
            assert_eq!(url(text), None, "{text}");
        }
    }

    #[test]
    fn only_its_own_names_lead_to_it() {
        let loopback = access("127.0.0.1:7070");
        for host in ["localhost", "localhost:7070", "127.0.0.1:7070", "[::1]:7070", "LOCALHOST", "127.1.2.3"] {
            assert!(loopback.is_own_host(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "a@localhost", "", "local host", "[::2]"] {
            assert!(!loopback.is_own_host(host), "{host}");
        }
        let named = loopback.reached_at(PublicUrl::parse("https://m.example").unwrap());
        assert!(named.is_own_host("M.example") && !named.is_own_host("n.example"));
        let wide = access("0.0.0.0:7070");
        assert!(wide.is_own_host("nas:7070") && wide.is_own_host("10.0.0.1:7070"));
        let wide = wide.reached_at(PublicUrl::parse("https://m.example").unwrap());
        assert!(!wide.is_own_host("nas:7070") && wide.is_own_host("10.0.0.1:7070") && wide.is_own_host("m.example"));
    }

    #[test]
    fn a_proxy_is_believed_only_if_it_is_known() {
        let asked = |access: &Access, peer: &str, said: &[&str]| {
            let mut request = axum::http::Request::builder().uri("/");
            for value in said {
                request = request.header("x-forwarded-for", *value);
            }
            let mut parts = request.body(()).unwrap().into_parts().0;
            parts.extensions.insert(Peer(peer.parse().unwrap()));
            access.address(&parts).unwrap().to_string()
        };
        let plain = access("0.0.0.0:1");
        assert_eq!(asked(&plain, "9.9.9.9:1", &["1.1.1.1"]), "9.9.9.9");
        let behind = plain.behind(vec![Network::parse("10.0.0.0/8").unwrap()]);
        assert_eq!(asked(&behind, "10.0.0.1:1", &["1.1.1.1, 2.2.2.2"]), "2.2.2.2");
        assert_eq!(asked(&behind, "10.0.0.1:1", &["1.1.1.1", "2.2.2.2, 10.0.0.2"]), "2.2.2.2");
        assert_eq!(asked(&behind, "10.0.0.1:1", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(asked(&behind, "10.0.0.1:1", &[]), "10.0.0.1");
        assert_eq!(asked(&behind, "9.9.9.9:1", &["1.1.1.1"]), "9.9.9.9");
    }
}

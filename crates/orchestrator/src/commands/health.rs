//! `milkrun health`: whether the console of this installation answers that it is well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use milkrun_core::{Error, ErrorKind};
use serde_json::json;

use super::{Here, Outcome};
use crate::cli;
use crate::text::{self, fill};

/// Whoever does not answer within this time is not well.
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) async fn health(here: Here<'_>, ask: &cli::Health) -> Outcome {
    let out = here.out;
    let (installation, _) = here.load()?;
    let address = reached(ask.address.unwrap_or(installation.console.listen));
    let scheme = if installation.console.has_tls() { "https" } else { "http" };
    let url = format!("{scheme}://{address}/health");
    // It is this machine's own program that is asked, under a name that its certificate is not for.
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().danger_accept_invalid_certs(true).build();
    let client = client.map_err(|e| Error::new(ErrorKind::Unexpected, out.say(text::NO_CLIENT)).caused_by(e))?;
    // That nobody answers is an answer too: what is not there is not well.
    let answer = client.get(&url).send().await;
    let is_well = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    out.json(&json!({ "address": address.to_string(), "answers": answer.is_ok(), "well": is_well }));
    let said = match answer {
        Ok(_) if is_well => text::IS_WELL,
        Ok(_) => text::IS_NOT_WELL,
        Err(_) => text::NOBODY_ANSWERS,
    };
    out.line(fill!(out.lang, said, url = url));
    if let Err(error) = answer {
        let why = root(&error).to_string();
        out.line(fill!(out.lang, text::CAUSE, cause = out.lang.retell(&why)));
        out.line(fill!(out.lang, text::WHAT_TO_DO, help = out.say(text::NOBODY_ANSWERS_HELP)));
    }
    Ok(u8::from(!is_well))
}

/// What an error came from: of a connection, only that says something.
fn root<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    std::iter::successors(Some(error), |error| error.source()).last().expect("it begins with one")
}

/// Where a program that listens at an address is reached from here.
fn reached(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_at_this_machine() {
        for (listen, expected) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("192.0.2.1:3", "192.0.2.1:3")]
        {
            assert_eq!(reached(listen.parse().unwrap()), expected.parse().unwrap());
        }
    }
}

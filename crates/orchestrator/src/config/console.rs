//! `[console]`: where the console listens, who may use it, and under which name it is reached.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use milkrun_console::Role;
use milkrun_console::access::{Network, PasswordHash, PublicUrl};
use milkrun_core::Secret;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SourceFile;
use super::account::is_name;
use super::alerts::HeldFrom;
use super::secret;
use super::span::{At, Findings, Section, Span, suggest};
use crate::text::{self, fill};

/// Where the console listens unless it is said otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

pub(super) const KEYS: &[&str] = &["listen", "public_url", "tls", "tokens", "trusted_proxies", "users"];
pub(super) const USER_KEYS: &[&str] = &["password", "role"];
pub(super) const TOKEN_KEYS: &[&str] = &["role", "token"];
pub(super) const TLS_KEYS: &[&str] = &["cert", "key"];
/// The roles, as they are written.
pub(super) const ROLES: &[&str] = &["operator", "viewer"];

/// `[console]`; access tokens are still references.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleConfig {
    pub(crate) listen: SocketAddr,
    /// Where `listen` stands, if it is written.
    pub(crate) listen_span: Option<Span>,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) users: Vec<(String, Role, PasswordHash)>,
    pub(crate) tokens: Vec<TokenConfig>,
    pub(crate) proxies: Vec<Network>,
    /// Whether nothing is wrong with it. What is wrong may be the lock: such a console must not be opened.
    pub(crate) sound: bool,
    /// The file, if the table is there.
    pub(crate) file: Option<Arc<SourceFile>>,
}

/// Certificate and key, relative to the installation.
#[derive(Clone, Debug)]
pub(crate) struct TlsConfig {
    pub(crate) cert: At<PathBuf>,
    pub(crate) key: At<PathBuf>,
}

/// `[console.tokens.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct TokenConfig {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) token: HeldFrom,
    /// Where the token stands.
    pub(crate) span: Span,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            listen_span: None,
            public_url: None,
            tls: None,
            users: Vec::new(),
            tokens: Vec::new(),
            proxies: Vec::new(),
            sound: true,
            file: None,
        }
    }
}

impl ConsoleConfig {
    /// Whether it is served over TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Reads `[console]`.
pub(super) fn read(file: &Arc<SourceFile>, table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> ConsoleConfig {
    let n_before = findings.mistakes.len();
    let section = Section { title: "[console]", span, table, keys: KEYS };
    section.close(&[], findings);
    let mut console = ConsoleConfig { file: Some(Arc::clone(file)), ..ConsoleConfig::default() };
    let lang = findings.lang;
    let listen = parsed(section, "listen", |text| text.parse().ok(), text::LISTEN_FORM, findings);
    console.listen = listen.as_ref().map_or(LISTEN, |at| at.value);
    console.listen_span = listen.as_ref().map(|at| at.span.clone());
    let url = parsed(section, "public_url", PublicUrl::parse, text::PUBLIC_URL_FORM, findings);
    console.public_url = url.as_ref().map(|at| at.value.clone());
    if let Some((tls, span)) = section.table("tls", findings) {
        let tls = Section { title: "`tls`", span: &span, table: tls, keys: TLS_KEYS };
        tls.close(&[], findings);
        let cert = tls.required_text("cert", "cert = \"console.pem\"", findings);
        let key = tls.required_text("key", "key = \"console.key\"", findings);
        let path = |At { value, span }: At<String>| At { value: PathBuf::from(value), span };
        console.tls = cert.zip(key).map(|(cert, key)| TlsConfig { cert: path(cert), key: path(key) });
    }
    let proxies = section.get("trusted_proxies");
    console.proxies = proxies.map(|value| networks(value, findings)).unwrap_or_default();
    each(section, "users", USER_KEYS, findings, |name, section, findings| {
        let role = role(section, findings);
        let example = "password = \"…\"  # `milkrun console password`";
        let password = section.required_text("password", example, findings).and_then(|at| {
            let hash = PasswordHash::parse(&at.value);
            if hash.is_none() {
                findings.hidden.push(at.span.clone());
                let help = lang.say(text::NO_PASSWORD_HASH_HELP);
                findings.mistake_with(&at.span, lang.say(text::NO_PASSWORD_HASH), help);
            }
            hash
        });
        console.users.extend(role.zip(password).map(|(role, password)| (name.to_owned(), role, password)));
    });
    each(section, "tokens", TOKEN_KEYS, findings, |name, section, findings| {
        let role = role(section, findings);
        let token = token(name, section, findings);
        let named = |(role, (token, span))| TokenConfig { name: name.to_owned(), role, token, span };
        console.tokens.extend(role.zip(token).map(named));
    });
    let is_wide = !console.listen.ip().is_loopback() || url.is_some() || proxies.is_some();
    let place = listen.map(|at| at.span).or(url.map(|at| at.span)).or(proxies.map(Spanned::span));
    if let (true, Some(place)) = (is_wide, place) {
        let has = |key: &str| section.get(key).is_some() || section.has_near(key);
        let is_secret = console.tls.is_some() || console.public_url.is_some() || has("tls") || has("public_url");
        // A table in which nobody is lets nobody sign in.
        let is_empty =
            |key: &str| matches!(section.get(key).map(Spanned::get_ref), Some(DeValue::Table(all)) if all.is_empty());
        if ["users", "tokens"].iter().all(|key| !has(key) || is_empty(key)) {
            findings.mistake_with(&place, lang.say(text::OPEN_CONSOLE), lang.say(text::OPEN_CONSOLE_HELP));
        } else if !is_secret {
            findings.warning(&place, lang.say(text::PLAIN_CONSOLE), lang.say(text::PLAIN_CONSOLE_HELP));
        }
    }
    console.sound = findings.mistakes.len() == n_before;
    console
}

/// A text that means something.
fn parsed<T>(
    section: Section<'_>,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    form: text::Text,
    findings: &mut Findings,
) -> Option<At<T>> {
    let At { value, span } = section.text(key, findings)?;
    let read = parse(value.trim());
    if read.is_none() {
        let lang = findings.lang;
        let message = fill!(lang, text::NO_SUCH_CHOICE, key = key, value = value);
        findings.mistake_with(&span, message, lang.say(form));
    }
    Some(At { value: read?, span })
}

fn networks(value: &Spanned<DeValue<'_>>, findings: &mut Findings) -> Vec<Network> {
    let lang = findings.lang;
    let DeValue::Array(list) = value.get_ref() else {
        findings.wrong_type("trusted_proxies", text::A_LIST, value);
        return Vec::new();
    };
    let mut networks = Vec::new();
    for item in list {
        let DeValue::String(text) = item.get_ref() else {
            findings.wrong_type("trusted_proxies", text::A_TEXT, item);
            continue;
        };
        if let Some(network) = Network::parse(text) {
            networks.push(network);
        } else {
            let message = fill!(lang, text::NO_SUCH_CHOICE, key = "trusted_proxies", value = text);
            findings.mistake_with(&item.span(), message, lang.say(text::NETWORK_FORM));
        }
    }
    networks
}

/// Reads each table of `[console.users]` or `[console.tokens]`.
fn each(
    section: Section<'_>,
    key: &'static str,
    keys: &'static [&'static str],
    findings: &mut Findings,
    mut read: impl FnMut(&str, Section<'_>, &mut Findings),
) {
    let Some((table, _)) = section.table(key, findings) else { return };
    let lang = findings.lang;
    for (name, value) in table {
        let text = name.get_ref().as_ref();
        if !is_name(text) {
            let message = fill!(lang, text::BAD_CALLER_NAME, name = text);
            findings.mistake_with(&name.span(), message, lang.say(text::ACCOUNT_NAME_FORM));
            continue;
        }
        let DeValue::Table(own) = value.get_ref() else {
            // It may be a password or a token in the wrong place.
            findings.hidden.push(value.span());
            findings.wrong_type(text, text::A_TABLE, value);
            continue;
        };
        let (title, span) = (format!("[console.{key}.{text}]"), value.span());
        let section = Section { title: &title, span: &span, table: own, keys };
        section.close(&[], findings);
        read(text, section, findings);
    }
}

fn role(section: Section<'_>, findings: &mut Findings) -> Option<Role> {
    let At { value, span } = section.required_text("role", "role = \"viewer\"", findings)?;
    match value.as_str() {
        "viewer" => Some(Role::Viewer),
        "operator" => Some(Role::Operator),
        _ => {
            let lang = findings.lang;
            let message = fill!(lang, text::NO_SUCH_CHOICE, key = "role", value = value);
            findings.mistake_with(&span, message, suggest(lang, &value, ROLES));
            None
        }
    }
}

/// The token, and where it stands.
fn token(name: &str, section: Section<'_>, findings: &mut Findings) -> Option<(HeldFrom, Span)> {
    let lang = findings.lang;
    let env = format!("MILKRUN_TOKEN_{}", name.to_uppercase().replace('-', "_"));
    let Some(value) = section.get("token") else {
        if !section.is_misspelt("token") {
            let message = fill!(lang, text::MISSING_KEY, section = section.title, key = "token");
            let line = format!("token = {{ env = \"{env}\" }}");
            findings.mistake_with(section.span, message, fill!(lang, text::ADD_LINE, line = line));
        }
        return None;
    };
    match value.get_ref() {
        DeValue::String(text) => {
            findings.hidden.push(value.span());
            let message = fill!(lang, text::INLINE_SECRET, key = "token");
            let help = fill!(lang, text::INLINE_SECRET_HELP, key = "token", env = env);
            findings.warning(&value.span(), message, help);
            Some((HeldFrom::Inline(Secret::new(text.as_ref())), value.span()))
        }
        DeValue::Table(_) => {
            let reference = secret::reference(value, "token");
            if reference.is_none() {
                secret::explain(value, "token", findings);
            }
            reference.map(|reference| (HeldFrom::Source(reference.source), reference.span))
        }
        _ => {
            findings.hidden.push(value.span());
            findings.wrong_type("token", text::A_SECRET, value);
            None
        }
    }
}

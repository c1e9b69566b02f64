//! Opens `[console]`: access tokens are fetched and certificates read, and mistakes are shown where they stand.

use std::net::SocketAddr;

use milkrun_console::Access;
use milkrun_console::access::SHORTEST_TOKEN;
use milkrun_console::serve::Tls;
use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::{ErrorKind, Result, Secret};

use super::accounts::Secrets;
use crate::config::{Findings, HeldFrom, Installation, Reports, TlsConfig, TokenConfig};
use crate::text::{self, Lang, fill};

/// Where a console is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Where the settings have it: nothing listens there yet, so it is seen whether anything could.
    Settings,
    /// At this address, where something listens already.
    Bound(SocketAddr),
}

/// Who may use the console, and its certificate; nothing if it cannot be opened.
///
/// Without secrets, an access token that stands elsewhere is taken to be good, and a file of the certificate that is
/// missing is a warning: the machine that the files are for may have it.
///
/// # Errors
/// Those of the vault itself, and [`ErrorKind::ConfigInvalid`] if others reach the console at a bound address that the
/// settings do not have, and nobody has to sign in. What is wrong with the settings goes into `reports`.
pub(crate) async fn open_console(
    installation: &Installation,
    at: At,
    secrets: Secrets<'_>,
    lang: Lang,
    reports: &mut Reports,
) -> Result<Option<(Access, Option<Tls>)>> {
    let config = &installation.console;
    // What is wrong with it has been said.
    if !config.sound {
        return Ok(None);
    }
    let mut findings = Findings::new(lang);
    let tls = config.tls.as_ref().and_then(|tls| open_tls(installation, tls, secrets, &mut findings));
    let listen = match at {
        At::Bound(listen) => listen,
        At::Settings => config.listen,
    };
    if let (At::Settings, Some(span)) = (at, &config.listen_span)
        && std::net::TcpListener::bind((listen.ip(), 0)).is_err()
    {
        // The machine may get it later, as a standby does; whether the port is taken is no matter of the file.
        let message = fill!(lang, text::FOREIGN_ADDRESS, address = listen.ip());
        findings.warning(span, message, lang.say(text::FOREIGN_ADDRESS_HELP));
    }
    let mut access = Access::new(listen, config.has_tls()).behind(config.proxies.clone());
    if let Some(url) = &config.public_url {
        access = access.reached_at(url.clone());
    }
    for (name, role, password) in &config.users {
        access = access.with_user(name, *role, password.clone());
    }
    for token in &config.tokens {
        if let Some(secret) = fetch(installation, token, secrets, &mut findings).await? {
            access = access.with_token(&token.name, token.role, &secret);
        }
    }
    let is_open = findings.mistakes.is_empty();
    if let Some(file) = &config.file {
        reports.add(file, findings);
    }
    if !is_open {
        return Ok(None);
    }
    // Without secrets there may be a token that was not fetched.
    if matches!(secrets, Secrets::Fetched { .. }) {
        access.validate()?;
    }
    Ok(Some((access, tls)))
}

/// The text of an access token, if it can be had and not guessed; nothing either if it is not fetched.
async fn fetch(
    installation: &Installation,
    config: &TokenConfig,
    secrets: Secrets<'_>,
    findings: &mut Findings,
) -> Result<Option<Secret>> {
    let lang = findings.lang;
    let found = match (&config.token, secrets) {
        (HeldFrom::Inline(token), _) => Ok(token.clone()),
        (HeldFrom::Source(source), Secrets::Fetched { environment, vault, .. }) => {
            source.fetch(lang, &installation.dir, environment, vault).await
        }
        (HeldFrom::Source(_), Secrets::StandIn) => return Ok(None),
    };
    let token = match found {
        Ok(token) => token,
        // A vault that cannot be read is not the setting's fault.
        Err(error) if error.kind() != ErrorKind::ConfigInvalid => return Err(error.with("token", &config.name)),
        Err(error) => {
            let message =
                fill!(lang, text::ACCESS_TOKEN_MISSING, name = config.name, reason = lang.retell(error.message()));
            let mistake = Diagnostic::new(config.span.clone(), message);
            findings.mistakes.push(match error.help() {
                Some(help) => mistake.help(lang.retell(help)),
                None => mistake,
            });
            return Ok(None);
        }
    };
    if let Secrets::Fetched { scrubber, .. } = secrets {
        scrubber.hide(&token);
    }
    if token.is_unusable() || token.expose().len() < SHORTEST_TOKEN {
        let message = fill!(lang, text::WEAK_TOKEN, name = config.name, least = SHORTEST_TOKEN);
        findings.mistake_with(&config.span, message, lang.say(text::WEAK_TOKEN_HELP));
        return Ok(None);
    }
    Ok(Some(token))
}

/// Reads certificate and key.
fn open_tls(
    installation: &Installation,
    config: &TlsConfig,
    secrets: Secrets<'_>,
    findings: &mut Findings,
) -> Option<Tls> {
    let lang = findings.lang;
    let mut is_complete = true;
    for at in [&config.cert, &config.key] {
        let path = installation.dir.join(&at.value);
        if path.exists() {
            continue;
        }
        is_complete = false;
        let message = fill!(lang, text::NO_TLS_FILE, path = path.display());
        match secrets {
            Secrets::Fetched { .. } => findings.mistake_with(&at.span, message, lang.say(text::NO_TLS_FILE_HELP)),
            Secrets::StandIn => findings.warning(&at.span, message, lang.say(text::NO_TLS_FILE_HELP)),
        }
    }
    if !is_complete {
        return None;
    }
    let [cert, key] = [&config.cert, &config.key].map(|at| installation.dir.join(&at.value));
    match Tls::open(&cert, &key) {
        Ok(tls) => Some(tls),
        Err(error) => {
            let is_key = key != cert && error.fact("file").is_some_and(|file| file == key.display().to_string());
            let (at, path) = if is_key { (&config.key, &key) } else { (&config.cert, &cert) };
            let reason = lang.retell(error.message());
            let mistake = Diagnostic::new(
                at.span.clone(),
                fill!(lang, text::TLS_UNUSABLE, reason = reason, path = path.display()),
            );
            findings.mistakes.push(match error.help() {
                Some(help) => mistake.help(lang.retell(help)),
                None => mistake,
            });
            None
        }
    }
}

//! `milkrun login`: access granted in the browser, and the first token stored.

use console::Term;
use milkrun_core::{Error, ErrorKind, Result, Secret};
use serde_json::json;

use super::{Failure, Here, Outcome};
use crate::cli;
use crate::config::{Installation, suggest};
use crate::text::{self, fill};
use crate::wiring::{Secrets, open_accounts, open_state};

pub(super) async fn login(here: Here<'_>, ask: &cli::Login) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let name = account_name(here, &installation, &ask.name)?;
    // Whoever repairs an account need not mend flows first.
    reports.only_flows(&installation.dir, &[]);
    if !reports.is_clean() {
        return Err(Failure::Mistakes(reports));
    }
    let state = open_state(&installation, here.environment, out.lang).await?;
    let secrets =
        Secrets::Fetched { environment: here.environment, vault: Some(&state.store), scrubber: &out.scrubber };
    let accounts = open_accounts(&installation, |other| other == name, secrets, out.lang, &mut reports).await?;
    let Some(account) = accounts.get(&name) else { return Err(Failure::Mistakes(reports)) };
    let Some(login) = &account.login else {
        let error = Error::config(fill!(out.lang, text::NO_LOGIN, account = name));
        return Err(error.advise(out.say(text::NO_LOGIN_HELP)).into());
    };
    let link = login.link(state.clock.now())?;
    if ask.link {
        out.json(&json!({ "account": name, "link": link }));
        out.line(&link);
        return Ok(0);
    }
    out.note(fill!(out.lang, text::OPEN_LINK, account = name));
    out.note(format!("\n  {link}\n"));
    let code = read_code(here)?;
    let cx = state.context(&name, account)?;
    let vault = cx.transport().and_then(|transport| transport.vault());
    let vault = vault.ok_or_else(|| Error::new(ErrorKind::Unexpected, "the connector has a login, but no tokens"))?;
    let stored = vault.replace(login.redeem(&cx, &code)).await?;
    let ends = stored.token.expires_at.map(|end| end.to_string());
    out.json(&json!({ "account": name, "expires_at": ends }));
    out.line(match &ends {
        Some(end) => fill!(out.lang, text::LOGGED_IN_UNTIL, account = name, end = end),
        None => fill!(out.lang, text::LOGGED_IN, account = name),
    });
    Ok(0)
}

/// The account of that name, or the only one of the connector of that name.
fn account_name(here: Here<'_>, installation: &Installation, name: &str) -> Result<String> {
    let lang = here.out.lang;
    if installation.accounts.iter().any(|account| account.name == name) {
        return Ok(name.to_owned());
    }
    let of_connector = installation.accounts.iter().filter(|account| account.connector.name == name);
    let names: Vec<&str> = of_connector.map(|account| account.name.as_str()).collect();
    match names.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            let known: Vec<&str> = installation.account_names.iter().map(String::as_str).collect();
            let error = Error::config(fill!(lang, text::NO_SUCH_ACCOUNT, name = name));
            Err(error.advise(suggest(lang, name, &known)))
        }
        several => {
            let error = Error::config(fill!(lang, text::SEVERAL_ACCOUNTS, connector = name));
            Err(error.advise(fill!(lang, text::KNOWN_ARE, names = several.join(", "))))
        }
    }
}

/// The code that the vendor gave: alone, or as the whole address that the browser was sent to.
fn read_code(here: Here<'_>) -> Result<Secret> {
    let out = here.out;
    let text = if here.environment.in_is_terminal {
        out.note(out.say(text::TYPE_CODE));
        Term::stderr().read_secure_line()?
    } else {
        let mut text = String::new();
        std::io::stdin().read_line(&mut text)?;
        text
    };
    let code = Secret::new(code_of(text.trim()));
    if code.is_unusable() {
        return Err(Error::config(out.say(text::NO_CODE_GIVEN)).advise(out.say(text::CODE_FORM)));
    }
    out.scrubber.hide(&code);
    Ok(code)
}

/// The parameter `code` of an address, or the text itself.
fn code_of(text: &str) -> String {
    let query = text.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let codes = query.map(|query| reqwest::Url::parse(&format!("http://localhost/?{query}")));
    let code = codes.and_then(|url| {
        let url = url.ok()?;
        url.query_pairs().find(|(name, _)| name == "code").map(|(_, value)| value.into_owned())
    });
    code.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_come_with_its_address() {
        assert_eq!(code_of("a1b2"), "a1b2");
        assert_eq!(code_of("https://erp.example/back?state=x&code=a%2Bb#top"), "a+b");
        assert_eq!(code_of("https://erp.example/back?state=x"), "https://erp.example/back?state=x");
    }
}

//! `milkrun secret`: the installation's encrypted vault.

use std::io::Read as _;

use console::Term;
use milkrun_core::{Error, Secret};
use serde_json::json;

use super::{Here, Outcome};
use crate::cli;
use crate::config::suggest;
use crate::text::{self, fill};
use crate::wiring::open_state;

pub(super) async fn secret(here: Here<'_>, ask: &cli::Secret) -> Outcome {
    let out = here.out;
    let (installation, _) = here.load()?;
    match ask {
        cli::Secret::Set(cli::SecretName { name }) => {
            let state = open_state(&installation, here.environment, out.lang).await?;
            let secret = read(here, name)?;
            state.store.put_secret(name, &secret).await?;
            out.json(&json!({ "set": name }));
            out.line(fill!(out.lang, text::SECRET_KEPT, name = name));
        }
        cli::Secret::List => {
            let names = match here.look(&installation).await? {
                Some(state) => state.store.list_secrets().await?,
                None => Vec::new(),
            };
            out.json(&json!({ "secrets": names }));
            if names.is_empty() {
                out.line(out.say(text::NO_SECRETS));
            }
            for name in &names {
                out.line(name);
            }
        }
        cli::Secret::Remove(cli::SecretName { name }) => {
            let state = here.look(&installation).await?;
            let names = match &state {
                Some(state) => state.store.list_secrets().await?,
                None => Vec::new(),
            };
            let removed = match &state {
                Some(state) => state.store.remove_secret(name).await?,
                None => false,
            };
            if !removed {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let error = Error::config(fill!(out.lang, text::NOT_IN_VAULT, name = name));
                return Err(error.advise(suggest(out.lang, name, &known)).into());
            }
            out.json(&json!({ "removed": name }));
            out.line(fill!(out.lang, text::SECRET_REMOVED, name = name));
        }
    }
    Ok(0)
}

/// Reads the secret of that name.
fn read(here: Here<'_>, name: &str) -> milkrun_core::Result<Secret> {
    let out = here.out;
    let secret = typed(here, fill!(out.lang, text::TYPE_SECRET, name = name))?;
    if secret.is_empty() {
        return Err(Error::config(out.say(text::NO_SECRET_GIVEN)).advise(out.say(text::PIPE_SECRET)));
    }
    Ok(secret)
}

/// Reads a secret without showing it; from standard input where nobody types.
pub(super) fn typed(here: Here<'_>, question: String) -> milkrun_core::Result<Secret> {
    let out = here.out;
    let text = if here.environment.in_is_terminal {
        out.note(question);
        Term::stderr().read_secure_line()?
    } else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    };
    let secret = Secret::new(text.trim_end_matches(['\r', '\n']));
    out.scrubber.hide(&secret);
    Ok(secret)
}

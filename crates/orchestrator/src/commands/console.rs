//! `milkrun console`: what the console in the browser needs from the command line.

use milkrun_console::access::PasswordHash;
use milkrun_core::Error;
use serde_json::json;

use super::secret::typed;
use super::{Here, Outcome};
use crate::cli;
use crate::text::{self, fill};

/// The shortest password, in characters.
const SHORTEST: usize = 8;

pub(super) fn console(here: Here<'_>, ask: &cli::Console) -> Outcome {
    match ask {
        cli::Console::Password => password(here),
    }
}

/// Prints the hash of a password, as `[console.users.NAME]` takes it.
fn password(here: Here<'_>) -> Outcome {
    let out = here.out;
    let password = typed(here, out.say(text::TYPE_PASSWORD).to_owned())?;
    if password.expose().chars().count() < SHORTEST {
        let error = Error::config(fill!(out.lang, text::SHORT_PASSWORD, least = SHORTEST));
        return Err(error.advise(out.say(text::SHORT_PASSWORD_HELP)).into());
    }
    // Nobody sees what they type, so they type it twice.
    if here.environment.in_is_terminal && typed(here, out.say(text::TYPE_PASSWORD_AGAIN).to_owned())? != password {
        return Err(Error::config(out.say(text::PASSWORDS_DIFFER)).advise(out.say(text::RUN_AGAIN)).into());
    }
    let hash = PasswordHash::of(&password)?;
    out.json(&json!({ "password": hash.expose() }));
    out.line(hash.expose());
    if here.environment.out_is_terminal && !out.json {
        out.note(out.say(text::PASSWORD_GOES_WHERE));
    }
    Ok(0)
}

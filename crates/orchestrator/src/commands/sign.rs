//! `milkrun sign`: the text that is signed and its signature, for comparison with the vendor's debugger.

use std::io::Read as _;

use milkrun_core::{Error, SignRequest, connector, connectors};

use super::{Here, Outcome};
use crate::cli;
use crate::text::{self, fill};

pub(super) fn sign(here: Here<'_>, ask: &cli::Sign) -> Outcome {
    let out = here.out;
    let Some(sign) = connector(&ask.connector)?.sign else {
        let signing: Vec<_> = connectors().iter().filter(|spec| spec.sign.is_some()).map(|spec| spec.name).collect();
        let error = Error::config(fill!(out.lang, text::SIGNS_NOTHING, connector = ask.connector));
        return Err(error.advise(fill!(out.lang, text::KNOWN_ARE, names = signing.join(", "))).into());
    };
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let request = SignRequest::parse(&input).map_err(|error| error.advise(out.say(text::SIGN_INPUT)))?;
    let request = match &ask.method {
        Some(method) => request.with_text("sign_method", method),
        None => request,
    };
    // Always JSON, on one line: there is no other form that both texts would survive.
    out.print(&serde_json::to_string(&sign(&request)?).expect("two texts can be written"));
    Ok(0)
}

//! `milkrun sandbox`: a simulated vendor to try things out against.

mod vendors;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use milkrun_core::{Error, Result};
use milkrun_sandbox::FaultRule;
use serde_json::{Map, Value, json};

pub(crate) use self::vendors::{Setting, Simulated, Vendor, Wanted};
use super::{Here, Outcome, cannot_listen};
use crate::cli;
use crate::config::{parse_rate, suggest};
use crate::text::{self, Lang, fill};

const FAULTS: &[&str] = &[
    "drift",
    "vendor-code",
    "http-status",
    "html",
    "empty-body",
    "truncated",
    "reset",
    "lost-answer",
    "cut",
    "slow",
    "session-death",
    "refresh-refused",
    "total-missing",
    "same-page",
    "page-ignored",
];

pub(super) async fn sandbox(here: Here<'_>, ask: &cli::Sandbox) -> Outcome {
    let out = here.out;
    let lang = out.lang;
    let given = ask.limits.iter().filter(|text| *text != "none");
    let limits = given.map(|text| limit(text, lang)).collect::<Result<Vec<_>>>()?;
    let wanted = Wanted {
        seed: ask.seed,
        port: ask.port,
        n_orders: ask.orders,
        n_items: ask.items,
        n_documents: ask.documents,
        limits: (!ask.limits.is_empty()).then_some(limits),
        latency: Duration::from_millis(ask.latency),
        jitter: Duration::from_millis(ask.jitter),
        faults: ask.faults.iter().map(|text| fault(text, lang)).collect::<Result<_>>()?,
    };
    let simulated = ask.vendor.start(&wanted).await.map_err(|e| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ask.port));
        cannot_listen(e, address, lang).advise(lang.say(text::CHOOSE_PORT))
    })?;
    let Simulated { sandbox, settings, .. } = &simulated;
    let mut shown = json!({
        "url": sandbox.url(),
        "control_url": sandbox.control_url(),
        "port": sandbox.port(),
        "connector": ask.vendor.connector(),
    });
    for setting in settings.iter().filter(|setting| setting.is_plain()) {
        shown[setting.key] = setting.value.clone().into();
    }
    out.json(&shown);
    out.line(fill!(lang, text::SANDBOX_RUNS, vendor = ask.vendor.title(lang), url = sandbox.url()));
    out.line(fill!(lang, text::SANDBOX_CONTROL, url = sandbox.control_url()));
    out.line("");
    out.line(out.say(text::SANDBOX_ACCOUNT));
    out.line("");
    out.line(simulated.account(ask.vendor.account(), Setting::inline));
    out.line(out.say(text::SANDBOX_UNTIL));
    super::run::asked().await;
    simulated.sandbox.stop().await;
    Ok(0)
}

/// `name,key=value,…`, or the same as a JSON object.
fn fault(text: &str, lang: Lang) -> Result<FaultRule> {
    let wrong = |message: String, help: String| Error::config(message).with("fault", text).advise(help);
    let rule = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        if !FAULTS.contains(&name) {
            return Err(wrong(fill!(lang, text::NO_SUCH_FAULT, name = name), suggest(lang, name, FAULTS)));
        }
        let mut fields = Map::from_iter([("fault".to_owned(), Value::from(name))]);
        for part in parts {
            let Some((key, value)) = part.split_once('=') else {
                return Err(wrong(fill!(lang, text::BAD_FAULT, part = part), lang.say(text::FAULT_FORM).to_owned()));
            };
            // The vendor's codes are texts, even if they are digits.
            let number = value.parse::<u64>().ok().filter(|_| key != "code");
            fields.insert(key.to_owned(), number.map_or_else(|| Value::from(value), Value::from));
        }
        Value::Object(fields).to_string()
    };
    serde_json::from_str(&rule).map_err(|e| {
        // A place in the JSON that the short form became would say nothing.
        let message = e.to_string();
        let (message, _) = message.rsplit_once(" at line ").unwrap_or((&message, ""));
        wrong(message.to_owned(), lang.say(text::FAULT_FORM).to_owned())
    })
}

/// `15/1s`.
fn limit(text: &str, lang: Lang) -> Result<(u32, Duration)> {
    let rate = parse_rate(text).map(|rate| (rate.calls, rate.per));
    rate.ok_or_else(|| Error::config(fill!(lang, text::BAD_LIMIT, value = text)).advise(lang.say(text::LIMIT_FORM)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_limits_are_read_from_short_forms() {
        let good = |text: &str| serde_json::to_string(&fault(text, Lang::En).unwrap()).unwrap();
        assert_eq!(good("html"), r#"{"fault":"html","always":true}"#);
        assert_eq!(good("truncated,every=7,method=a.b"), r#"{"fault":"truncated","every":7,"method":"a.b"}"#);
        assert_eq!(
            good("vendor-code,code=30077"),
            r#"{"fault":"vendor-code","always":true,"code":"30077","message":"fault"}"#
        );
        assert_eq!(good(r#"{"fault":"html","next":2}"#), r#"{"fault":"html","next":2}"#);
        for text in ["htm", "html,every", "html,evry=7", "html,every=0", "{}"] {
            assert!(fault(text, Lang::En).is_err(), "{text}");
        }
        assert_eq!(limit("100/1m", Lang::En).unwrap(), (100, Duration::from_mins(1)));
        for text in ["100", "0/1s", "5/0s", "x/1s"] {
            assert!(limit(text, Lang::En).is_err(), "{text}");
        }
    }

    #[test]
    fn every_fault_is_known_here() {
        let guide = |page: &str| {
            let path = format!("{}/../../docs/guide/{page}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        };
        let pages = ["trouble.md", "trouble.zh.md"].map(guide);
        for name in FAULTS {
            fault(name, Lang::En).unwrap();
            assert!(pages.iter().all(|page| page.contains(&format!("`{name}`"))), "the guide does not name {name}");
        }
    }
}

//! The vendor's codes as errors: one table.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// What one code means.
struct Meaning {
    kind: ErrorKind,
    /// What a person can do; empty if there is nothing to add.
    help: &'static str,
    /// How long to wait before anything else is sent, or before this is sent again.
    wait: Option<Duration>,
}

/// How long the account rests after it was told that calls come too fast.
///
/// The vendor counts by the minute; whether in fixed or sliding windows, nobody says.
const THROTTLED: Duration = Duration::from_secs(15);
/// How long it rests while the gateway has cut an interface off.
const CIRCUIT_OPEN: Duration = Duration::from_mins(1);
/// How long after a first call that is still running the same key is sent again.
const RUNNING: Duration = Duration::from_secs(5);

/// The codes by which an MDD save says that it has done this already; both are seen.
pub(crate) const DUPLICATE: [&str; 2] = ["10004", "100004"];

/// Whether the gateway itself has spoken, whatever the HTTP status is.
pub(crate) fn is_gateway(code: &str) -> bool {
    code.len() == 6 && code.starts_with("310") && code.bytes().all(|b| b.is_ascii_digit())
}

/// Sorts a code that is not the success of its interface into an error.
///
/// HTTP is 200 for nearly all failures, so the code is the signal; it comes as number or text.
/// Source: the vendor's code table and interface documents, as of 2026-09.
pub(crate) fn classify(code: &str, message: &str) -> Error {
    let Meaning { kind, help, wait } = meaning(code);
    let error = match kind {
        ErrorKind::TokenExpired => Error::new(kind, "the vendor does not accept the token"),
        _ if message.is_empty() => Error::new(kind, "the vendor reports an error"),
        _ => Error::new(kind, message.to_owned()),
    };
    let error = error.with("vendor_code", code);
    let error = if help.is_empty() { error } else { error.advise(help) };
    if let Some(wait) = wait { error.retry_after(wait) } else { error }
}

fn meaning(code: &str) -> Meaning {
    use ErrorKind::{
        ConfigInvalid, Forbidden, OutcomeUnknown, QuotaExceeded, Refused, TokenExpired, Unavailable, Unexpected,
    };
    let means = |kind, help| Meaning { kind, help, wait: None };
    let rests = |kind, help, wait| Meaning { kind, help, wait: Some(wait) };
    match code {
        "310036" => means(
            TokenExpired,
            "if this comes back after a renewal, another program may use the same `app_key`: a new token may end the old \
             one, so let all of them share one account or give each its own application",
        ),
        "310037" => means(Forbidden, "give the application the right to this interface in the vendor's console"),
        "310031" => means(Forbidden, "put this machine's address on the application's IP list"),
        "1090003500084" => means(Forbidden, "this interface needs a user bound to the application"),
        "310404" => means(ConfigInvalid, "check the `path` of the stream or target, and `gateway_url`"),
        "310001" | "310405" => means(Unexpected, "this is a fault in the connector: please report it"),
        "310002" | "310003" | "310005" | "310006" | "310008" | "310015" | "310023" => {
            means(Refused, "a parameter is missing or wrong: compare the document with the interface's documentation")
        }
        "310032" | "310039" | "310042" | "310046" => {
            rests(QuotaExceeded, "lower `calls_per_minute`, or buy more calls from the vendor", THROTTLED)
        }
        "310043" => rests(QuotaExceeded, "the gateway has cut this interface off for a while", CIRCUIT_OPEN),
        "310071" | "310072" | "315001" => means(Unavailable, ""),
        "310504" => rests(OutcomeUnknown, "", RUNNING),
        "202" => rests(OutcomeUnknown, "the first call with this key is still running", RUNNING),
        "10004" | "100004" => means(Refused, "it was submitted before"),
        "10018" => means(ConfigInvalid, "check `app_key` and `app_secret`: the application is missing or disabled"),
        "999" | "1002" | "404" | "0" | "9999" | "500" => means(Refused, ""),
        _ => means(Unexpected, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_of_codes() {
        let codes = [
            "310001",
            "310002",
            "310003",
            "310005",
            "310006",
            "310008",
            "310015",
            "310023",
            "310031",
            "310032",
            "310036",
            "310037",
            "310039",
            "310042",
            "310043",
            "310046",
            "310071",
            "310072",
            "310404",
            "310405",
            "310504",
            "202",
            "10004",
            "100004",
            "10018",
            "315001",
            "999",
            "1002",
            "404",
            "0",
            "9999",
            "500",
            "1090003500084",
            "310999",
            "42",
            "",
        ];
        let mut table = String::new();
        for code in codes {
            let error = classify(code, "msg");
            let help = error.help().map(|help| help.split([':', ';', ',']).next().unwrap());
            writeln!(table, "{code:?} {} {:?} {}", error.kind(), error.retry(), help.unwrap_or("-")).unwrap();
        }
        insta::assert_snapshot!(table);
    }
}

//! The vendor's codes as errors: one table.

use milkrun_core::{Error, ErrorKind, Retry};

/// The method that renews a session.
pub(crate) const REFRESH: &str = "open.token.refresh";

/// What a person has to do when no renewal can help.
pub(crate) const DEAD: &str = "a dead session cannot be refreshed: ask Kuaimai's support to authorise the API again for \
    this company, put the new `session` and `refresh_token` into the account's settings (`milkrun secret set` where they \
    are kept in the vault), and run `milkrun check`";

/// Sorts a code that is none of `0`, `200` and `success` into an error; `method` is what was called.
///
/// Kuaimai answers HTTP 200 whatever happened, so the code is the only signal. It is a text, at times of words.
/// Source: <https://open.kuaimai.com>, error codes, as of early 2026; `32` and `33` from a public client.
pub(crate) fn classify(method: &str, code: &str, message: &str) -> Error {
    use ErrorKind::{ConfigInvalid, QuotaExceeded, Refused, TokenDead, TokenExpired, Unavailable, Unexpected};
    let (kind, help) = match code {
        "1" => (Unavailable, ""),
        "20" | "invalid_session" if method == REFRESH => (TokenDead, DEAD),
        "20" | "invalid_session" => (
            TokenExpired,
            "if this comes back after a renewal, another program refreshes the same session: let one of them do it, or \
             give each its own app key",
        ),
        "refresh_frequently" => (QuotaExceeded, "the session was refreshed within the last hour; wait an hour"),
        "22" | "23" => (ConfigInvalid, "check `app_key`"),
        "24" | "25" => {
            (ConfigInvalid, "check `app_secret` and `sign_method`, and that the machine's clock is right to 10 minutes")
        }
        "26" | "27" | "28" | "29" => (ConfigInvalid, "check the stream's `method`"),
        "32" | "33" if method == REFRESH => (ConfigInvalid, "check `refresh_token`"),
        "32" | "33" if ["timestamp", "时间戳"].iter().any(|word| message.contains(word)) => {
            (ConfigInvalid, "check that the machine's clock is right to 10 minutes")
        }
        "32" | "33" => (ConfigInvalid, "check the stream's `params`"),
        "401" => (ConfigInvalid, "check `app_key`, `app_secret` and the permissions of the app"),
        "20001" | "20002" | "20019" => (Refused, "check the stream's `page_size`"),
        "9" | "50" | "400" if method == REFRESH => {
            (Refused, "check `refresh_token`; if it is right, ask Kuaimai's support")
        }
        "9" | "50" | "400" | "20014" | "20015" => (Refused, ""),
        "30077" => (Unavailable, "if this comes back, ask for shorter windows"),
        _ if in_range(code, 30_051..=30_074) || in_range(code, 20_300..=20_399) => (Refused, ""),
        _ => (Unexpected, ""),
    };
    let error = match kind {
        // The vendor's words for a dead session are "user not enabled".
        TokenExpired | TokenDead => Error::new(kind, "the vendor does not accept the session"),
        _ if message.is_empty() => Error::new(kind, "the vendor reports an error"),
        _ => Error::new(kind, message.to_owned()),
    };
    let error = error.with("vendor_code", code);
    let error = if help.is_empty() { error } else { error.advise(help) };
    // An hour's wait would hold up every call of the account, while the session in use is still good.
    if kind == QuotaExceeded { error.retry_as(Retry::Never) } else { error }
}

fn in_range(code: &str, range: std::ops::RangeInclusive<u32>) -> bool {
    code.len() == 5 && code.parse().is_ok_and(|code| range.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_of_codes() {
        let codes = [
            "1",
            "9",
            "20",
            "22",
            "23",
            "24",
            "25",
            "26",
            "27",
            "28",
            "29",
            "32",
            "33",
            "50",
            "105",
            "106",
            "400",
            "401",
            "20001",
            "20002",
            "20014",
            "20015",
            "20019",
            "20301",
            "20399",
            "20400",
            "30050",
            "30051",
            "30074",
            "30075",
            "30077",
            "invalid_session",
            "refresh_frequently",
            "isv.unheard-of",
            "",
        ];
        let mut table = String::new();
        for method in ["erp.trade.list.query", REFRESH] {
            for code in codes {
                let error = classify(method, code, "msg");
                if method == REFRESH && error.kind() == classify("", code, "msg").kind() {
                    continue;
                }
                let help = error.help().map(|help| help.split([':', ';', ',']).next().unwrap());
                writeln!(table, "{method} {code:?} {} {:?} {}", error.kind(), error.retry(), help.unwrap_or("-"))
                    .unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }
}

//! The vendor's codes and HTTP statuses as errors: one table.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind, Retry};

/// What a person does when the authorisation is gone.
pub(crate) const LOG_IN: &str = "run `milkrun login` for this account, or put new tokens into its settings";

/// A signal that an answer gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal<'a> {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The vendor's code, if there is one.
    pub(crate) code: Option<&'a str>,
    /// The vendor's words, without secrets.
    pub(crate) message: &'a str,
    /// Whether the token service was asked, whose refusals no new token can mend.
    pub(crate) of_tokens: bool,
    /// How long the vendor asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// How long to wait after throttling that names no time.
const THROTTLED: Duration = Duration::from_secs(5);

/// Sorts an answer that is no good one into an error.
///
/// One code stands for several faults (50000, 50003, 50112), so that the HTTP status and the words decide too.
/// Source: the vendor's open platform, error codes, as of November 2026, and what public clients were seen to do.
pub(crate) fn classify(signal: Signal<'_>) -> Error {
    use ErrorKind::{
        ConfigInvalid, Forbidden, QuotaExceeded, Refused, TokenDead, TokenExpired, Unavailable, Unexpected,
    };
    let Signal { status, code, message, of_tokens, retry_after } = signal;
    let expired = if of_tokens { (TokenDead, LOG_IN) } else { (TokenExpired, LOG_IN) };
    let (kind, help) = match (code.unwrap_or_default(), status) {
        ("50112", 401) => (
            QuotaExceeded,
            "the calls of this month are used up for this app key and organisation: wait for the next month, or have \
             the quota raised",
        ),
        ("50112", 403) => (ConfigInvalid, "check `app_key`: it is not the one that was authorised"),
        ("50112", _) => (Forbidden, "check `app_key`, and whether the calls of this month are used up"),
        (_, 409 | 429) => (QuotaExceeded, "the vendor throttles; if this comes back, lower `calls_per_second`"),
        ("14002", _) => (
            TokenDead,
            "the refresh token was used already: if another program uses the same authorisation, give each its own; \
             then run `milkrun login` for this account",
        ),
        ("4007", _) => expired,
        ("4001" | "4002" | "4003" | "4008", _) if of_tokens => {
            (TokenDead, "check `app_key` and `app_secret`; if they are right, authorise the account again")
        }
        ("4001" | "4002" | "4003" | "4008", _) => (ConfigInvalid, "check `app_key` and `app_secret`"),
        _ if is_about_token(message) => expired,
        ("EXSV0011", _) => (Unavailable, ""),
        ("999", _) => (
            Refused,
            "the vendor refuses the query or the document: often a filter or a right is missing, or the archive is \
             empty; set a filter with `adjust`, or ask for the right",
        ),
        ("50000" | "50003", _) if is_about_secret(message) => (ConfigInvalid, "check `app_key` and `app_secret`"),
        (_, 401) if of_tokens => (ConfigInvalid, "check `app_key` and `app_secret`"),
        (_, 401) => expired,
        (_, 403) => (Forbidden, "the app or the user lacks the right for this interface"),
        (_, 404) => (ConfigInvalid, "check `base_url` and the `endpoint` of the stream or target"),
        (_, 500..) => (Unavailable, ""),
        (_, 200..300) => (Unexpected, ""),
        _ => (Refused, ""),
    };
    let says = match message {
        "" if (200..300).contains(&status) => "the vendor reports an error",
        "" => "the vendor refuses the call",
        message => message,
    };
    let error = Error::new(kind, says.to_owned());
    let error = if let Some(code) = code { error.with("vendor_code", code) } else { error };
    let error = if (200..300).contains(&status) { error } else { error.with("http_status", status) };
    let error = if help.is_empty() { error } else { error.advise(help) };
    match (kind, code) {
        // A month is no time to wait for, and each further call counts.
        (QuotaExceeded, Some("50112")) => error.retry_as(Retry::Never),
        (QuotaExceeded, _) => error.retry_after(retry_after.unwrap_or(THROTTLED)),
        _ => error,
    }
}

/// What the third `EXSV0011` in a row means: sources disagree on whether it is throttling or an unknown service.
pub(crate) fn not_temporary(error: Error) -> Error {
    Error::new(ErrorKind::Refused, "the vendor cannot carry out the call, three times in a row")
        .with("vendor_code", "EXSV0011")
        .advise("check the `endpoint` of the stream; if it is right, the vendor is overloaded: run again later")
        .caused_by(error)
}

/// Whether the words say that a token is too old or none.
fn is_about_token(message: &str) -> bool {
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    has(&["token", "令牌"]) && has(&["expire", "invalid", "过期", "失效", "无效"])
}

/// Whether the words are about the app's credentials.
fn is_about_secret(message: &str) -> bool {
    let message = message.to_lowercase();
    ["appkey", "appsecret", "app_key", "app_secret", "secret"].iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_of_codes() {
        let cases: [(&str, u16, &str); 36] = [
            ("50112", 401, ""),
            ("50112", 403, ""),
            ("50112", 200, ""),
            ("4007", 401, ""),
            ("4007", 200, ""),
            ("", 409, "busy"),
            ("", 429, ""),
            ("50000", 429, ""),
            ("50000", 401, ""),
            ("50000", 403, ""),
            ("50000", 404, ""),
            ("50000", 500, ""),
            ("50000", 200, ""),
            ("50003", 401, "appSecret error"),
            ("50003", 500, "openToken invalid"),
            ("50003", 403, ""),
            ("4001", 200, ""),
            ("4002", 400, ""),
            ("4003", 200, ""),
            ("4008", 200, ""),
            ("14002", 200, ""),
            ("EXSV0011", 200, "服务调用异常"),
            ("999", 200, ""),
            ("999", 200, "token已过期"),
            ("1", 200, "Token expired"),
            ("1", 200, "invalid access_token"),
            ("1", 200, "令牌无效"),
            ("1", 200, "token"),
            ("1", 200, "expired"),
            ("unheard-of", 200, ""),
            ("", 200, ""),
            ("", 401, ""),
            ("", 403, ""),
            ("", 404, ""),
            ("", 400, ""),
            ("", 503, ""),
        ];
        let mut table = String::new();
        for of_tokens in [false, true] {
            for (code, status, message) in cases {
                let code = Some(code).filter(|code| !code.is_empty());
                let of = |of_tokens| classify(Signal { status, code, message, of_tokens, retry_after: None });
                let error = of(of_tokens);
                if of_tokens && error.kind() == of(false).kind() {
                    continue;
                }
                let whom = if of_tokens { "tokens" } else { "business" };
                let code = code.unwrap_or("-");
                let help = error.help().and_then(|help| help.split([':', ';', ',']).next()).unwrap_or("-");
                writeln!(table, "{whom} {status} {code} {message:?}: {} {:?} {help}", error.kind(), error.retry())
                    .unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn waits_as_long_as_told() {
        let wait = Some(Duration::from_secs(7));
        let signal = Signal { status: 429, code: None, message: "", of_tokens: false, retry_after: wait };
        assert_eq!(classify(signal).retry(), Retry::After(Duration::from_secs(7)));
        let month = classify(Signal { status: 401, code: Some("50112"), ..signal });
        assert_eq!(month.retry(), Retry::Never);
        let third = not_temporary(classify(Signal { status: 200, code: Some("EXSV0011"), message: "m", ..signal }));
        assert_eq!((third.kind(), third.retry()), (ErrorKind::Refused, Retry::Never));
    }
}

//! The platform's codes as errors: one table.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// How long the platform pauses after too many calls.
pub(crate) const PAUSE: Duration = Duration::from_mins(5);

/// Codes whose meaning the settings say.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownCodes {
    pub(crate) token: Vec<u32>,
    pub(crate) throttled: Vec<u32>,
}

/// Sorts an answer that is not good into an error; `code` is as it was written.
///
/// The reference names the codes 40001 to 40029 and 50000, and does not say what each of them means: so the settings say
/// it, or the message does, and what neither says refuses the call. That 50000 is a failure of the platform is inferred
/// from its place.
pub(crate) fn classify(known: &KnownCodes, code: Option<&str>, message: &str) -> Error {
    use ErrorKind::{ConfigInvalid, Forbidden, QuotaExceeded, Refused, TokenExpired, Unavailable, Unexpected};
    let number: Option<u32> = code.and_then(|code| code.parse().ok());
    let is_in = |codes: &[u32]| number.is_some_and(|code| codes.contains(&code));
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let documented = matches!(number, Some(40_001..=40_029));
    let (kind, help) = match number {
        _ if is_in(&known.token) => (TokenExpired, TOKEN),
        _ if is_in(&known.throttled) => (QuotaExceeded, ""),
        Some(50_000) => (Unavailable, ""),
        _ if !documented => (Unexpected, ""),
        _ if says(&["app_secret", "app_key", "appkey", "secret", "密钥"]) => {
            (ConfigInvalid, "check `platform.app_key` and `platform.app_secret`")
        }
        _ if says(&["token", "令牌"]) => (TokenExpired, TOKEN),
        _ if says(&["频繁", "频率", "限流", "too many", "rate limit", "frequen"]) => (QuotaExceeded, ""),
        _ if says(&["权限", "无权", "permission", "forbidden"]) => {
            (Forbidden, "ask for the right to this scheme in the platform")
        }
        _ => (Refused, "if it means an old token or too many calls, say so in `token_codes` or `throttled_codes`"),
    };
    let says = if message.is_empty() { "the platform reports an error" } else { message };
    let error = Error::new(kind, says.to_owned()).with("vendor_code", code.unwrap_or("none"));
    let error = if help.is_empty() { error } else { error.advise(help) };
    if kind == QuotaExceeded { error.retry_after(PAUSE) } else { error }
}

const TOKEN: &str =
    "if this comes back after a renewal, check `platform.app_key`, `platform.app_secret` and the scheme";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_codes() {
        let known = KnownCodes { token: vec![40_007], throttled: vec![40_009] };
        let cases = [
            (Some("40001"), "access_token invalid"),
            (Some("40001"), "令牌已过期"),
            (Some("40002"), "请求过于频繁"),
            (Some("40002"), "Too many requests"),
            (Some("40003"), "app_secret error"),
            (Some("40004"), "没有权限"),
            (Some("40005"), "参数错误"),
            (Some("40007"), ""),
            (Some("40009"), ""),
            (Some("40029"), ""),
            (Some("40030"), "token"),
            (Some("50000"), "系统异常"),
            (Some("1"), ""),
            (Some("word"), ""),
            (None, "no"),
        ];
        let line = |(code, message): (Option<&str>, &str)| {
            let error = classify(&known, code, message);
            let help = error.help().unwrap_or("-");
            format!("{} {message:?}: {} {:?} {help}", code.unwrap_or("none"), error.kind(), error.retry())
        };
        insta::assert_snapshot!(cases.map(line).join("\n"));
    }
}

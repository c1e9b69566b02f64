//! The vendor's codes as errors: one table.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// The first token of a merchant's own app.
pub(crate) const INIT: &str = "/openWeb/auth/getInitToken";
/// The first token of a third party's app, for the code that a person brings.
pub(crate) const ACCESS: &str = "/openWeb/auth/accessToken";
/// A token in place of an older one.
pub(crate) const REFRESH: &str = "/openWeb/auth/refreshToken";
/// The old API's method that makes a token live longer.
pub(crate) const OLD_REFRESH: &str = "refresh.token";

/// What a person has to do when a token of the old API cannot be renewed.
pub(crate) const OLD_DEAD: &str = "the merchant has to authorise the app again on the vendor's site: put the new token \
    into `access_token` and its last day into `token_expires`, and run `milkrun check`";
/// What a person has to do when a third party's token cannot be renewed.
pub(crate) const DEAD: &str = "the merchant has to grant access again: run `milkrun login` for this account, open the \
    link, and give it the code that the browser ends with";
/// The same, when the vendor says that this kind of app may not renew.
const PROVIDER: &str = "service providers' apps may not renew tokens since 2023-08-15, so the merchant has to grant \
    access again each time one ends: run `milkrun login` for this account, open the link, and give it the code that the \
    browser ends with";
const CLOCK: &str = "set the machine's clock right: the vendor refuses calls that are 10 minutes off";
const SIGNATURE: &str = "check `app_key` and `app_secret`; `milkrun sign jushuitan` shows what is signed";
const OWN: &str = "check that the app is the merchant's own: others need `app = \"third-party\"` and `milkrun login`";
const BAD_CODE: &str =
    "the code is wrong, used or too old: run `milkrun login` again and use the new code within a few minutes";

/// Sorts a code other than `0` into an error; `endpoint` is what was called.
///
/// Jushuitan answers HTTP 200 whatever happened, so the code is the only signal; 140 and 150 mean two things each, told
/// apart by the message. `200` is an error too.
/// Codes: <https://openweb.jushuitan.com/doc?docId=320>, as of early 2026, and a public client's list.
pub(crate) fn classify(endpoint: &str, code: &str, message: &str) -> Error {
    use ErrorKind::{
        ConfigInvalid, Forbidden, QuotaExceeded, Refused, TokenDead, TokenExpired, Unavailable, Unexpected,
    };
    let about = |words: &[&str]| words.iter().any(|word| message.to_lowercase().contains(word));
    let on_tokens = matches!(endpoint, INIT | ACCESS | REFRESH | OLD_REFRESH);
    let (kind, help) = match code {
        "10" | "120" => (ConfigInvalid, SIGNATURE),
        "180" => (ConfigInvalid, CLOCK),
        "140" if about(&["timestamp", "时间戳"]) => (ConfigInvalid, CLOCK),
        "199" | "200" => (QuotaExceeded, "if this comes often, lower `calls_per_second` or `calls_per_minute`"),
        "110" => (Forbidden, "add this machine's public address to the app's IP list on the vendor's open platform"),
        "190" => (Forbidden, "apply for the permission to call this method on the vendor's open platform"),
        _ if endpoint == REFRESH && about(&["refresh_token"]) && about(&["无效", "过期", "invalid", "expired"]) => {
            (TokenDead, DEAD)
        }
        "150" if endpoint == REFRESH && !about(&["内部", "系统", "繁忙", "异常", "internal"]) => {
            (TokenDead, PROVIDER)
        }
        "150" if on_tokens => (Unavailable, ""),
        "150" => (Unavailable, "if this comes back, ask for smaller pages or shorter windows"),
        "100" | "130" | "140" | "160" if endpoint == OLD_REFRESH => (TokenDead, OLD_DEAD),
        "100" | "130" | "140" | "160" if endpoint == ACCESS => (TokenDead, BAD_CODE),
        "100" if endpoint == INIT => (ConfigInvalid, ""),
        "100" if on_tokens => (TokenDead, DEAD),
        "100" => (TokenExpired, "if this comes back after a renewal, another program renews the same token"),
        "130" | "140" | "160" => (Refused, ""),
        "170" => (Refused, "check `shop_id`; the stream `shops` lists them"),
        _ => (Unexpected, ""),
    };
    let help = if help.is_empty() && endpoint == INIT && kind != Unavailable { OWN } else { help };
    let says = if message.is_empty() { "the vendor reports an error" } else { message };
    let error = Error::new(kind, says.to_owned()).with("vendor_code", code);
    let error = if help.is_empty() { error } else { error.advise(help) };
    match code {
        "199" => error.retry_after(Duration::from_secs(1)),
        "200" => error.retry_after(Duration::from_mins(1)),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table_of_codes() {
        let codes = [
            ("10", "验证失败！无效签名"),
            ("120", "无效签名"),
            ("100", "无效的access_token或access_token已过期"),
            ("110", "该IP不在白名单列表"),
            ("130", "必填数据为空"),
            ("140", "参数不符合规范"),
            ("140", "无效的timestamp，请求最大时间误差15分钟"),
            ("150", "系统内部错误"),
            ("150", "服务商应用禁止刷新access_token,需商户重新授权"),
            ("160", "保存失败"),
            ("170", "店铺编号不存在"),
            ("180", "时间戳超出范围"),
            ("190", "无API权限"),
            ("199", "调用频次超过限制!请稍后再试"),
            ("200", "调用频次超过限制"),
            ("500", "refresh_token无效或已过期"),
            ("1", "未知"),
            ("", ""),
        ];
        let mut table = String::new();
        for endpoint in ["/open/sku/query", INIT, ACCESS, REFRESH, OLD_REFRESH] {
            for (code, message) in codes {
                let error = classify(endpoint, code, message);
                let usual = classify("", code, message);
                let same = (error.kind(), error.help()) == (usual.kind(), usual.help());
                if endpoint != "/open/sku/query" && same {
                    continue;
                }
                let help = error.help().map(|help| help.split([':', ';', ',']).next().unwrap());
                let (kind, retry) = (error.kind(), error.retry());
                writeln!(table, "{endpoint} {code:?} {message} = {kind} {retry:?} {}", help.unwrap_or("-")).unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }
}

//! The signatures of the new and the old API, section 2 of the page.

use crate::rows::md5_hex;

/// The signature of the new API over all form fields but `sign`.
pub(crate) fn new_api(secret: &str, fields: &[(String, String)]) -> String {
    let mut fields: Vec<_> = fields.iter().filter(|(key, _)| key != "sign").collect();
    fields.sort();
    let text: String = fields.into_iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]).collect();
    md5_hex(&[secret, &text].concat())
}

/// The signature of the old API, which does not cover the body.
pub(crate) fn old_api(partner_key: &str, method: &str, partner_id: &str, token: &str, ts: &str) -> String {
    md5_hex(&[method, partner_id, "token", token, "ts", ts, partner_key].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_new_api() {
        let biz = r#"{"page_index":1,"page_size":100,"modified_begin":"2024-12-31 00:00:00","modified_end":"2024-12-31 23:59:59"}"#;
        let fields = [
            ("sign", "whatever"),
            ("version", "2"),
            ("app_key", "ffeeddccbbaa99887766554433221100"),
            ("access_token", "0123456789abcdef0123456789abcdef"),
            ("timestamp", "1735689600"),
            ("charset", "utf-8"),
            ("biz", biz),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(new_api("00112233445566778899aabbccddeeff", &fields), "2c9c188bafeaecda390b402b494ab6fd");
    }

    #[test]
    fn the_check_value_of_the_old_api() {
        let sign = old_api(
            "k0000000000000000000000000000002",
            "refresh.token",
            "p0000000000000000000000000000001",
            "t0000000000000000000000000000003",
            "1735689600",
        );
        assert_eq!(sign, "c040d29e0543e34be8e894c2af53bc77");
    }
}

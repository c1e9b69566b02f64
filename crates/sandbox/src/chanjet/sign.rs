//! The optional signature of a body, section 3 of the page.

use crate::rows::md5_hex;

/// The signature of a body; a blank one has no part in the text.
pub(crate) fn body(app_key: &str, sign_key: &str, timestamp: &str, body: &str) -> String {
    let bare: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let content = if bare.is_empty() { String::new() } else { format!("bizContent={bare}&") };
    md5_hex(&format!("appKey={app_key}&{content}timestamp={timestamp}{sign_key}"))
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn the_check_value() {
        let text = r#"{"param":{"PageIndex":1,"PageSize":100}}"#;
        let expected = "9411ee2f3a45b3284b54e0d247e5a575";
        assert_eq!(body("ptPrU0YV", "sgnKey-0f1e2d3c", "1605167299197", text), expected);
        let spaced = "{ \"param\" : {\n\t\"PageIndex\": 1, \"PageSize\": 100 } }\r\n";
        assert_eq!(body("ptPrU0YV", "sgnKey-0f1e2d3c", "1605167299197", spaced), expected);
        assert_eq!(body("k", "s", "1", " "), body("k", "s", "1", ""));
    }
}

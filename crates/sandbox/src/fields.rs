//! Reads documents that callers write, without changing a digit of their numbers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Decimal places that amounts are compared with.
const PLACES: usize = 8;

/// The fields of one JSON object, each as it was sent.
pub(crate) type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// A part of an object, in another form.
///
/// # Errors
/// The vendor's words for a field that is missing or malformed.
pub(crate) fn part<'a, T: Deserialize<'a>>(fields: &Fields<'a>, name: &str) -> Result<T, String> {
    let text = fields.get(name).ok_or_else(|| format!("必填数据为空：{name}"))?;
    serde_json::from_str(text.get()).map_err(|_| format!("参数不符合规范：{name}"))
}

/// A text or a number as text; `None` for whatever else there is.
pub(crate) fn text_of(fields: &Fields<'_>, name: &str) -> Option<String> {
    let text = fields.get(name)?.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

/// A text or a number that must be there and not empty.
///
/// # Errors
/// The vendor's words for a missing field.
pub(crate) fn need(fields: &Fields<'_>, name: &str) -> Result<String, String> {
    text_of(fields, name).filter(|text| !text.is_empty()).ok_or_else(|| format!("必填数据为空：{name}"))
}

/// A plain decimal in units of its eighth place.
pub(crate) fn decimal(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || places.len() > PLACES || !plain(whole) || !plain(places) {
        return None;
    }
    Some(sign * format!("{whole}{places:0<PLACES$}").parse::<i128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, expected) in [
            ("19.90", Some(1_990_000_000)),
            ("-0.1", Some(-10_000_000)),
            ("1000000000000000.01", Some(100_000_000_000_000_001_000_000)),
            ("5", Some(500_000_000)),
            ("1e2", None),
            ("", None),
            (".5", None),
            ("1.123456789", None),
        ] {
            assert_eq!(decimal(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_and_texts_stay_as_they_were_sent() {
        let fields: Fields<'_> =
            serde_json::from_str(r#"{"a":1999234567890123456.10,"b":"x","c":null,"d":""}"#).unwrap();
        assert_eq!(text_of(&fields, "a").as_deref(), Some("1999234567890123456.10"));
        assert_eq!((need(&fields, "b").as_deref(), text_of(&fields, "c")), (Ok("x"), None));
        assert!(need(&fields, "c").is_err() && need(&fields, "d").is_err() && need(&fields, "e").is_err());
        assert!(part::<Vec<Fields<'_>>>(&fields, "b").is_err());
    }
}

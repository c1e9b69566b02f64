//! What handlers take out of a request, refused in words where it does not fit.

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use milkrun_core::Error;
use serde::de::DeserializeOwned;

use crate::desk::Lang;
use crate::refusal::Refusal;

/// The greatest number that the state can have: 63 bits.
pub(crate) const GREATEST: u64 = i64::MAX as u64;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|axum::Json(value)| Self(value)).map_err(|rejection| match rejection {
            JsonRejection::MissingJsonContentType(_) => Refusal::not_json(),
            JsonRejection::BytesRejection(rejection) => of_bytes(&rejection),
            JsonRejection::JsonDataError(error) => not_understood(&error.body_text()),
            JsonRejection::JsonSyntaxError(error) => not_understood(&error.body_text()),
            other => not_understood(&other.body_text()),
        })
    }
}

fn of_bytes(rejection: &BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large();
    }
    Refusal::malformed(Error::malformed("the body did not come whole"))
}

fn not_understood(detail: &str) -> Refusal {
    // The parser may repeat what it has read: the whole of that is nobody's need.
    let detail: String = detail.chars().take(300).collect();
    Refusal::malformed(Error::malformed("the body is not what this address takes").with("detail", detail))
}

/// The values behind the `?`, without `lang`, which every address takes.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let mut kept = form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(pairs.filter(|(name, _)| name != "lang"));
        let uri: Uri = format!("/?{}", kept.finish()).parse().map_err(|_| bad_query(""))?;
        let read = axum::extract::Query::<T>::try_from_uri(&uri);
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|e| bad_query(&e.body_text()))
    }
}

fn bad_query(detail: &str) -> Refusal {
    let detail: String = detail.chars().take(300).collect();
    Refusal::malformed(Error::malformed("the values after `?` are not what this address takes").with("detail", detail))
}

/// The names and numbers in the path. What cannot be one of them names nothing.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Refusal::not_found())
    }
}

/// `limit` as it was asked for, or what is usual.
pub(crate) fn limit(asked: Option<u32>, usual: u32, most: u32) -> Result<u32, Refusal> {
    match asked {
        None => Ok(usual),
        Some(n) if (1..=most).contains(&n) => Ok(n),
        Some(_) => Err(Refusal::value("limit", "the limit is out of its range")),
    }
}

/// A number in a path; what the state cannot have does not exist.
pub(crate) fn known(number: u64) -> Result<u64, Refusal> {
    if number <= GREATEST { Ok(number) } else { Err(Refusal::not_found()) }
}

/// The language that a request asks for: `?lang=`, else `accept-language`, else English.
pub(crate) fn lang(parts: &Parts) -> Lang {
    let of = |tag: &str| {
        let tag = tag.trim().to_ascii_lowercase();
        let primary = tag.split(['-', '_']).next().unwrap_or_default().to_owned();
        match primary.as_str() {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let asked = form_urlencoded::parse(query).find(|(name, _)| name == "lang").and_then(|(_, value)| of(&value));
    if let Some(lang) = asked {
        return lang;
    }
    let header = parts.headers.get(axum::http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best: Option<(u32, Lang)> = None;
    for one in header.unwrap_or_default().split(',') {
        let mut fields = one.split(';');
        let Some(lang) = fields.next().and_then(of) else { continue };
        let weight = fields.find_map(|field| field.trim().strip_prefix("q=")).map_or(1000, thousandths);
        if weight > 0 && best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, lang));
        }
    }
    best.map_or(Lang::En, |(_, lang)| lang)
}

/// `0.8` as 800; what is no weight counts as none.
fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(part)) => whole * 1000 + part,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        let asked = |uri: &str, header: &str| {
            let request = Request::builder().uri(uri).header("accept-language", header).body(()).unwrap();
            lang(&request.into_parts().0)
        };
        for (header, expected) in [
            ("", Lang::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en;q=0.5, zh-TW;q=0.6", Lang::Zh),
            ("fr, en-GB;q=0.7, zh;q=0.3", Lang::En),
            ("zh;q=0, en;q=0.1", Lang::En),
            ("fr", Lang::En),
            ("zh;q=nonsense", Lang::En),
        ] {
            assert_eq!(asked("/", header), expected, "{header}");
        }
        assert_eq!(asked("/?lang=zh", "en"), Lang::Zh);
        assert_eq!(asked("/?a=b&lang=en", "zh"), Lang::En);
        assert_eq!(asked("/?lang=fr", "zh"), Lang::Zh);
    }
}

//! The page: files that are a part of the program, in the form that the browser takes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::access::{hex, sha256};

/// The files of the built page: name and content. Empty until there is one.
const PAGE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Stands in for the page until it is built.
const NOTICE: &[(&str, &[u8])] = &[(INDEX, include_bytes!("notice.html"))];

const INDEX: &str = "index.html";

/// One file of the page in its forms.
#[derive(Clone, Copy, Debug, Default)]
struct Asset {
    plain: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

/// A form in which a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Gzip,
    Brotli,
}

static ASSETS: LazyLock<BTreeMap<&'static str, Asset>> =
    LazyLock::new(|| table(if PAGE.is_empty() { NOTICE } else { PAGE }));

fn table(files: &[(&'static str, &'static [u8])]) -> BTreeMap<&'static str, Asset> {
    let mut assets: BTreeMap<&'static str, Asset> = BTreeMap::new();
    for (name, content) in files.iter().copied() {
        if let Some(name) = name.strip_suffix(".gz") {
            assets.entry(name).or_default().gzip = Some(content);
        } else if let Some(name) = name.strip_suffix(".br") {
            assets.entry(name).or_default().brotli = Some(content);
        } else {
            assets.entry(name).or_default().plain = Some(content);
        }
    }
    // A file that nobody could read who takes no compression is none.
    assets.retain(|_, asset| asset.plain.is_some() || asset.gzip.is_some());
    assets
}

/// The file at `path`, or the page itself for an address within it; `None` for a file that is not there.
///
/// The path is only compared with the names of files that are a part of the program: there is nothing to climb out of.
pub(crate) fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    serve_from(&ASSETS, path, headers)
}

fn serve_from(assets: &BTreeMap<&'static str, Asset>, path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = path.trim_start_matches('/');
    let (name, asset) = match assets.get_key_value(name) {
        Some((name, asset)) => (*name, asset),
        // Addresses within the page have no dot, except in names of flows, and no percent sign that hides one.
        None if is_address(path) => (INDEX, assets.get(INDEX)?),
        None => return None,
    };
    let (form, content) = choose(asset, headers);
    let tag = format!("\"{}\"", &hex(&sha256(&content))[..32]);
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(content))
    };
    let answer = response.headers_mut();
    let is_hashed = name.starts_with("assets/");
    let kept = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    answer.insert(header::ETAG, HeaderValue::try_from(tag).expect("it is ASCII"));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if response.status() != StatusCode::NOT_MODIFIED {
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
        match form {
            Form::Plain => {}
            Form::Gzip => drop(answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
            Form::Brotli => drop(answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"))),
        }
    }
    Some(response)
}

/// Whether a path is an address within the page and no file.
fn is_address(path: &str) -> bool {
    let is_plain = |part: &str| !part.starts_with('.') && !part.contains("%2e") && !part.contains("%2E");
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && path.split('/').all(is_plain) && !path.contains(['\\', '\0'])
}

/// The smallest form that the browser takes.
fn choose(asset: &Asset, headers: &HeaderMap) -> (Form, Bytes) {
    let takes = |form: &str| accepts(headers, form);
    match asset {
        Asset { brotli: Some(content), .. } if takes("br") => (Form::Brotli, Bytes::from_static(content)),
        Asset { gzip: Some(content), .. } if takes("gzip") => (Form::Gzip, Bytes::from_static(content)),
        Asset { plain: Some(content), .. } => (Form::Plain, Bytes::from_static(content)),
        Asset { gzip, .. } => (Form::Plain, unpacked(gzip.unwrap_or_default())),
    }
}

fn unpacked(packed: &[u8]) -> Bytes {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut content).expect("the page's own files are whole");
    content.into()
}

/// Whether the browser takes an encoding.
fn accepts(headers: &HeaderMap, form: &str) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let is_refused = weight.bytes().all(|b| b == b'0' || b == b'.');
        name.trim().eq_ignore_ascii_case(form) && !is_refused
    })
}

/// Whether the browser has it already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as the build of the page packs it.
    static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(&b"unpacked"[..], flate2::Compression::best()).read_to_end(&mut packed).unwrap();
        packed
    });

    fn asked(path: &str, with: &[(&str, &str)]) -> Option<Response> {
        let files: [(&'static str, &'static [u8]); 4] = [
            ("index.html", b"<!doctype html>"),
            ("assets/app-1a2b.js.gz", &PACKED),
            ("assets/app-1a2b.js.br", b"brotli"),
            ("assets/only.br", b"nobody could read it"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in with {
            let name: header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        serve_from(&table(&files), path, &headers)
    }

    fn is(response: &Response, name: &str) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_file_comes_in_the_smallest_form_that_is_taken() {
        let path = "/assets/app-1a2b.js";
        for (taken, form, content) in [
            ("gzip, deflate, br", "br", &b"brotli"[..]),
            ("gzip", "gzip", &PACKED),
            ("br;q=0, gzip;q=0.5", "gzip", &PACKED),
            ("identity", "", b"unpacked"),
            ("gzip;q=0", "", b"unpacked"),
            ("brr", "", b"unpacked"),
        ] {
            let response = asked(path, &[("accept-encoding", taken)]).unwrap();
            assert_eq!(is(&response, "content-encoding"), form, "{taken}");
            assert_eq!(is(&response, "content-type"), "text/javascript; charset=utf-8");
            assert_eq!(is(&response, "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(is(&response, "vary"), "accept-encoding");
            let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(body, content, "{taken}");
        }
    }

    #[test]
    fn addresses_within_the_page_give_the_page_and_missing_files_nothing() {
        for path in ["/", "/index.html", "/flows/orders", "/flows/a%2Fb", "/账户"] {
            let response = asked(path, &[]).unwrap();
            assert_eq!(is(&response, "content-type"), "text/html; charset=utf-8", "{path}");
            assert_eq!(is(&response, "cache-control"), "no-cache", "{path}");
        }
        // Packed in a form that not everybody takes, a file is not offered at all: the address is one within the page.
        assert_eq!(is(&asked("/assets/only", &[]).unwrap(), "content-type"), "text/html; charset=utf-8");
        for path in [
            "/assets/other.js",
            "/favicon.ico",
            "/../Cargo.toml",
            "/..%2f..%2fetc/passwd",
            "/%2e%2e/etc/passwd",
            "/..",
            "/.git/config",
            "/a\\..\\b",
        ] {
            assert!(asked(path, &[]).is_none(), "{path}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let first = asked("/", &[]).unwrap();
        let tag = is(&first, "etag");
        assert_eq!(tag.len(), 34);
        let again = asked("/", &[("if-none-match", &format!("\"x\", W/{tag}"))]).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(is(&again, "etag"), tag);
        assert_eq!(asked("/", &[("if-none-match", "\"x\"")]).unwrap().status(), StatusCode::OK);
    }
}

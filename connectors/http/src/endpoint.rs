//! One address of the API: its verb and path, its fixed parts, and where parameters go.

use std::collections::BTreeMap;

use milkrun_core::transport::{Body, Call, Verb};
use milkrun_core::{Error, ErrorKind, Quota, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Fixed, Plain, Tree, quoted};
use crate::place::{Draft, check_header};
use crate::rules::is_path;

/// The verb of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// GET: without a body.
    Get,
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// DELETE: without a body.
    Delete,
}

impl Method {
    fn verb(self) -> Verb {
        match self {
            Self::Get => Verb::Get,
            Self::Post => Verb::Post,
            Self::Put => Verb::Put,
            Self::Delete => Verb::Delete,
        }
    }

    fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Where parameters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Send {
    /// Into the address.
    Query,
    /// Into a JSON body; a parameter's name is a path there, such as `param.PageIndex`.
    Json,
    /// Into a body of form fields.
    Form,
}

/// One address with its fixed parts.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) send: Send,
    pub(crate) query: BTreeMap<String, Plain>,
    pub(crate) body: BTreeMap<String, Fixed>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) numbers_as_text: bool,
}

/// A value on its way into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text.
    Text(String),
    /// Digits, written as a number where the vendor does not want text.
    Number(String),
    /// JSON text, as it came from the vendor.
    Json(String),
}

impl Value {
    /// Digits as a number, everything else as text.
    pub(crate) fn of(text: &str) -> Self {
        let is_number =
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if is_number { Self::Number(text.to_owned()) } else { Self::Text(text.to_owned()) }
    }

    fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text.clone(),
            Self::Json(json) => {
                milkrun_core::record::plain_text(json).map_or_else(|| json.clone(), std::borrow::Cow::into_owned)
            }
        }
    }
}

impl Endpoint {
    /// An endpoint without fixed parts; parameters go where the verb has room for them unless `send` says otherwise.
    pub(crate) fn new(method: Method, path: &str, send: Option<Send>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            send: send.unwrap_or(if method.has_body() { Send::Json } else { Send::Query }),
            query: BTreeMap::new(),
            body: BTreeMap::new(),
            headers: BTreeMap::new(),
            numbers_as_text: false,
        }
    }

    /// The name for quotas and logs: `GET /orders`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// The names in braces in the path.
    pub(crate) fn placeholders(&self) -> Vec<&str> {
        self.path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    /// Refuses what cannot be meant. A whole address instead of a path is for the call that gets a token only: the
    /// account's key goes to no other host than that of `base_url`.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] names the setting.
    pub(crate) fn validate(&self, at: &str, anywhere: bool) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message).with("path", &self.path));
        let path = self.path.as_str();
        let is_absolute = anywhere && (path.starts_with("https://") || path.starts_with("http://"));
        if !(path.starts_with('/') || is_absolute) || path.contains(['?', '#', ' ', '@']) {
            return wrong(format!(
                "`{at}path` has to begin with `/` and hold neither query nor spaces; parameters go into `query`"
            ));
        }
        if path.matches('{').count() != self.placeholders().len()
            || self.placeholders().iter().any(|name| name.is_empty())
        {
            return wrong(format!("`{at}path` has a brace that is not closed, or holds no name"));
        }
        if self.send != Send::Query && !self.method.has_body() {
            return wrong(format!("`{at}send` has to be \"query\": {} has no body", self.method.as_str()));
        }
        if !self.body.is_empty() && self.send == Send::Query {
            return wrong(format!("`{at}body` needs `send` to be \"json\" or \"form\""));
        }
        if self.send == Send::Form && self.body.values().any(|value| !matches!(value, Fixed::Plain(_))) {
            return wrong(format!("`{at}body` of form fields has to hold plain values"));
        }
        if self.body.keys().any(|name| !is_path(name)) || self.query.keys().any(String::is_empty) {
            return wrong(format!("`{at}body` or `{at}query` has an empty name"));
        }
        self.headers.iter().try_for_each(|(name, value)| {
            check_header(&format!("{at}headers"), name)?;
            check_header_value(&format!("{at}headers.{name}"), value)
        })
    }

    /// A request with the fixed parts; `base` is where relative paths start.
    pub(crate) fn request(&self, base: &str) -> Result<Request<'_>> {
        let mut tree = Tree::default();
        let mut form = Vec::new();
        for (name, value) in &self.body {
            match self.send {
                Send::Json => tree.set(name, value.json())?,
                Send::Form => form.push((name.clone(), Value::Json(value.json()).plain())),
                Send::Query => {}
            }
        }
        let query = self.query.iter().map(|(name, value)| (name.clone(), value.text())).collect();
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let path = self.path.clone();
        let base = if path.starts_with('/') { base.to_owned() } else { String::new() };
        Ok(Request { endpoint: self, base, path, query, form, tree, headers })
    }
}

/// Refuses what would end a header.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] names the setting.
pub(crate) fn check_header_value(at: &str, value: &str) -> Result<()> {
    if value.is_empty() || !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(Error::config(format!("`{at}` is empty, or holds line breaks or characters beyond ASCII")));
    }
    Ok(())
}

/// A call of one endpoint that is being put together.
pub(crate) struct Request<'e> {
    endpoint: &'e Endpoint,
    base: String,
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    pub(crate) tree: Tree,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request<'_> {
    /// Sets a parameter: in the path if it has the name in braces, else where the endpoint sends them.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if a fixed value stands where an object is needed.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let placeholder = format!("{{{name}}}");
        if self.path.contains(&placeholder) {
            self.path = self.path.replace(&placeholder, &percent_encoded(&value.plain()));
            return Ok(());
        }
        let pair = || (name.to_owned(), value.plain());
        match self.endpoint.send {
            Send::Query => self.query.push(pair()),
            Send::Form => self.form.push(pair()),
            Send::Json => {
                let json = match value {
                    Value::Number(digits) if !self.endpoint.numbers_as_text => digits.clone(),
                    Value::Text(text) | Value::Number(text) => quoted(text),
                    Value::Json(json) => json.clone(),
                };
                self.tree.set(name, json)?;
            }
        }
        Ok(())
    }

    /// The call, with another JSON body than the parameters if there is one.
    pub(crate) fn call(self, json: Option<String>) -> Call {
        let Self { endpoint, base, path, query, form, tree, headers } = self;
        let body = match (endpoint.send, json) {
            (_, Some(json)) => Body::Json(json),
            (Send::Query, None) => Body::Empty,
            (Send::Form, None) => Body::Form(form),
            (Send::Json, None) => Body::Json(tree.text()),
        };
        let name = endpoint.name();
        let call = Call { verb: endpoint.method.verb(), headers, body, ..Call::json(&name, "", String::new()) };
        Draft::new(format!("{base}{path}"), query, call).into_call()
    }

    /// Fills the names in the path from a document.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the document lacks one.
    pub(crate) fn fill_path(&mut self, document: &str) -> Result<()> {
        for name in self.endpoint.placeholders() {
            let placeholder = format!("{{{name}}}");
            if !self.path.contains(&placeholder) {
                continue;
            }
            let value = crate::json::find(document, name).and_then(milkrun_core::record::plain_text);
            let value = value.filter(|text| !text.is_empty()).ok_or_else(|| {
                Error::new(ErrorKind::Refused, "the document lacks a field that the path needs").with("field", name)
            })?;
            self.path = self.path.replace(&placeholder, &percent_encoded(&value));
        }
        Ok(())
    }
}

/// The text as one step of a path.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push_str(&milkrun_core::sign::upper_hex(&[b]));
        }
    }
    // A step of dots alone would be taken for another folder.
    if !out.is_empty() && out.bytes().all(|b| b == b'.') { out.replace('.', "%2E") } else { out }
}

/// Limits such as `["60/1m", "5/1s"]`, as accounts have them.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] names the setting.
pub(crate) fn quota(at: &str, rates: &[String]) -> Result<Quota> {
    let mut quota = Quota::unlimited();
    for rate in rates {
        let parsed = rate.split_once('/').and_then(|(calls, per)| {
            let digits = per.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let secs = match &per[digits.len()..] {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            let (calls, n): (u32, u64) = (calls.parse().ok()?, digits.parse().ok()?);
            (calls > 0 && n > 0).then(|| Some((calls, std::time::Duration::from_secs(n.checked_mul(secs)?))))?
        });
        let Some((calls, per)) = parsed else {
            return Err(Error::config(format!("`{at}quota` has to hold limits such as \"60/1m\"")).with("limit", rate));
        };
        quota = quota.and(calls, per);
    }
    Ok(quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: Method, path: &str) -> Endpoint {
        Endpoint::new(method, path, None)
    }

    #[test]
    fn parameters_go_where_they_are_sent() {
        let mut post = endpoint(Method::Post, "/v1/{shop}/list");
        post.body.insert("param.flags".to_owned(), Fixed::List(vec![Fixed::Plain(Plain::Truth(true))]));
        post.query.insert("v".to_owned(), Plain::Whole(2));
        let mut request = post.request("https://api.example").unwrap();
        request.set("param.page", &Value::of("3")).unwrap();
        request.set("param.from", &Value::of("2026-08-01 00:00:00")).unwrap();
        request.set("param.cursor", &Value::Json("{\"n\":6920000000000000001}".to_owned())).unwrap();
        request.set("shop", &Value::of("单 1/..")).unwrap();
        let call = request.call(None);
        assert_eq!(call.url, "https://api.example/v1/%E5%8D%95%201%2F../list?v=2");
        let Body::Json(body) = &call.body else { panic!("{call:?}") };
        let expected =
            r#"{"param":{"flags":[true],"page":3,"from":"2026-08-01 00:00:00","cursor":{"n":6920000000000000001}}}"#;
        assert_eq!(body, expected);
        assert_eq!(call.endpoint, "POST /v1/{shop}/list");
        let get = endpoint(Method::Get, "/list");
        let mut request = get.request("https://api.example").unwrap();
        request.set("a", &Value::Json("\"x&y\"".to_owned())).unwrap();
        assert_eq!(request.call(None).url, "https://api.example/list?a=x%26y");
    }

    #[test]
    fn a_path_is_filled_from_the_document() {
        let put = endpoint(Method::Put, "/clients/{client.id}");
        let mut request = put.request("https://api.example").unwrap();
        request.fill_path(r#"{"client":{"id":".."}}"#).unwrap();
        assert_eq!(request.call(None).url, "https://api.example/clients/%2E%2E");
        let error = put.request("").unwrap().fill_path(r#"{"client":{"id":null}}"#).unwrap_err();
        assert_eq!((error.kind(), error.fact("field")), (ErrorKind::Refused, Some("client.id")));
    }

    #[test]
    fn limits_are_read_and_refused() {
        let limits = ["60/1m".to_owned(), "5/2s".to_owned()];
        assert_eq!(quota("", &limits).unwrap().rates.len(), 2);
        for bad in ["60", "0/1s", "5/0s", "5/1w", "x/1s", "5/s"] {
            assert!(quota("", &[bad.to_owned()]).unwrap_err().to_string().contains("`quota`"), "{bad}");
        }
    }
}

//! What a simulated vendor has to offer so that the shared scaffolding can serve it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::faults::Fault;
use crate::form::Form;
use crate::limits::Refusal;

/// One call as it came in, before anybody judged it.
#[derive(Debug)]
pub(crate) struct Inbound<'a> {
    /// The HTTP verb.
    pub(crate) verb: &'a str,
    /// The path.
    pub(crate) path: &'a str,
    /// The query string, empty if there is none.
    pub(crate) query: &'a str,
    /// The content type, empty if there is none.
    pub(crate) content_type: &'a str,
    /// All headers, their names in lower case; those that are no text are left out.
    pub(crate) headers: &'a [(String, String)],
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Inbound<'_> {
    /// The header of that name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are no UTF-8 become replacement characters.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

/// A call as the vendor understands it.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// The method, empty if none is named.
    pub(crate) method: String,
    /// Page asked for.
    pub(crate) page_no: Option<String>,
    /// Page size asked for.
    pub(crate) page_size: Option<String>,
    /// Window asked for.
    pub(crate) window: Option<String>,
    /// Cursor, id or code asked for.
    pub(crate) key: Option<String>,
    /// All fields of a form; `None` if there is none, or if it could not be read as the vendor wants it.
    pub(crate) form: Option<Form>,
    /// The path, for vendors whose paths hold more than the method.
    pub(crate) path: String,
    /// The query string, for vendors that read it.
    pub(crate) query: String,
    /// The headers, their names in lower case, for vendors that read them.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as text, for vendors that do not take forms.
    pub(crate) body: String,
}

impl Call {
    /// The header of that name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP answer with what the log should say of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Content type.
    pub(crate) content_type: &'static str,
    /// `Retry-After` in seconds.
    pub(crate) retry_after: Option<u64>,
    /// Body.
    pub(crate) body: String,
    /// `ok`, the vendor's code, or the HTTP status.
    pub(crate) outcome: String,
    /// Rows in the body.
    pub(crate) rows: u32,
    /// Rows that drifted on account of this call.
    pub(crate) drifted: u32,
}

impl Answer {
    /// A short HTML page.
    pub(crate) fn html(status: u16, title: &str) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            retry_after: None,
            body: format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"),
            outcome: status.to_string(),
            rows: 0,
            drifted: 0,
        }
    }
}

/// Time and mishaps of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The simulator's time, epoch milliseconds.
    pub(crate) now_ms: i64,
    /// Number of the call, for seeded choices.
    pub(crate) n: u64,
    /// Faults that strike it.
    pub(crate) faults: &'a [Fault],
    /// How long after its arrival the caller has the answer, for vendors that say what is still running.
    pub(crate) hold: Duration,
}

impl Moment<'_> {
    /// How many rows of the page just served are to be modified.
    pub(crate) fn drift(&self) -> u32 {
        let rows = |fault: &Fault| if let Fault::Drift { rows, .. } = fault { *rows } else { 0 };
        self.faults.iter().map(rows).fold(0, u32::saturating_add)
    }
}

/// One document as it stands at the vendor now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthRow {
    /// Its primary key.
    pub key: String,
    /// When it was last modified, epoch milliseconds; for orders this is `updTime`.
    pub modified: i64,
    /// How often it was modified since the start; each document carries it in a text (`v0`, `v1`, …).
    pub version: u32,
}

/// What the vendor has for one key that callers made: more than one document is a double.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The caller's key, or the document's own number where the vendor has no such key.
    pub key: String,
    /// The vendor's ids of the documents it made, oldest first.
    pub ids: Vec<String>,
    /// Calls that carried the key.
    pub calls: u32,
    /// The newest document as it was sent, JSON text.
    pub body: String,
}

/// A vendor's simulator behind the scaffolding, which adds transport, clock, limits, faults and the log.
pub(crate) trait Vendor: Send {
    /// The path of the interface, for the address shown to users.
    fn path(&self) -> &'static str;

    /// Understands a call, without judging it.
    ///
    /// # Errors
    /// The answer for calls that do not even reach the vendor's interface, such as a wrong path.
    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer>;

    /// Judges and answers a call.
    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer;

    /// The answer to a call above the limits.
    fn throttled(&mut self, refusal: Refusal) -> Answer;

    /// The vendor's error envelope.
    fn envelope(&mut self, code: &str, message: &str) -> Answer;

    /// Number of documents by entity.
    fn documents(&self) -> BTreeMap<&'static str, usize>;

    /// All documents of an entity, in key order; `None` for an unknown entity.
    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>>;

    /// Modifies `n` documents of an entity at `now_ms`; gives their keys, or `None` for an unknown entity.
    fn change(&mut self, entity: &str, n: u32, now_ms: i64) -> Option<Vec<String>>;

    /// Ends the session, as when it expires.
    fn kill_session(&mut self);

    /// Makes the session good again from `now_ms` on, as the vendor's support does by hand.
    fn revive_session(&mut self, now_ms: i64);

    /// The session as JSON, its made-up secrets included.
    fn session(&self, now_ms: i64) -> Value;

    /// Tokens refreshed and rows modified so far.
    fn counts(&self) -> (u64, u64);

    /// What was written to a target, in key order; `None` for an unknown target, or if the vendor takes nothing.
    fn received(&self, _target: &str) -> Option<Vec<Received>> {
        None
    }

    /// Sends whatever the vendor sends by itself, as it would arrive at a registered address: bodies, oldest first.
    fn pushes(&mut self, _now_ms: i64) -> Vec<String> {
        Vec::new()
    }
}

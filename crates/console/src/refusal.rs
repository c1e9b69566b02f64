//! What is said to a request that is not served, and with which status.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use milkrun_core::{Error, ErrorKind};

use crate::desk::{Desk, Lang};

/// Why a request is not served. It becomes a `Problem` in the caller's language on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    /// In place of the error's own kind.
    kind: Option<&'static str>,
    error: Error,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, error: Error) -> Self {
        Self(Arc::new(Inner { status, kind: Some(kind), error, retry_after: None }))
    }

    /// 400: the request cannot be understood.
    pub(crate) fn malformed(error: Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", error)
    }

    /// 400: a value is not one that is allowed.
    pub(crate) fn value(name: &str, message: &'static str) -> Self {
        Self::malformed(Error::malformed(message).with("value", name))
    }

    /// 401: nobody is signed in.
    pub(crate) fn signed_out() -> Self {
        let error = Error::new(ErrorKind::Forbidden, "nobody is signed in").advise("sign in, or send an access token");
        Self::new(StatusCode::UNAUTHORIZED, "signed-out", error)
    }

    /// 401: the same for an unknown user, a wrong password and an unknown access token.
    pub(crate) fn wrong_credentials() -> Self {
        let error = Error::new(ErrorKind::Forbidden, "the name, the password or the access token is wrong");
        Self::new(StatusCode::UNAUTHORIZED, "wrong-credentials", error.advise("type it again"))
    }

    /// 403: known, but not allowed.
    pub(crate) fn forbidden(kind: &'static str, error: Error) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind, error)
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::from(Error::new(ErrorKind::NotFound, "there is nothing at this address"))
    }

    /// 405.
    pub(crate) fn wrong_method() -> Self {
        let error = Error::new(ErrorKind::Refused, "this address does not take that method");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", error)
    }

    /// 413.
    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", Error::malformed("the body is too long"))
    }

    /// 415.
    pub(crate) fn not_json() -> Self {
        let error = Error::malformed("the body has to be JSON").advise("send `content-type: application/json`");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", error)
    }

    /// 429: too many failures; `wait` seconds have to pass.
    pub(crate) fn too_many(wait: u64) -> Self {
        let error = Error::new(ErrorKind::QuotaExceeded, "there were too many wrong attempts")
            .with("seconds", wait)
            .advise("wait, and try again");
        let kind = Some("too-many-attempts");
        Self(Arc::new(Inner { status: StatusCode::TOO_MANY_REQUESTS, kind, error, retry_after: Some(wait) }))
    }

    /// 503: for the moment.
    pub(crate) fn busy_server(message: &'static str) -> Self {
        let error = Error::new(ErrorKind::Unavailable, message).advise("try again in a moment");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self(Arc::new(Inner { status, kind: Some("unavailable"), error, retry_after: Some(5) }))
    }

    /// What was wrong, in one word, as the audit log has it.
    pub(crate) fn kind(&self) -> &'static str {
        self.0.kind.unwrap_or_else(|| self.0.error.kind().as_str())
    }

    /// The answer as the caller reads it.
    pub(crate) fn render(&self, desk: &dyn Desk, lang: Lang) -> Response {
        let mut problem = desk.problem(lang, &self.0.error);
        self.kind().clone_into(&mut problem.kind);
        let mut response = (self.0.status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, wait.into());
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            // `Bearer` and not `Basic`: a browser must not ask for a password by itself.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Busy => StatusCode::CONFLICT,
            ErrorKind::State | ErrorKind::Io | ErrorKind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Unexpected => StatusCode::INTERNAL_SERVER_ERROR,
            // What a file, a vendor or a channel is to blame for: the request was understood and cannot be done.
            ErrorKind::ConfigInvalid
            | ErrorKind::Forbidden
            | ErrorKind::TokenExpired
            | ErrorKind::TokenDead
            | ErrorKind::QuotaExceeded
            | ErrorKind::Unavailable
            | ErrorKind::OutcomeUnknown
            | ErrorKind::Malformed
            | ErrorKind::Refused
            | ErrorKind::Incoherent => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(Arc::new(Inner { status, kind: None, error, retry_after: None }))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

//! One error type: what happened, whether asking again can help, the facts, and the cause.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// The result of everything in Milkrun that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened, in words the engine acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// A setting is missing or wrong; the run stops and names it.
    ConfigInvalid,
    /// The vendor knows the caller and does not let it: permission, IP list, unregistered interface.
    Forbidden,
    /// The token was refused; the engine renews it once and asks again.
    TokenExpired,
    /// The token is dead and cannot be renewed; a person has to act.
    TokenDead,
    /// Too many calls; the engine waits as long as told.
    QuotaExceeded,
    /// The vendor or the network failed for the moment.
    Unavailable,
    /// No answer, or none that tells: the call may have had its effect.
    OutcomeUnknown,
    /// The answer is not what the vendor documents: no JSON, a missing list, a cut body.
    Malformed,
    /// The vendor refuses this request or this document for good.
    Refused,
    /// The pages contradict each other, so that going on would prove nothing.
    Incoherent,
    /// The state store cannot be read, written or understood.
    State,
    /// What was asked for by name or number does not exist.
    NotFound,
    /// Another process holds what this one needs.
    Busy,
    /// A file or stream of the local machine failed.
    Io,
    /// The run was asked to stop.
    Interrupted,
    /// None of the above.
    Unexpected,
}

impl ErrorKind {
    /// The kind as it is written in logs and in `--json` output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigInvalid => "config-invalid",
            Self::Forbidden => "forbidden",
            Self::TokenExpired => "token-expired",
            Self::TokenDead => "token-dead",
            Self::QuotaExceeded => "quota-exceeded",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::Incoherent => "incoherent",
            Self::State => "state",
            Self::NotFound => "not-found",
            Self::Busy => "busy",
            Self::Io => "io",
            Self::Interrupted => "interrupted",
            Self::Unexpected => "unexpected",
        }
    }

    /// Whether an idempotent call that failed so is worth repeating.
    fn advice(self) -> Retry {
        match self {
            Self::Unavailable | Self::OutcomeUnknown | Self::Malformed => Retry::Backoff,
            Self::QuotaExceeded => Retry::After(Duration::from_secs(1)),
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Asking again gives the same answer.
    Never,
    /// Ask again with growing pauses.
    Backoff,
    /// Ask again, but not before this time has passed.
    After(Duration),
    /// It was asked again, and the attempts are used up.
    Exhausted,
}

/// What went wrong, with the facts needed to act on it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    retry: Retry,
    help: Option<Cow<'static, str>>,
    context: Vec<(&'static str, String)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` says in one sentence what happened.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            retry: kind.advice(),
            help: None,
            context: Vec::new(),
            cause: None,
        }))
    }

    /// A setting that is missing or wrong.
    pub fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::ConfigInvalid, message)
    }

    /// An answer that is not what the vendor documents.
    pub fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    /// What happened.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether asking again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The sentence that says what happened, without context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What a person can do about it.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The named facts, in the order they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The fact of that name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.0.context.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    /// Adds a named fact; a name that is already there keeps its first, more exact value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if self.fact(name).is_none() {
            self.0.context.push((name, value.to_string()));
        }
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn advise(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Says that asking again can help, but not before `wait` has passed.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry = Retry::After(wait);
        self
    }

    /// Replaces the retry advice.
    #[must_use]
    pub fn retry_as(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds the error that led to this one.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if !self.0.context.is_empty() {
            f.write_str(" (")?;
            for (i, (name, value)) in self.0.context.iter().enumerate() {
                let comma = if i == 0 { "" } else { ", " };
                write!(f, "{comma}{name}: {value}")?;
            }
            f.write_str(")")?;
        }
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|c| c.as_ref() as &(dyn StdError + 'static))
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        let full = cause.kind() == std::io::ErrorKind::StorageFull;
        let error = Self::new(ErrorKind::Io, if full { "the disk is full" } else { "a file operation failed" });
        let error = if full { error.advise("free some space and run again; nothing committed is lost") } else { error };
        error.caused_by(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_happened_with_facts_and_cause() {
        let error = Error::new(ErrorKind::QuotaExceeded, "too many calls")
            .with("stream", "orders")
            .with("page", 3)
            .with("page", 4)
            .caused_by("HTTP 429");
        assert_eq!(error.to_string(), "too many calls (stream: orders, page: 3): HTTP 429");
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(1)));
        assert_eq!(error.fact("page"), Some("3"));
    }
}

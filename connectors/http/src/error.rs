//! What a code can mean, and the errors that it becomes.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// What a vendor's code or HTTP status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Token,
    Throttled,
    Temporary,
    Refused,
    Forbidden,
    Settings,
    Clock,
    Duplicate,
    /// It is in none of the lists.
    Unknown,
}

impl Class {
    /// The class as errors name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Throttled => "throttled",
            Self::Temporary => "temporary",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::Settings => "settings",
            Self::Clock => "clock",
            Self::Duplicate => "duplicate",
            Self::Unknown => "unknown",
        }
    }
}

/// The error of that class; `wait` is how long a throttled caller waits.
pub(crate) fn error(class: Class, message: &str, wait: Duration) -> Error {
    use ErrorKind::{ConfigInvalid, Forbidden, QuotaExceeded, Refused, TokenExpired, Unavailable, Unexpected};
    let (kind, help) = match class {
        Class::Token => (TokenExpired, "if this comes back after a renewal, check `auth` and the lists `token`"),
        Class::Throttled => (QuotaExceeded, ""),
        Class::Temporary => (Unavailable, ""),
        Class::Refused | Class::Duplicate => (Refused, ""),
        Class::Forbidden => (Forbidden, "ask the vendor to allow this interface for the account"),
        Class::Settings => (ConfigInvalid, "check the account's `auth`, `sign`, and the parameters"),
        Class::Clock => (ConfigInvalid, "check that the machine's clock is right"),
        Class::Unknown => (Unexpected, "say what the code means in `answer.codes`"),
    };
    let says = if message.is_empty() { "the vendor reports an error" } else { message };
    let error = Error::new(kind, says.to_owned()).with("class", class.as_str());
    let error = if help.is_empty() { error } else { error.advise(help) };
    if kind == QuotaExceeded { error.retry_after(wait) } else { error }
}

/// Whether the error says that the target has the document already.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.fact("class") == Some(Class::Duplicate.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_classes() {
        let classes = [
            Class::Token,
            Class::Throttled,
            Class::Temporary,
            Class::Refused,
            Class::Forbidden,
            Class::Settings,
            Class::Clock,
            Class::Duplicate,
            Class::Unknown,
        ];
        let line = |class: Class| {
            let error = error(class, "", Duration::from_secs(9));
            format!("{} {} {:?} {}", class.as_str(), error.kind(), error.retry(), error.help().unwrap_or("-"))
        };
        insta::assert_snapshot!(classes.map(line).join("\n"));
    }
}

//! Errors of files: which file, where in it, and what a person can do.

use std::fmt;
use std::io;

use milkrun_core::{Error, ErrorKind, Retry};

/// What a reading step found wrong with the bytes; it travels inside [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadBytes {
    /// The compressed data end early or are damaged.
    Compression { name: &'static str, cause: String },
    /// A sequence that the encoding does not have.
    Text { encoding: &'static str, offset: u64 },
    /// Bytes that show another form than the settings say.
    Form { message: &'static str, help: &'static str },
}

impl fmt::Display for BadBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compression { name, cause } => write!(f, "the {name} data are cut or damaged: {cause}"),
            Self::Text { encoding, offset } => write!(f, "byte {offset} is not {encoding}"),
            Self::Form { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for BadBytes {}

impl From<BadBytes> for io::Error {
    fn from(bad: BadBytes) -> Self {
        Self::new(io::ErrorKind::InvalidData, bad)
    }
}

/// A file that does not hold what its form demands. Reading it again would give the same.
pub(crate) fn malformed(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::malformed(message).retry_as(Retry::Never)
}

/// A failed reading: damaged content is told from a machine that fails.
pub(crate) fn reading(error: io::Error) -> Error {
    let Some(bad) = error.get_ref().and_then(|e| e.downcast_ref::<BadBytes>()) else {
        return doing("the file cannot be read", error);
    };
    match bad {
        BadBytes::Compression { name, cause } => malformed(format!("the {name} data are cut or damaged"))
            .caused_by(cause.clone())
            .advise("fetch or make the file again; if it is not compressed so, set `compression`"),
        BadBytes::Text { encoding, offset } => malformed(format!("the text is not {encoding}"))
            .with("byte", offset)
            .advise("set `encoding` to \"utf-8\" or \"gb18030\", as the file is written"),
        BadBytes::Form { message, help } => malformed(*message).advise(*help),
    }
}

/// A file operation that failed.
pub(crate) fn doing(what: &'static str, error: io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::StorageFull => return Error::from(error),
        io::ErrorKind::QuotaExceeded => "the user's disk quota is used up; free some space and run again",
        io::ErrorKind::PermissionDenied => "give the user of this process the right to it",
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only; choose another `folder`",
        io::ErrorKind::IsADirectory => "it is a folder; add the file's name to `path`",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a file stands where a folder is needed",
        io::ErrorKind::NotFound => "check `folder` and `path`",
        _ => "check the disk, then run again; nothing committed is lost",
    };
    Error::new(ErrorKind::Io, what).advise(help).caused_by(error)
}

//! The mark: what of a file is committed, as the checkpoint keeps it.

use milkrun_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::config::Format;
use crate::declared::Writer;

/// How many bytes before the committed end the mark vouches for.
pub(crate) const END: usize = 4096;

/// What of a file is committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// How many bytes. What closes a JSON list comes after them, and is written anew each time.
    pub len: u64,
    /// How many documents.
    pub rows: u64,
    /// A hash of the last bytes, which shows that the file was edited.
    pub end: String,
    /// The form that the file was begun in.
    pub form: String,
    /// The columns of CSV, once they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

impl Mark {
    /// The mark as the checkpoint keeps it.
    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).expect("a mark is plain data")
    }

    /// Reads a mark of `writer`'s file.
    ///
    /// # Errors
    /// - [`ErrorKind::State`] if the text is no mark.
    /// - [`ErrorKind::ConfigInvalid`] if the settings now ask for another form than the file was begun in.
    pub(crate) fn read(text: &str, writer: &Writer) -> Result<Self> {
        let mark: Self = serde_json::from_str(text).map_err(|e| {
            Error::new(ErrorKind::State, "the committed mark of the file cannot be read")
                .with("file", &writer.file)
                .caused_by(e)
                .advise("it was written by another version; run once with --restart to write the file anew")
        })?;
        let anew = "restore the settings, choose another `path`, or run once with --restart to write the file anew";
        let asked = form(writer);
        if mark.form != asked {
            return Err(Error::config("the file was begun in another form than the settings now ask for")
                .with("file", &writer.file)
                .with("begun_as", &mark.form)
                .with("asked_for", asked)
                .advise(anew));
        }
        if let (Some(asked), Some(begun)) = (&writer.csv.columns, &mark.columns)
            && asked != begun
        {
            return Err(Error::config("the file was begun with other columns than `csv.columns` now names")
                .with("file", &writer.file)
                .with("begun_with", begun.join(", "))
                .with("asked_for", asked.join(", "))
                .advise(anew));
        }
        Ok(mark)
    }
}

/// Everything that has to stay the same while a file is appended to.
pub(crate) fn form(writer: &Writer) -> String {
    let (encoding, compression) = (writer.encoding.as_str(), writer.compression.as_str());
    let form = format!("{} {encoding} {compression}", writer.format.as_str());
    if writer.format != Format::Csv {
        return form;
    }
    let csv = &writer.csv;
    let header = if csv.header { " header" } else { "" };
    let bom = if csv.bom { " bom" } else { "" };
    format!("{form} {}{}{header}{bom}", csv.delimiter, csv.quote)
}

/// The hash of a file's last bytes.
pub(crate) fn hash(end: &[u8]) -> String {
    format!("{:016x}", xxh3_64(end))
}

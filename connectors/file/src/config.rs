//! The account's settings: files to read and files to write, each with its form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account of the connector `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileConfig {
    /// The folder that the paths below start at; itself relative to the folder of the installation.
    #[serde(default = "this_folder")]
    pub folder: String,
    /// The files to read, one entry for each stream.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// The files to write, one entry for each target. Without an entry, any target `x` is written to `x.jsonl`.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// Files to read as one stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamConfig {
    /// The stream's name: lower-case letters, digits and `-`.
    pub name: String,
    /// One file, or a pattern in which `*` and `?` stand for parts of a name: `in/*.json`.
    pub path: String,
    /// The fields that together tell one record from every other, such as `["id"]`.
    pub key: Vec<String>,
    /// The field with the number people know a record by.
    pub number: Option<String>,
    /// How records are written. Guessed from the extension: `.json`, `.jsonl`, `.ndjson`, `.csv`.
    pub format: Option<Format>,
    /// How characters are written. GB18030 includes GBK and GB2312.
    #[serde(default)]
    pub encoding: Encoding,
    /// How the files are compressed. Guessed from each file's extension: `.gz`, `.zst`.
    pub compression: Option<Compression>,
    /// For JSON, where the records are: `data.list[*]`, or `[*].ClientList[*]` for lists in lists. Without it, the
    /// file is one list of records, or one record.
    pub records: Option<String>,
    /// For JSON with `records`: whether a list on the way may be missing or null, which then counts as empty.
    #[serde(default)]
    pub list_may_be_missing: bool,
    /// Whether there may be no file at all, which then counts as no records; else that is an error.
    #[serde(default)]
    pub files_may_be_missing: bool,
    /// For CSV: separator, quotes and header.
    pub csv: Option<CsvConfig>,
    /// Records per page, 1 to 10000.
    #[serde(default = "default_page_size")]
    pub page_size: u32,
}

/// One file to write.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetConfig {
    /// The target's name: lower-case letters, digits and `-`.
    pub name: String,
    /// The file.
    pub path: String,
    /// How records are written. Guessed from the extension: `.json`, `.jsonl`, `.ndjson`, `.csv`.
    pub format: Option<Format>,
    /// How characters are written.
    #[serde(default)]
    pub encoding: Encoding,
    /// How the file is compressed. Guessed from the extension: `.gz`, `.zst`.
    pub compression: Option<Compression>,
    /// For CSV: separator, quotes, header and columns.
    pub csv: Option<CsvConfig>,
    /// What happens to a file with content that is there when the writing begins anew.
    #[serde(default)]
    pub on_existing: OnExisting,
}

/// The form of CSV.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CsvConfig {
    /// The character between two fields: one ASCII character.
    pub delimiter: char,
    /// The character around a field that holds separators or line ends: one ASCII character.
    pub quote: char,
    /// Whether the first row holds the names of the columns.
    pub header: bool,
    /// The columns. To read: their names where there is no header. To write: all columns in their order; without it
    /// the fields of the first document become the columns.
    pub columns: Option<Vec<String>>,
    /// To write UTF-8: begin with a byte order mark, by which Excel knows the encoding.
    pub bom: bool,
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self { delimiter: ',', quote: '"', header: true, columns: None, bom: false }
    }
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One JSON value for each file.
    Json,
    /// One JSON object for each line.
    Jsonl,
    /// One row for each record.
    Csv,
}

/// How characters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// UTF-8; to read, a byte order mark is accepted.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, of which GBK and GB2312 are parts.
    Gb18030,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// With gzip; several members in a row are one file.
    Gzip,
    /// With Zstandard; several frames in a row are one file.
    Zstd,
}

/// What happens to a file with content that is there when the writing begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnExisting {
    /// It is kept beside the new one, as `orders.jsonl.bak-1`.
    #[default]
    KeepAside,
    /// It is overwritten.
    Replace,
    /// The run ends with an error.
    Refuse,
}

fn this_folder() -> String {
    ".".to_owned()
}

fn default_page_size() -> u32 {
    1000
}

impl Format {
    /// The format as it is written in the settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl Encoding {
    /// The encoding as it is written in the settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
        }
    }
}

impl Compression {
    /// The compression as it is written in the settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The compression that a file's extension stands for.
    pub(crate) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }
}

//! The account's settings: files to read and files to write, each with its form.

use std::path::{Component, Path, PathBuf};

use milkrun_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::Location;
use crate::read::path::RecordPath;

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

/// A stream's files and form, with nothing left to guess but each file's compression.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub name: String,
    pub files: Location,
    pub files_may_be_missing: bool,
    pub encoding: Encoding,
    pub compression: Option<Compression>,
    pub form: ReadForm,
}

/// How records are found in a file.
#[derive(Clone, Debug)]
pub(crate) enum ReadForm {
    Json { records: Option<RecordPath>, list_may_be_missing: bool },
    Jsonl,
    Csv(CsvConfig),
}

/// A target's file and form, with nothing left to guess.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub name: String,
    pub file: Location,
    pub format: Format,
    pub encoding: Encoding,
    pub compression: Compression,
    pub csv: CsvConfig,
    pub on_existing: OnExisting,
}

impl FileConfig {
    /// The streams with their forms.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream, the setting and what to
    /// write instead.
    pub(crate) fn readers(&self, installation: &Path) -> Result<Vec<Reader>> {
        refuse_repeated("streams", self.streams.iter().map(|s| s.name.as_str()))?;
        let reader = |stream: &StreamConfig| stream.reader(&Location::new(installation, &self.folder, &stream.path));
        self.streams.iter().map(|s| reader(s).map_err(|e| e.with("stream", &s.name))).collect()
    }

    /// The targets with their forms.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the target, the setting and what to
    /// write instead.
    pub(crate) fn writers(&self, installation: &Path) -> Result<Vec<Writer>> {
        refuse_repeated("targets", self.targets.iter().map(|t| t.name.as_str()))?;
        let writer = |target: &TargetConfig| target.writer(&Location::new(installation, &self.folder, &target.path));
        let writers: Vec<Writer> =
            self.targets.iter().map(|t| writer(t).map_err(|e| e.with("target", &t.name))).collect::<Result<_>>()?;
        for (i, one) in writers.iter().enumerate() {
            if let Some(other) = writers[..i].iter().find(|o| plain(&o.file.full()) == plain(&one.file.full())) {
                let message = format!("`targets` has two entries that write one file: `{}`, `{}`", other.name, one.name);
                return Err(Error::config(message).with("file", &one.file).advise("give each target its own `path`"));
            }
        }
        Ok(writers)
    }
}

impl StreamConfig {
    fn reader(&self, files: &Location) -> Result<Reader> {
        check_name(&self.name)?;
        check_path(&self.path)?;
        if self.key.is_empty() || self.key.iter().any(String::is_empty) {
            return Err(Error::config("`key` names no field").advise("name what tells records apart: key = [\"id\"]"));
        }
        if !(1..=10_000).contains(&self.page_size) {
            return Err(Error::config("`page_size` lies outside 1 to 10000").with("page_size", self.page_size));
        }
        let format = guess_format(self.format, &self.path)?;
        let csv = check_csv(format, self.csv.as_ref())?;
        if csv.bom {
            return Err(Error::config("`csv.bom` is for targets; a byte order mark is read without it"));
        }
        if csv.header && csv.columns.is_some() {
            return Err(Error::config("`csv.columns` names the columns, and so does the header")
                .advise("remove `columns`, or say `header = false` if the file has none"));
        }
        if !csv.header && csv.columns.is_none() {
            return Err(Error::config("`csv.header` is false, and nothing names the columns")
                .advise("add csv.columns = [\"…\"] with one name for each column"));
        }
        if format != Format::Json && (self.records.is_some() || self.list_may_be_missing) {
            return Err(Error::config("`records` and `list_may_be_missing` are for format = \"json\"")
                .with("format", format.as_str()));
        }
        let records = self.records.as_deref().map(RecordPath::parse).transpose()?;
        Ok(Reader {
            name: self.name.clone(),
            files: files.clone(),
            files_may_be_missing: self.files_may_be_missing,
            encoding: self.encoding,
            compression: self.compression,
            form: match format {
                Format::Json => ReadForm::Json { records, list_may_be_missing: self.list_may_be_missing },
                Format::Jsonl => ReadForm::Jsonl,
                Format::Csv => ReadForm::Csv(csv),
            },
        })
    }
}

impl TargetConfig {
    fn writer(&self, file: &Location) -> Result<Writer> {
        check_name(&self.name)?;
        check_path(&self.path)?;
        if self.path.contains(['*', '?']) {
            return Err(Error::config("`path` of a target is one file, not a pattern").with("path", &self.path));
        }
        let format = guess_format(self.format, &self.path)?;
        let csv = check_csv(format, self.csv.as_ref())?;
        if csv.bom && self.encoding != Encoding::Utf8 {
            return Err(Error::config("`csv.bom` is for UTF-8; GB18030 has no use for it").advise("remove `bom`"));
        }
        let compression = self.compression.unwrap_or_else(|| Compression::of(&self.path));
        let (name, encoding, on_existing) = (self.name.clone(), self.encoding, self.on_existing);
        Ok(Writer { name, file: file.clone(), format, encoding, compression, csv, on_existing })
    }
}

impl Writer {
    /// The target that a name stands for where the settings declare none.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the name is no safe name for a file.
    pub(crate) fn undeclared(name: &str, installation: &Path, folder: &str) -> Result<Self> {
        let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(safe) || name.len() > 200 {
            let help = "use letters, digits, `-` and `_`, or declare the target with its `path`";
            return Err(Error::config("the target's name cannot name a file").with("target", name).advise(help));
        }
        Ok(Self {
            name: name.to_owned(),
            file: Location::new(installation, folder, &format!("{name}.jsonl")),
            format: Format::Jsonl,
            encoding: Encoding::Utf8,
            compression: Compression::None,
            csv: CsvConfig::default(),
            on_existing: OnExisting::KeepAside,
        })
    }
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

impl Compression {
    /// The compression that a file's extension stands for.
    pub(crate) fn of(path: &str) -> Self {
        match extension(path) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }
}

fn guess_format(format: Option<Format>, path: &str) -> Result<Format> {
    let plain = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
    let guess = match extension(plain) {
        Some("json") => Some(Format::Json),
        Some("jsonl" | "ndjson") => Some(Format::Jsonl),
        Some("csv") => Some(Format::Csv),
        _ => None,
    };
    format.or(guess).ok_or_else(|| {
        Error::config("`path` has no extension that tells the format")
            .with("path", path)
            .advise("add format = \"json\", \"jsonl\" or \"csv\"")
    })
}

fn extension(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.rsplit_once('.').map(|(_, extension)| extension)
}

fn check_name(name: &str) -> Result<()> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.starts_with('-') || name.ends_with('-') || !name.bytes().all(good) {
        return Err(Error::config("`name` is not of lower-case letters, digits and `-`").with("name", name));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<()> {
    if path.is_empty() || path.ends_with('/') {
        return Err(Error::config("`path` names no file").with("path", path).advise("write it as \"in/orders.jsonl\""));
    }
    Ok(())
}

fn check_csv(format: Format, csv: Option<&CsvConfig>) -> Result<CsvConfig> {
    let Some(csv) = csv else { return Ok(CsvConfig::default()) };
    if format != Format::Csv {
        return Err(Error::config("`csv` is for format = \"csv\"").with("format", format.as_str()));
    }
    for (setting, c) in [("csv.delimiter", csv.delimiter), ("csv.quote", csv.quote)] {
        if !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '\n' | '\r' | '\0' | '.' | '-') {
            let message = format!("`{setting}` cannot be told from the text of a field");
            return Err(Error::config(message).with("character", c.escape_default()).advise("use , ; | or \\t"));
        }
    }
    if csv.delimiter == csv.quote {
        return Err(Error::config("`csv.delimiter` and `csv.quote` are one character"));
    }
    if let Some(columns) = &csv.columns {
        if columns.is_empty() {
            return Err(Error::config("`csv.columns` is empty").advise("name the columns, or remove the setting"));
        }
        if let Some(twice) = repeated(columns) {
            return Err(Error::config("`csv.columns` names a column twice").with("column", twice));
        }
    }
    Ok(csv.clone())
}

/// The first name that an earlier one repeats.
pub(crate) fn repeated(names: &[String]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    names.iter().find(|name| !seen.insert(name.as_str())).map(String::as_str)
}

fn refuse_repeated<'a>(setting: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let names: Vec<_> = names.map(ToOwned::to_owned).collect();
    let Some(twice) = repeated(&names) else { return Ok(()) };
    Err(Error::config(format!("`{setting}` has two entries with one name")).with("name", twice))
}

/// The path without `.` and without `..` where that can be told from the text.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

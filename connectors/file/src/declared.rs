//! What the settings declare, checked and with nothing left to guess: files to read and files to write.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use milkrun_core::{Error, Result};

use crate::config::{Compression, CsvConfig, Encoding, FileConfig, Format, OnExisting, StreamConfig, TargetConfig};
use crate::files::Location;
use crate::read::path::RecordPath;

/// A stream's files and form, with nothing left to guess but each file's compression.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub name: String,
    pub key: Vec<String>,
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
                let message =
                    format!("`targets` has two entries that write one file: `{}`, `{}`", other.name, one.name);
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
        let unnamed = |columns: &Vec<String>| self.key.iter().find(|part| !columns.contains(part));
        if let Some(missing) = csv.columns.as_ref().and_then(unnamed) {
            return Err(Error::config("`key` names a column that `csv.columns` does not have").with("column", missing));
        }
        if format != Format::Json && (self.records.is_some() || self.list_may_be_missing) {
            return Err(Error::config("`records` and `list_may_be_missing` are for format = \"json\"")
                .with("format", format.as_str()));
        }
        let records = self.records.as_deref().map(RecordPath::parse).transpose()?;
        Ok(Reader {
            name: self.name.clone(),
            key: self.key.clone(),
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
    let mut seen = HashSet::new();
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

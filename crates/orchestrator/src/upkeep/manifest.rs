//! What a backup says of itself: who made it when, of which files, and their checksums.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path};

use jiff::Timestamp;
use milkrun_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The file's name within a backup.
pub(crate) const NAME: &str = "manifest.json";
/// The form of backups that this program writes and reads.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The form of the backup.
    pub(crate) format: u32,
    /// The version of the program that made it.
    pub(crate) milkrun: String,
    /// The version of the state file's tables.
    pub(crate) schema: usize,
    /// The instant that the state is of.
    pub(crate) made: Timestamp,
    /// The flows in it.
    pub(crate) flows: Vec<String>,
    /// What belongs to the installation and was left out on purpose: keys and secrets in files.
    pub(crate) left_out: Vec<String>,
    /// Whether secrets stood in `milkrun.toml` and were replaced by stars.
    pub(crate) has_stars: bool,
    /// All files but this one.
    pub(crate) files: Vec<Listed>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its path within the backup, with `/`.
    pub(crate) path: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Manifest {
    /// A manifest without files.
    pub(crate) fn new(made: Timestamp, schema: usize) -> Self {
        Self {
            format: FORMAT,
            milkrun: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            made,
            flows: Vec::new(),
            left_out: Vec::new(),
            has_stars: false,
            files: Vec::new(),
        }
    }

    /// The bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Reads the manifest of the backup in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if there is none, if it is newer, or if a path in it leads out of the backup.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let wrong = |message: &'static str| Error::new(ErrorKind::State, message).with("file", path.display());
        let help = "name the file or the folder that `milkrun backup` made";
        let text = std::fs::read_to_string(&path)
            .map_err(|e| wrong("this is no backup: it has no manifest").advise(help).caused_by(e))?;
        let manifest: Self = serde_json::from_str(&text)
            .map_err(|e| wrong("the manifest of the backup cannot be read").advise(help).caused_by(e))?;
        if manifest.format > FORMAT || manifest.schema > milkrun_store::SqliteStore::schema_version() {
            let error = wrong("the backup was made by a newer milkrun").with("version", &manifest.milkrun);
            return Err(error.advise("restore it with that version of milkrun"));
        }
        if let Some(file) = manifest.files.iter().find(|file| !is_inside(&file.path)) {
            return Err(wrong("the manifest names a file outside the backup").with("path", &file.path));
        }
        Ok(manifest)
    }
}

/// Whether a path stays below where it is put.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Copies at most `most` bytes and returns the entry for the manifest; the copy is durable.
pub(crate) fn put(from: impl Read, to: &Path, path: &str, most: u64, mut tell: impl FnMut(u64)) -> Result<Listed> {
    let at = |e: std::io::Error| Error::from(e).with("file", to.display());
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(at)?;
    }
    let mut into = File::create(to).map_err(at)?;
    let listed = sum(from.take(most), path, |bytes| {
        tell(bytes.len() as u64);
        into.write_all(bytes)
    });
    let listed = listed.map_err(at)?;
    into.sync_all().map_err(at)?;
    Ok(listed)
}

/// Reads everything and returns the entry for the manifest.
pub(crate) fn sum(
    mut from: impl Read,
    path: &str,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<Listed> {
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
        each(&buffer[..n])?;
        bytes += n as u64;
    }
    let sha256 = digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        write!(text, "{byte:02x}").expect("writing to memory cannot fail");
        text
    });
    Ok(Listed { path: path.to_owned(), bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // FIPS 180-4, example "abc".
        let listed = sum("abc".as_bytes(), "x", |_| Ok(())).unwrap();
        assert_eq!(listed.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((listed.bytes, listed.path.as_str()), (3, "x"));
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in ["", "/etc/passwd", "../x", "a/../../x", "./x/.."] {
            assert!(!is_inside(path), "{path}");
        }
        assert!(is_inside("journal/orders/000001.seg"));
    }
}

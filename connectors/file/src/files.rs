//! Which files a path stands for, and the identity of the state they are in.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use milkrun_core::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::Xxh3;

use crate::error;

/// How much of each end of a file its identity covers.
const END: usize = 16 * 1024;

/// A path of the settings and where it starts. It is shown as the settings say it.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    installation: PathBuf,
    folder: String,
    path: String,
}

impl Location {
    pub(crate) fn new(installation: &Path, folder: &str, path: &str) -> Self {
        Self { installation: installation.to_owned(), folder: folder.to_owned(), path: path.to_owned() }
    }

    /// The path that the operating system knows.
    pub(crate) fn full(&self) -> PathBuf {
        self.installation.join(&self.folder).join(&self.path)
    }

    /// All files that the path stands for, in the order of their names; a path without `*` and `?` stands for itself.
    fn find(&self) -> Result<Vec<Found>> {
        let (root, rest) = match self.path.strip_prefix('/') {
            Some(rest) => (Found { path: PathBuf::from("/"), name: "/".to_owned() }, rest),
            None => (Found { path: self.installation.join(&self.folder), name: String::new() }, self.path.as_str()),
        };
        let mut found = vec![root];
        for part in rest.split('/') {
            if !part.contains(['*', '?']) {
                found = found.into_iter().map(|dir| dir.join(part)).collect();
                continue;
            }
            let mut next = Vec::new();
            for dir in found {
                next.extend(dir.children(part).map_err(|e| {
                    error::doing("the folder cannot be listed", e).with("folder", self.shown(&dir.name))
                })?);
            }
            found = next;
        }
        found.retain(|f| !self.path.contains(['*', '?']) || f.path.is_file());
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A path below the folder, as the settings would say it.
    fn shown(&self, name: &str) -> String {
        match self.folder.trim_end_matches('/') {
            "." | "" => name.to_owned(),
            _ if name.starts_with('/') => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(&self.path))
    }
}

/// One file that a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The path that the operating system knows.
    pub path: PathBuf,
    /// The path below the folder of the account.
    pub name: String,
}

impl Found {
    fn join(&self, part: &str) -> Self {
        let slash = if self.name.is_empty() || self.name.ends_with('/') { "" } else { "/" };
        Self { path: self.path.join(part), name: format!("{}{slash}{part}", self.name) }
    }

    /// What the folder holds that `pattern` matches. A hidden file has to be named with its dot.
    fn children(&self, pattern: &str) -> io::Result<Vec<Self>> {
        let mut children = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if matches(pattern, &name) && (pattern.starts_with('.') || !name.starts_with('.')) {
                children.push(Self { path: entry.path(), ..self.join(&name) });
            }
        }
        Ok(children)
    }
}

/// Whether `name` is of the form of `pattern`, where `*` stands for any characters and `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The files of a stream in the state they were in at one moment.
#[derive(Debug)]
pub(crate) struct FileSet {
    location: Location,
    files: Vec<Found>,
    stamps: Vec<Stamp>,
    identity: String,
}

/// What tells that a file has changed without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: i128,
    /// Device, number and time of change: they also show a file that was replaced or had its times set back.
    inode: [u64; 4],
}

impl FileSet {
    /// Looks at the files as they are now.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if there is no file, unless `may_be_missing`, or if one cannot be read.
    pub(crate) fn look(location: &Location, may_be_missing: bool) -> Result<Self> {
        let mut files = location.find()?;
        if may_be_missing {
            files.retain(|f| f.path.exists());
        } else if files.is_empty() {
            return Err(Error::new(ErrorKind::Io, "no file matches the path")
                .with("path", location)
                .advise("check `folder` and `path`; where no file is no mistake, say `files_may_be_missing = true`"));
        }
        let mut stamps = Vec::with_capacity(files.len());
        let mut hash = Xxh3::new();
        let mut n_bytes = 0;
        for found in &files {
            let stamp = look_at(found, &mut hash)
                .map_err(|e| error::doing("the file cannot be read", e).with("file", location.shown(&found.name)))?;
            n_bytes += stamp.len;
            stamps.push(stamp);
        }
        let identity = format!("{} files, {n_bytes} bytes, {:032x}", files.len(), hash.digest128());
        Ok(Self { location: location.clone(), files, stamps, identity })
    }

    /// Whether the path stands for the same files in the same state still.
    pub(crate) fn is_unchanged(&self) -> bool {
        let now = self.location.find().unwrap_or_default();
        let now = now.into_iter().filter_map(|f| fs::metadata(&f.path).ok().map(|m| (f, Stamp::of(&m))));
        now.eq(self.files.iter().cloned().zip(self.stamps.iter().copied()))
    }

    /// The files, in the order they are read.
    pub(crate) fn files(&self) -> &[Found] {
        &self.files
    }

    /// A file's name, as the settings would say it.
    pub(crate) fn shown(&self, found: &Found) -> String {
        self.location.shown(&found.name)
    }

    /// What names the state.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let nanos = |d: std::time::Duration| i128::try_from(d.as_nanos()).unwrap_or(i128::MAX);
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let modified = modified.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|e| -nanos(e.duration()), nanos);
        Self { len: metadata.len(), modified, inode: inode(metadata) }
    }
}

#[cfg(unix)]
pub(crate) fn inode(metadata: &Metadata) -> [u64; 4] {
    use std::os::unix::fs::MetadataExt as _;
    [metadata.dev(), metadata.ino(), metadata.ctime().cast_unsigned(), metadata.ctime_nsec().cast_unsigned()]
}

#[cfg(not(unix))]
pub(crate) fn inode(_: &Metadata) -> [u64; 4] {
    [0; 4]
}

/// Adds a file's name, length, time of change and both ends to `hash`.
fn look_at(found: &Found, hash: &mut Xxh3) -> io::Result<Stamp> {
    if fs::metadata(&found.path)?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut file = File::open(&found.path)?;
    let stamp = Stamp::of(&file.metadata()?);
    hash.update(found.name.as_bytes());
    hash.update(&[0]);
    hash.update(&stamp.len.to_le_bytes());
    hash.update(&stamp.modified.to_le_bytes());
    let mut end = Vec::with_capacity(END);
    (&mut file).take(END as u64).read_to_end(&mut end)?;
    hash.update(&end);
    if stamp.len > END as u64 {
        end.clear();
        file.seek(SeekFrom::Start((stamp.len - END as u64).max(END as u64)))?;
        file.take(END as u64).read_to_end(&mut end)?;
        hash.update(&end);
    }
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        let cases = [
            ("*.json", "a.json", true),
            ("*.json", ".json", true),
            ("*.json", "a.jsonl", false),
            ("订单-????.csv", "订单-0801.csv", true),
            ("订单-????.csv", "订单-801.csv", false),
            ("a*b*c", "aXbbYc", true),
            ("a*b*c", "aXc", false),
            ("*", "", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/2.json", "a/1.json", "b/10.json", "a/.hidden.json", "a/x.csv"] {
            let path = dir.path().join("in").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "[]").unwrap();
        }
        let location = Location::new(dir.path(), "in", "*/*.json");
        let set = FileSet::look(&location, false).unwrap();
        let names: Vec<_> = set.files().iter().map(|f| set.shown(f)).collect();
        assert_eq!(names, ["in/a/1.json", "in/b/10.json", "in/b/2.json"]);
        assert!(set.is_unchanged());
        fs::write(dir.path().join("in/a/1.json"), "[ ]").unwrap();
        assert!(!set.is_unchanged());
        let changed = FileSet::look(&location, false).unwrap();
        assert_ne!(changed.identity(), set.identity());
        fs::write(dir.path().join("in/a/0.json"), "[]").unwrap();
        assert!(!changed.is_unchanged());
    }
}

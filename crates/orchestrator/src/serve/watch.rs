//! Which files an installation is made of, and whether they have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::{FILE, Installation, SecretSource, TableFrom};

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// The file itself, where the system tells: one that was put in its place is another one.
    inode: u64,
}

/// What all files look like; `None` is one that is not there.
pub(crate) type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// What a file looks like now, if it is there.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp { modified: metadata.modified().ok(), len: metadata.len(), inode: inode(&metadata) })
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

/// The files that an installation says of itself that it is made of; its flows are found in their folder.
pub(crate) fn named_files(installation: &Installation) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::from([installation.dir.join(FILE)]);
    files.extend(installation.included.iter().cloned());
    for flow in &installation.flows {
        files.extend(flow.tables.iter().filter_map(|table| match &table.from {
            TableFrom::File(path) => Some(installation.dir.join(path)),
            TableFrom::Values(_) | TableFrom::Flow(_) => None,
        }));
    }
    for account in &installation.accounts {
        files.extend(account.secrets.iter().filter_map(|reference| match &reference.source {
            SecretSource::File(path) => Some(installation.dir.join(path)),
            _ => None,
        }));
    }
    files
}

/// What these files and all of the folder of flows look like now.
pub(crate) fn look(dir: &Path, named: &BTreeSet<PathBuf>) -> Stamps {
    let mut stamps: Stamps = named.iter().map(|path| (path.clone(), stamp(path))).collect();
    let flows = std::fs::read_dir(dir.join("flows")).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_flow = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    stamps.extend(flows.filter(is_flow).map(|path| {
        let stamp = stamp(&path);
        (path, stamp)
    }));
    stamps
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change<'a> = &'a dyn Fn();

    #[test]
    fn every_change_of_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("flows")).unwrap();
        std::fs::write(path("flows/a.toml"), "x").unwrap();
        let named = BTreeSet::from([path(FILE), path("codes.csv")]);
        let mut last = look(folder.path(), &named);
        assert_eq!(look(folder.path(), &named), last);
        let changes: [(&str, Change<'_>); 5] = [
            ("a file that is new", &|| std::fs::write(path("codes.csv"), "a").unwrap()),
            ("one that is longer", &|| std::fs::write(path("flows/a.toml"), "xy").unwrap()),
            ("one that was put in its place", &|| {
                std::fs::write(path("flows/.a.new"), "xz").unwrap();
                std::fs::rename(path("flows/.a.new"), path("flows/a.toml")).unwrap();
            }),
            ("a further flow", &|| std::fs::write(path("flows/b.toml"), "").unwrap()),
            ("one that is gone", &|| std::fs::remove_file(path("flows/a.toml")).unwrap()),
        ];
        for (what, change) in changes {
            change();
            let now = look(folder.path(), &named);
            assert_ne!(now, last, "{what}");
            last = now;
        }
    }
}

//! A backup as one file: a tar archive, compressed with zstd.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use milkrun_core::{Error, ErrorKind, Result};

use super::manifest::{self, Manifest};

/// Pages are compressed already; what is left is mostly the ledger.
const LEVEL: i32 = 3;

/// Whether a path names an archive rather than a folder.
pub(crate) fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    [".tar.zst", ".tzst"].iter().any(|end| name.ends_with(end))
}

/// Packs the files of a backup, the manifest first.
pub(crate) fn pack(folder: &Path, manifest: &Manifest, to: &Path, mut tell: impl FnMut(u64)) -> Result<()> {
    let at = |e: std::io::Error| Error::from(e).with("file", to.display());
    let file = File::create(to).map_err(at)?;
    let compressed = zstd::Encoder::new(BufWriter::new(file), LEVEL).map_err(at)?;
    let mut archive = tar::Builder::new(compressed);
    let files = manifest.files.iter().map(|file| (file.path.as_str(), file.bytes));
    for (name, bytes) in std::iter::once((manifest::NAME, 0)).chain(files) {
        archive.append_path_with_name(folder.join(name), name).map_err(at)?;
        tell(bytes);
    }
    let mut file = archive.into_inner().and_then(zstd::Encoder::finish).map_err(at)?;
    file.flush().and_then(|()| file.get_ref().sync_all()).map_err(at)
}

/// Unpacks an archive into `folder`; only plain files below it.
pub(crate) fn unpack(from: &Path, folder: &Path, mut tell: impl FnMut(u64)) -> Result<()> {
    let damaged = |e: std::io::Error| {
        Error::new(ErrorKind::State, "the backup is no archive, or it is damaged")
            .with("file", from.display())
            .advise("name the file or the folder that `milkrun backup` made")
            .caused_by(e)
    };
    let file = File::open(from).map_err(|e| Error::from(e).with("file", from.display()))?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(BufReader::new(file)).map_err(damaged)?);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.to_string_lossy().into_owned();
        if !entry.header().entry_type().is_file() || !manifest::is_inside(&name) {
            let error = Error::new(ErrorKind::State, "the archive holds what no backup has");
            return Err(error.with("file", from.display()).with("path", name));
        }
        let to = folder.join(&name);
        let at = |e: std::io::Error| Error::from(e).with("file", to.display());
        if let Some(above) = to.parent() {
            std::fs::create_dir_all(above).map_err(at)?;
        }
        let mut into = File::create(&to).map_err(at)?;
        let bytes = std::io::copy(&mut entry, &mut into).map_err(damaged)?;
        tell(bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_leads_out_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evil.tar.zst");
        let mut archive = tar::Builder::new(zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        let name = b"../evil";
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_cksum();
        archive.append(&header, &b"x"[..]).unwrap();
        archive.into_inner().unwrap().finish().unwrap();
        let into = folder.path().join("in");
        let error = unpack(&path, &into, |_| ()).unwrap_err();
        assert_eq!(error.message(), "the archive holds what no backup has");
        assert!(!folder.path().join("evil").exists());
        std::fs::write(&path, "not an archive").unwrap();
        assert!(unpack(&path, &into, |_| ()).unwrap_err().message().contains("no archive"));
    }

    #[test]
    fn archives_are_known_by_their_ending() {
        for (name, is) in [("b.tar.zst", true), ("B.TZST", true), ("b", false), ("b.zip", false), ("", false)] {
            assert_eq!(is_archive(Path::new(name)), is, "{name}");
        }
    }
}

//! A log file that is put aside when it has grown: `x.jsonl`, then `x.jsonl.1`, and so on up to the oldest that is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that lines are appended to; several processes may share it.
#[derive(Debug)]
pub(super) struct Rotating {
    path: PathBuf,
    size: u64,
    keep: u32,
    file: File,
    /// The length, as far as this process knows.
    len: u64,
}

impl Rotating {
    /// Opens the file, whose folder is made if it is missing.
    pub(super) fn open(path: &Path, size: u64, keep: u32) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let len = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), size, keep, file, len })
    }

    /// Writes one line, after a file that is full has been put aside. A line is never split over two files.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.len > 0 && self.len + text.len() as u64 > self.size {
            self.turn()?;
        }
        // One write for each line, so that two processes can share the file.
        self.file.write_all(text.as_bytes())?;
        self.len += text.len() as u64;
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        // Another process may have written to it, or put it aside already.
        let there = fs::metadata(&self.path).map_or(0, |m| m.len());
        if there >= self.len {
            for n in (1..self.keep).rev() {
                put_aside(&self.aside(n), &self.aside(n + 1))?;
            }
            put_aside(&self.path, &self.aside(1))?;
        }
        self.file = append(&self.path)?;
        self.len = self.file.metadata()?.len();
        Ok(())
    }

    fn aside(&self, n: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{n}"));
        name.into()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Renames a file over another, if it is there.
fn put_aside(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/x.jsonl");
        let mut log = Rotating::open(&path, 10, 2).unwrap();
        for n in 1..=7 {
            log.line(&format!("{n}234\n")).unwrap();
        }
        let aside = |n: u32| folder.path().join(format!("logs/x.jsonl.{n}"));
        assert_eq!((read(&path).as_str(), read(&aside(1)).as_str()), ("7234\n", "5234\n6234\n"));
        assert_eq!(read(&aside(2)), "3234\n4234\n");
        assert!(!aside(3).exists(), "only two are kept");
        // A line that is longer than a file is written all the same.
        log.line("a line that is too long\n").unwrap();
        assert_eq!(read(&path), "a line that is too long\n");
    }

    #[test]
    fn a_file_that_another_process_has_put_aside_is_not_put_aside_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let (mut a, mut b) = (Rotating::open(&path, 8, 3).unwrap(), Rotating::open(&path, 8, 3).unwrap());
        b.line("b234567\n").unwrap();
        a.line("a2\n").unwrap();
        a.len = 11;
        a.line("a3\n").unwrap();
        b.line("b3\n").unwrap();
        assert_eq!(read(&path), "a3\nb3\n");
        assert!(!folder.path().join("x.2").exists());
    }
}

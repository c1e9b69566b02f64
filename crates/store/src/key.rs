//! The master key: 32 bytes that seal every token and secret of the installation.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use milkrun_core::{Error, ErrorKind, Result, Secret};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::worker::random;

/// The key that seals tokens and secrets. It is wiped when dropped and never shows itself.
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; 32],
    id: String,
}

impl MasterKey {
    /// Reads 32 bytes written as base64 (either alphabet, with or without `=`) or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if it is something else. The text is not repeated.
    pub fn from_text(text: &str) -> Result<Self> {
        let text = text.trim();
        let decoded = if text.len() == 64 {
            hex(text)
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
        };
        let decoded = Zeroizing::new(decoded.unwrap_or_default());
        match <[u8; 32]>::try_from(decoded.as_slice()) {
            Ok(bytes) => Ok(Self::from_bytes(bytes)),
            Err(_) => Err(Error::config("the master key is not 32 bytes in base64 or hexadecimal digits")
                .advise("`milkrun init` makes a key; `head -c 32 /dev/urandom | base64` does too")),
        }
    }

    /// Reads a key file, which nobody but its owner may read.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if it is missing, if others may read it, or if it holds no key.
    pub fn from_file(path: &Path) -> Result<Self> {
        let read = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = read.map_err(|e| {
            let missing = e.kind() == io::ErrorKind::NotFound;
            let message = if missing { "there is no key file" } else { "the key file cannot be read" };
            Error::config(message)
                .with("file", path.display())
                .advise("`milkrun init` makes one; without the old one, what was sealed with it cannot be opened")
                .caused_by(e)
        })?;
        refuse_open_mode(path)?;
        Self::from_text(&text).map_err(|e| e.with("file", path.display()))
    }

    /// Makes a new key and writes it to a new file that only its owner may read.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if the file is already there: it is never overwritten.
    pub fn create_file(path: &Path) -> Result<Self> {
        let key = Self::from_bytes(random()?);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => Error::config("there is a key file already, and it is never overwritten")
                .advise("keep using it: without it, what was sealed with it cannot be opened")
                .with("file", path.display()),
            _ => Error::from(e).with("file", path.display()),
        })?;
        let text = Zeroizing::new(STANDARD.encode(key.bytes) + "\n");
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|e| Error::from(e).with("file", path.display()))?;
        Ok(key)
    }

    /// Makes a new key, as text that [`MasterKey::from_text`] reads.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system gives no random numbers.
    pub fn generate() -> Result<Secret> {
        let key = Self::from_bytes(random()?);
        Ok(Secret::new(STANDARD.encode(key.bytes)))
    }

    /// A short name of the key, which tells nothing about it: part of its SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    fn from_bytes(bytes: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"milkrun master key").chain_update(bytes).finalize();
        let id = digest.first_chunk().map_or_else(String::new, |first| format!("{:08x}", u32::from_be_bytes(*first)));
        Self { bytes, id }
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let byte = |pair: &[u8; 2]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    text.as_bytes().as_chunks().0.iter().map(byte).collect()
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ConfigInvalid,
        format!("others may read or change the key file (its mode is {mode:04o})"),
    )
    .with("file", path.display())
    .advise(format!("chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn refuse_open_mode(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_base64_and_hexadecimal() {
        let hex = "00".repeat(31) + "fF";
        let base64 = STANDARD.encode([vec![0; 31], vec![255]].concat());
        for text in
            [hex.as_str(), &base64, base64.trim_end_matches('='), &base64.replace('/', "_"), &format!(" {hex}\n")]
        {
            assert_eq!(MasterKey::from_text(text).unwrap().bytes[31], 255, "{text}");
        }
        for text in ["", "secret", &hex[1..], &"g".repeat(64), &"é".repeat(32), &STANDARD.encode([0; 33])] {
            let error = MasterKey::from_text(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(text.is_empty() || !format!("{error:?}").contains(text));
        }
    }

    #[test]
    fn a_generated_key_is_read_again_and_no_other() {
        let (a, b) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
        let read = |text: &Secret| MasterKey::from_text(text.expose()).unwrap().id().to_owned();
        assert_ne!(read(&a), read(&b));
    }

    #[test]
    fn a_key_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(MasterKey::from_file(&path).unwrap_err().message(), "there is no key file");
        let made = MasterKey::create_file(&path).unwrap();
        assert_eq!(MasterKey::from_file(&path).unwrap().bytes, made.bytes);
        let before = std::fs::read(&path).unwrap();
        assert_eq!(MasterKey::create_file(&path).unwrap_err().kind(), ErrorKind::ConfigInvalid);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        MasterKey::create_file(&path).unwrap();
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o644, 0o640, 0o602] {
            set(mode);
            let error = MasterKey::from_file(&path).unwrap_err();
            assert!(error.message().contains(&format!("{mode:04o}")), "{error}");
            assert_eq!(error.help(), Some(format!("chmod 600 {}", path.display()).as_str()));
        }
        set(0o400);
        MasterKey::from_file(&path).unwrap();
    }

    #[test]
    fn shows_only_its_id() {
        let key = MasterKey::from_text(&"11".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
        assert_eq!(key.id().len(), 8);
    }
}

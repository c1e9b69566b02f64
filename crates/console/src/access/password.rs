//! Passwords: only their argon2id hashes are known, and checking costs the same whoever asks.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use milkrun_core::{Error, ErrorKind, Result, Secret};
use tokio::sync::Semaphore;

use super::{Access, hex, random, sha256};

/// Passwords that are checked at a time: each takes 19 MiB and a core for a moment.
const AT_ONCE: usize = 2;

/// The argon2id hash of a password, as `milkrun console password` prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password.
    ///
    /// # Errors
    /// If it is longer than argon2 takes.
    pub fn of(password: &Secret) -> Result<Self> {
        let hash = hashed(&Argon2::default(), password.expose());
        let hash = hash.ok_or_else(|| Error::config("the password cannot be used").advise("choose a shorter one"))?;
        Ok(Self(hash.to_string()))
    }

    /// Takes the text that `milkrun console password` has printed.
    ///
    /// `None` if it is no argon2id hash that can be checked.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = Phc::new(text).ok()?;
        let is_usable = hash.algorithm.as_str() == "argon2id" && hash.salt.is_some() && hash.hash.is_some();
        let parameters = argon2::Params::try_from(&hash).is_ok();
        (is_usable && parameters).then(|| Self(text.to_owned()))
    }

    /// The hash as it is written in `milkrun.toml`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn fits(&self, password: &Secret) -> bool {
        let hash = Phc::new(&self.0).expect("it was parsed before");
        Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
    }

    /// Names the hash without telling it.
    pub(crate) fn fingerprint(&self) -> String {
        hex(&sha256(self.0.as_bytes()))
    }

    /// A hash that costs as much to check and fits nothing that anybody knows.
    fn decoy(&self) -> Option<Self> {
        let hash = Phc::new(&self.0).ok()?;
        let parameters = argon2::Params::try_from(&hash).ok()?;
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
        let hash = hashed(&argon2, &random())?;
        Some(Self(hash.to_string()))
    }
}

/// The hash of a password, with a salt of its own.
fn hashed(argon2: &Argon2<'_>, password: &str) -> Option<Phc> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system has random numbers");
    argon2.hash_password_with_salt(password.as_bytes(), &salt).ok()
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Checks passwords, a few at a time.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Semaphore,
    decoy: Option<Arc<PasswordHash>>,
}

impl Passwords {
    pub(crate) fn new(access: &Access) -> Self {
        let decoy = access.users().values().next().and_then(|user| user.password.decoy());
        Self { turns: Semaphore::new(AT_ONCE), decoy: decoy.map(Arc::new) }
    }

    /// Whether this is the password of the user; for nobody's name it takes as long, and is not.
    ///
    /// # Errors
    /// If the process is ending.
    pub(crate) async fn check(&self, hash: Option<&PasswordHash>, password: Secret) -> Result<bool> {
        let is_known = hash.is_some();
        let Some(hash) = hash.cloned().map(Arc::new).or_else(|| self.decoy.clone()) else { return Ok(false) };
        let ending = |_| Error::new(ErrorKind::Interrupted, "the console is ending");
        let _turn = self.turns.acquire().await.map_err(|e| ending(e.to_string()))?;
        let fits = tokio::task::spawn_blocking(move || hash.fits(&password)).await;
        Ok(fits.map_err(|e| ending(e.to_string()))? && is_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `correct horse`, hashed with as little work as argon2 allows.
    const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$";

    #[test]
    fn a_hash_fits_its_password_only() {
        let cheap = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            argon2::Params::new(8, 1, 1, None).unwrap(),
        );
        let text = hashed(&cheap, "correct horse").unwrap().to_string();
        let hash = PasswordHash::parse(&text).unwrap();
        assert!(hash.fits(&Secret::new("correct horse")) && !hash.fits(&Secret::new("correct horsf")));
        assert_eq!(format!("{hash:?}"), "***");
        let decoy = hash.decoy().unwrap();
        assert!(!decoy.fits(&Secret::new("correct horse")));
        assert_eq!(decoy.0.split('$').nth(3), text.split('$').nth(3), "the decoy costs as much");
        for text in ["", "secret", CHEAP, "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo", "$2b$10$abc"] {
            assert_eq!(PasswordHash::parse(text), None, "{text}");
        }
    }
}

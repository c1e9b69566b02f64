//! The system's keyring as a place for the vault's key: Keychain, Credential Manager, or the Secret Service.
//!
//! It is a feature of its own: a server has no desktop, and whoever does not want it need not build it.

use std::path::Path;

use milkrun_core::{Error, Result, Secret};

use crate::text::{self, Lang, fill};

/// The name that `milkrun init` gives the key of an installation: it is the folder's.
pub(crate) fn usual_name(dir: &Path) -> String {
    let real = std::fs::canonicalize(dir).or_else(|_| std::path::absolute(dir)).unwrap_or_else(|_| dir.to_owned());
    match real.file_name() {
        Some(name) => format!("milkrun-{}", name.to_string_lossy()),
        None => "milkrun".to_owned(),
    }
}

/// The key of that name.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if there is none, if there is no keyring, or if
/// this program was built without it.
pub(crate) async fn load(lang: Lang, name: &str) -> Result<Secret> {
    let found = own::find(lang, name).await?;
    found.ok_or_else(|| {
        let message = fill!(lang, text::KEYRING_LACKS_KEY, name = name);
        Error::config(message).advise(lang.say(text::KEYRING_LACKS_KEY_HELP))
    })
}

/// Makes a key of that name, if there is none; says whether it did.
///
/// # Errors
/// As [`load`], but for a key that is missing; also if the one that is there is no key.
pub(crate) async fn make(lang: Lang, name: &str) -> Result<bool> {
    if let Some(there) = own::find(lang, name).await? {
        milkrun_store::MasterKey::from_text(there.expose())?;
        return Ok(false);
    }
    own::keep(lang, name, &milkrun_store::MasterKey::generate()?).await?;
    Ok(true)
}

/// There is a keyring, or there should be, and it does not answer.
#[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "only a keyring can be unusable"))]
fn unusable(lang: Lang) -> Error {
    Error::config(lang.say(text::KEYRING_UNUSABLE)).advise(lang.say(text::KEYRING_UNUSABLE_HELP))
}

#[cfg(not(feature = "keyring"))]
mod own {
    //! Without the feature, every question is answered by how to get it.

    use milkrun_core::{Error, Result, Secret};

    use crate::text::{self, Lang};

    fn not_built(lang: Lang) -> Error {
        Error::config(lang.say(text::KEYRING_NOT_BUILT)).advise(lang.say(text::KEYRING_NOT_BUILT_HELP))
    }

    #[expect(clippy::unused_async, reason = "with the feature, the keyring is waited for")]
    pub(super) async fn find(lang: Lang, _: &str) -> Result<Option<Secret>> {
        Err(not_built(lang))
    }

    #[expect(clippy::unused_async, reason = "with the feature, the keyring is waited for")]
    pub(super) async fn keep(lang: Lang, _: &str, _: &Secret) -> Result<()> {
        Err(not_built(lang))
    }
}

#[cfg(feature = "keyring")]
mod own {
    //! The keyring of this system, or the one that a test has set.

    use keyring_core::{Entry, Error as KeyringError};
    use milkrun_core::{Result, Secret};

    use super::unusable;
    use crate::text::Lang;

    /// Whose keys these are.
    const SERVICE: &str = "milkrun";

    pub(super) async fn find(lang: Lang, name: &str) -> Result<Option<Secret>> {
        ask(lang, name, |entry| match entry.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn keep(lang: Lang, name: &str, key: &Secret) -> Result<()> {
        let key = key.clone();
        ask(lang, name, move |entry| entry.set_password(key.expose())).await
    }

    /// Asks the keyring on a thread of its own: it may wait for a person to unlock it.
    async fn ask<T: Send + 'static>(
        lang: Lang,
        name: &str,
        question: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T> {
        let name = name.to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            if keyring_core::get_default_store().is_none() {
                // The first entry chooses the keyring of this system.
                keyring::Entry::new(SERVICE, &name)?;
            }
            question(&Entry::new(SERVICE, &name)?)
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            // What is stored may be part of an error of its form: it is not repeated.
            Ok(Err(KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..))) => Err(unusable(lang)),
            Ok(Err(error)) => Err(unusable(lang).caused_by(error)),
            Err(error) => Err(unusable(lang).caused_by(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_called_after_the_folder() {
        let folder = tempfile::Builder::new().prefix("采购 ").tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(usual_name(folder.path()), format!("milkrun-{name}"));
        assert_eq!(usual_name(Path::new("/")), "milkrun");
    }

    #[cfg(not(feature = "keyring"))]
    #[tokio::test]
    async fn without_the_feature_it_says_how_to_get_it() {
        for error in [load(Lang::En, "x").await.unwrap_err(), make(Lang::En, "x").await.unwrap_err()] {
            assert_eq!(error.kind(), milkrun_core::ErrorKind::ConfigInvalid);
            assert!(error.help().is_some_and(|help| help.contains("--features keyring")), "{error}");
        }
    }

    #[cfg(feature = "keyring")]
    #[tokio::test]
    async fn a_key_is_made_once_and_found_again() {
        keyring_core::set_default_store(keyring_core::mock::Store::new().unwrap());
        let missing = load(Lang::En, "x").await.unwrap_err();
        assert_eq!(missing.message(), "the system's keyring has no key called `x`");
        assert!(make(Lang::En, "x").await.unwrap());
        let key = load(Lang::En, "x").await.unwrap();
        milkrun_store::MasterKey::from_text(key.expose()).unwrap();
        assert!(!make(Lang::En, "x").await.unwrap(), "a key that is there is never replaced");
        assert_eq!(load(Lang::En, "x").await.unwrap(), key);
        // A locked keyring, or none.
        let entry = keyring_core::Entry::new("milkrun", "x").unwrap();
        let mock: &keyring_core::mock::Cred = entry.as_any().downcast_ref().unwrap();
        mock.set_error(keyring_core::Error::NoStorageAccess("locked".into()));
        let error = load(Lang::En, "x").await.unwrap_err();
        assert_eq!(error.message(), "the system's keyring cannot be used");
        assert!(error.help().is_some_and(|help| help.contains("unlock")), "{error}");
    }
}

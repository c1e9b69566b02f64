//! Which keys are known, to the gateway and to the back end, section 6 of the page.

use std::collections::HashMap;

use super::settings::Settings;
use super::token::millis;
use crate::tree::Tree;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing, or nothing any more.
    New,
    /// Its first call still runs.
    Running,
    /// The gateway still has the first answer.
    Cached(Tree),
    /// The back end knows the document's id.
    Duplicate(i64),
}

/// What a successful call made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: i64,
    /// The complete object of the answer; `None` if the gateway did not see it.
    pub(crate) data: Option<Tree>,
}

#[derive(Debug)]
struct Entry {
    /// When the call ends for its caller.
    ends_ms: i64,
    /// What it made; `None` if it failed.
    made: Option<Made>,
}

/// All keys, each within its interface.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    entries: HashMap<String, HashMap<String, Entry>>,
}

impl Keys {
    /// What is known of a key at `now_ms`.
    pub(crate) fn look(&self, settings: &Settings, path: &str, key: &str, now_ms: i64) -> Known {
        let Some(entry) = self.entries.get(path).and_then(|keys| keys.get(key)) else { return Known::New };
        if now_ms < entry.ends_ms {
            return Known::Running;
        }
        let age = now_ms - entry.ends_ms;
        match &entry.made {
            // Failures are not kept.
            None => Known::New,
            Some(_) if age >= millis(settings.key_life) => Known::New,
            Some(Made { data: Some(data), .. }) if age < millis(settings.cache_life) => Known::Cached(data.clone()),
            Some(made) => Known::Duplicate(made.id),
        }
    }

    /// Notes a call that ends at `ends_ms`.
    pub(crate) fn note(&mut self, path: &str, key: &str, ends_ms: i64, made: Option<Made>) {
        if !self.entries.contains_key(path) {
            self.entries.insert(path.to_owned(), HashMap::new());
        }
        if let Some(keys) = self.entries.get_mut(path) {
            keys.insert(key.to_owned(), Entry { ends_ms, made });
        }
    }
}

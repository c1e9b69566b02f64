//! Settings by which a user declares a further stream of a vendor: the parts that connectors have in common.
//!
//! [`Title`], [`PageSize`](crate::stream::PageSize), [`Partition`] and
//! [`FieldSpec`](crate::FieldSpec) can be read from settings as they are.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::did_you_mean;
use crate::error::{Error, Result};
use crate::stream::{LatePass, Partition, Proof, Title, Unit, UnitKind, WindowSpec};

/// How a reading is proved complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// Last page first, against the total: for windows over the time of the last change.
    Backwards,
    /// Two readings with the same keys.
    #[default]
    ReadTwice,
}

impl Plan {
    /// The plan with what it rests on; without a window nothing but two readings proves anything.
    pub fn proof(self, window: Option<&WindowSpec>) -> Proof {
        match (self, window) {
            (Self::Backwards, Some(window)) => Proof::Backwards {
                assumes: format!(
                    "no record enters a window that ended {} s ago: every change sets `{}` to its own time",
                    window.settle.as_secs(),
                    window.axis
                ),
            },
            _ => Proof::ReadTwice,
        }
    }
}

/// A slower pass over older times, for fields that are filled in late.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// What the vendor calls the time that this pass is over.
    pub axis: String,
    /// How often it runs, from 1.
    pub every_hours: u32,
    /// How far it reaches back, from 1.
    pub reach_hours: u32,
}

impl Late {
    /// Whether it would do anything.
    pub fn is_sound(&self) -> bool {
        self.every_hours > 0 && self.reach_hours > 0
    }
}

impl From<&Late> for LatePass {
    fn from(late: &Late) -> Self {
        Self { axis: late.axis.clone(), every: hours(late.every_hours), reach: hours(late.reach_hours) }
    }
}

/// So many hours.
pub fn hours(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 3600)
}

/// The paths of fields with a unit; `a[*].b` means the field in each element.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitPaths {
    /// Hundredths of a yuan.
    #[serde(default)]
    pub fen: Vec<String>,
    /// Yuan.
    #[serde(default)]
    pub yuan: Vec<String>,
    /// Milliseconds since 1970; 946656000000 means none.
    #[serde(default)]
    pub epoch_ms: Vec<String>,
}

impl UnitPaths {
    /// One entry for each path.
    pub fn units(&self) -> Vec<Unit> {
        let kinds = [(&self.fen, UnitKind::Fen), (&self.yuan, UnitKind::Yuan), (&self.epoch_ms, UnitKind::EpochMs)];
        let unit = |(paths, unit): (&Vec<String>, UnitKind)| {
            paths.iter().map(move |path| Unit { path: path.clone(), unit }).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(unit).collect()
    }
}

/// The title, or the name in its stead.
pub fn title_or_name(title: Option<&Title>, name: &str) -> Title {
    title.cloned().unwrap_or_else(|| Title::new(name, name))
}

/// Refuses a stream's or target's name that is not lower-case words joined by `-`.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid).
pub fn check_name(name: &str) -> Result<()> {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if name.split('-').all(word) {
        return Ok(());
    }
    Err(Error::config("`name` has to be lower-case words joined by `-`").with("name", name))
}

/// Refuses a parent that is the stream itself or no stream of the account.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) with the nearest name.
pub fn check_partition(partition: &Partition, stream: &str, known: &[&str]) -> Result<()> {
    if partition.stream != stream && known.contains(&partition.stream.as_str()) {
        return Ok(());
    }
    let help = did_you_mean(&partition.stream, known);
    let error = Error::config(format!("`partition.stream` is `{}`, which is no other stream", partition.stream));
    Err(error.with("stream", stream).advise(help))
}

/// Refuses a name that is declared twice or is one of the connector's own.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) names it.
pub fn check_taken<'a>(setting: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::config(format!("`{setting}` declares a name that is taken")).with("stream", name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["orders", "sales-out", "a1-b2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Orders", "a_b", "a--b", "-a", "单据"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_taken("streams", ["a", "b"]).is_ok());
        assert_eq!(check_taken("streams", ["a", "b", "a"]).unwrap_err().fact("stream"), Some("a"));
    }
}

//! What a sink accepts: targets as data, deliveries and their receipts.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::record::Key;
use crate::stream::Title;

/// One kind of document a sink accepts, described as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetSpec {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese.
    pub title: Title,
    /// The vendor's method or path.
    pub endpoint: String,
    /// How the target keeps one document from arriving twice.
    pub idempotency: Idempotency,
    /// Whether it takes new documents only: a record that changes after its delivery is refused.
    pub only_new: bool,
    /// The most documents one call may carry.
    pub batch: u32,
    /// What is asked of fields; a document that falls short is refused before it is sent.
    pub fields: Vec<FieldSpec>,
    /// Known traps, for the documentation, in English and in Chinese.
    pub notes: Vec<Title>,
}

/// What a target asks of one field of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// Where it is: names joined by `.`, and `[*]` for every element of a list, such as `lines[*].qty`.
    pub path: String,
    /// What it is, in English and in Chinese.
    #[serde(default)]
    pub title: Title,
    /// What it holds.
    #[serde(default)]
    pub kind: FieldKind,
    /// Whether it has to be there and not be null or an empty text.
    #[serde(default)]
    pub required: bool,
    /// The most characters it may have; a Chinese one counts as one.
    #[serde(default)]
    pub max_chars: Option<u32>,
    /// The most decimals it may have; zeros at the end do not count.
    #[serde(default)]
    pub scale: Option<u32>,
    /// The only values it may have, as plain text; empty: any.
    #[serde(default)]
    pub one_of: Vec<String>,
}

/// What a field of a document holds. Numbers may be JSON numbers or their text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// Anything.
    #[default]
    Any,
    /// A text; numbers are taken too.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// `2026-08-01`, alone or at the start of a date and time.
    Date,
    /// `2026-08-01 00:00:00`.
    DateTime,
    /// A list.
    List,
    /// An object.
    Object,
}

impl FieldSpec {
    /// A field that may be left out.
    pub fn new(path: &str, kind: FieldKind, title: Title) -> Self {
        let path = path.to_owned();
        Self { path, title, kind, required: false, max_chars: None, scale: None, one_of: Vec::new() }
    }

    /// The same, and it has to be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same with at most so many characters.
    #[must_use]
    pub fn max_chars(mut self, most: u32) -> Self {
        self.max_chars = Some(most);
        self
    }

    /// The same with at most so many decimals.
    #[must_use]
    pub fn scale(mut self, most: u32) -> Self {
        self.scale = Some(most);
        self
    }

    /// The same with these values only.
    #[must_use]
    pub fn one_of(mut self, values: &[&str]) -> Self {
        self.one_of = values.iter().map(|&value| value.to_owned()).collect();
        self
    }
}

/// How a target keeps one document from arriving twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Idempotency {
    /// A key made by the caller; the same key again gives the first result.
    Key {
        /// The field that carries it.
        field: String,
        /// Its greatest length in characters.
        max_len: u32,
        /// How long the target remembers it; `None` for ever.
        remembered_for: Option<Duration>,
        /// Whether the target can be asked for the document once it may have forgotten the key.
        look_up: bool,
    },
    /// A field that the target checks for uniqueness: a second document is refused.
    Unique {
        /// The field.
        field: String,
        /// Whether the first one can be looked up. If not, what may have arrived is sent again, and the refusal of it
        /// says that it is there.
        look_up: bool,
    },
    /// The same key again changes nothing: the target keeps the first document, and says that all went well.
    Skip {
        /// The field that is the key.
        field: String,
    },
    /// The same key again replaces the document.
    Upsert {
        /// The field that is the key.
        field: String,
    },
    /// A local medium whose length is part of the checkpoint: what lies beyond it is cut on restart.
    CommittedLength,
    /// Nothing: an outcome that stays unknown is never sent again, and is reported.
    None,
}

impl Idempotency {
    /// What is promised, in one English sentence, for the documentation and the run's report.
    pub fn promise(&self) -> &'static str {
        match self {
            Self::Key { remembered_for: None, .. } => "exactly once: a repeated key gives the first result",
            Self::Key { look_up: true, .. } => {
                "exactly once: a repeated key gives the first result; once it may be forgotten, an unknown outcome is \
                 looked up"
            }
            Self::Key { look_up: false, .. } => {
                "exactly once while the key is remembered; after that, unknown outcomes become dead letters, to be \
                 checked by hand"
            }
            Self::Unique { look_up: true, .. } => {
                "exactly once: an unknown outcome is looked up, and the target refuses a second document"
            }
            Self::Unique { look_up: false, .. } => {
                "exactly once: an unknown outcome is sent again, and refused as a second document counts as delivered"
            }
            Self::Skip { .. } => "exactly once: an unknown outcome is sent again, and the target skips what it has",
            Self::Upsert { .. } => "exactly once in effect: a repetition replaces the same document",
            Self::CommittedLength => "exactly once: what was not committed is cut on restart",
            Self::None => {
                "at most once after an unknown outcome: such records become dead letters, to be checked by hand"
            }
        }
    }

    /// Whether a delivery whose outcome is unknown may simply be sent again.
    pub fn may_repeat(&self) -> bool {
        match self {
            Self::Key { .. } | Self::Unique { look_up: false, .. } | Self::Skip { .. } | Self::Upsert { .. } => true,
            Self::Unique { look_up: true, .. } | Self::CommittedLength | Self::None => false,
        }
    }

    /// Whether the target can be asked what became of a delivery that may not simply be sent again.
    pub fn can_be_asked(&self) -> bool {
        matches!(self, Self::Key { look_up: true, .. } | Self::Unique { look_up: true, .. })
    }

    /// Whether a delivery that was first sent so long ago may still be sent again without a question.
    ///
    /// A tenth of the time that the target remembers a key is kept as a margin; after it, the key may be as good as new
    /// to the target, and a second document would arise.
    pub fn may_repeat_after(&self, age: Duration) -> bool {
        match self {
            Self::Key { remembered_for: Some(lasts), .. } => age < *lasts / 10 * 9,
            other => other.may_repeat(),
        }
    }
}

/// One document on its way to a target.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The target's name.
    pub target: String,
    /// The natural key of the source record.
    pub key: Key,
    /// What is to happen at the target.
    pub operation: Operation,
    /// The key made for this operation: the same on every attempt, another one for another version.
    pub idempotency_key: String,
    /// The mapped document, a JSON object.
    pub document: String,
    /// How often it was sent before; at least 1 if it may have been sent by an earlier run.
    pub attempts: u32,
}

/// What is to happen at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The target does not have the document yet.
    Insert,
    /// The target has it under this id.
    Update {
        /// The target's own id, as it gave it.
        remote_id: String,
    },
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The target has it now.
    Done {
        /// The target's own id, if it gave one.
        remote_id: Option<String>,
    },
    /// The target had it already, from an earlier attempt.
    Same {
        /// The target's own id, if it gave one.
        remote_id: Option<String>,
    },
    /// The target has a document under this key that was not sent by this flow, as far as its ledger knows: which
    /// version it is, nobody here can say, so that it is to be updated.
    Exists {
        /// The target's own id.
        remote_id: String,
    },
    /// The target refuses this document for good.
    Refused {
        /// The target's words.
        reason: String,
    },
    /// It may or may not have arrived.
    Unknown {
        /// What happened instead of an answer.
        reason: String,
    },
}

impl Receipt {
    /// What became of `n` deliveries whose common call ended in an error: refused if the vendor said so of a single
    /// one, unknown if they may have arrived.
    ///
    /// # Errors
    /// The error itself if it says that none of them had an effect.
    pub fn of_failed_call(error: Error, n: usize) -> Result<Vec<Self>> {
        match error.kind() {
            ErrorKind::Refused if n == 1 => Ok(vec![Self::Refused { reason: error.to_string() }]),
            ErrorKind::OutcomeUnknown | ErrorKind::Malformed | ErrorKind::Unexpected => {
                Ok(vec![Self::Unknown { reason: error.to_string() }; n])
            }
            // A gateway that failed may have passed the call on; one that could not be reached has not.
            ErrorKind::Unavailable if error.fact("http_status").is_some() || error.fact("vendor_code").is_some() => {
                Ok(vec![Self::Unknown { reason: error.to_string() }; n])
            }
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_trusted_for_nine_tenths_of_its_life() {
        let day = Duration::from_hours(24);
        let key = |remembered_for| Idempotency::Key { field: "key".into(), max_len: 32, remembered_for, look_up: true };
        assert!(key(Some(30 * day)).may_repeat_after(26 * day));
        assert!(!key(Some(30 * day)).may_repeat_after(27 * day));
        assert!(key(None).may_repeat_after(9_999 * day));
        let unique = |look_up| Idempotency::Unique { field: "id".into(), look_up };
        assert!(!unique(true).may_repeat_after(Duration::ZERO), "it is asked about");
        assert!(unique(false).may_repeat_after(9_999 * day), "its refusal is the answer");
    }

    #[test]
    fn what_is_promised_is_what_is_done() {
        let field = || "no".to_owned();
        let key = |remembered_for, look_up| Idempotency::Key { field: field(), max_len: 32, remembered_for, look_up };
        let month = Some(Duration::from_hours(28 * 24));
        // Each with: whether it may be sent again, also after years, and whether the target can be asked.
        let kinds = [
            (key(None, false), [true, true, false]),
            (key(month, true), [true, false, true]),
            (key(month, false), [true, false, false]),
            (Idempotency::Unique { field: field(), look_up: true }, [false, false, true]),
            (Idempotency::Unique { field: field(), look_up: false }, [true, true, false]),
            (Idempotency::Skip { field: field() }, [true, true, false]),
            (Idempotency::Upsert { field: field() }, [true, true, false]),
            (Idempotency::CommittedLength, [false, false, false]),
            (Idempotency::None, [false, false, false]),
        ];
        let mut promises = std::collections::BTreeSet::new();
        for (kind, expected) in kinds {
            let does = [kind.may_repeat(), kind.may_repeat_after(Duration::MAX), kind.can_be_asked()];
            assert_eq!(does, expected, "{kind:?}");
            let promise = kind.promise();
            assert!(promises.insert(promise), "{promise}");
            assert_eq!(promise.contains("looked up"), kind.can_be_asked(), "{promise}");
            let by_hand = !does[1] && !does[2] && kind != Idempotency::CommittedLength;
            assert_eq!(promise.contains("by hand"), by_hand, "{promise}");
        }
    }

    #[test]
    fn only_what_certainly_had_no_effect_is_an_error() {
        let of = |error: Error, n| Receipt::of_failed_call(error, n).map(|receipts| receipts[0].clone());
        let error = |kind| Error::new(kind, "so it is");
        assert!(matches!(of(error(ErrorKind::Refused), 1), Ok(Receipt::Refused { .. })));
        assert!(of(error(ErrorKind::Refused), 2).is_err(), "which of them was refused is not known");
        for kind in [ErrorKind::OutcomeUnknown, ErrorKind::Malformed, ErrorKind::Unexpected] {
            assert!(matches!(of(error(kind), 2), Ok(Receipt::Unknown { .. })), "{kind}");
        }
        assert!(matches!(of(error(ErrorKind::Unavailable).with("http_status", 502), 1), Ok(Receipt::Unknown { .. })));
        for kind in [ErrorKind::Unavailable, ErrorKind::QuotaExceeded, ErrorKind::TokenDead, ErrorKind::Forbidden] {
            assert!(of(error(kind), 1).is_err(), "{kind}");
        }
    }
}

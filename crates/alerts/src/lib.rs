//! Tells people what went wrong in an installation, once, and when it is well again.
//!
//! The caller gathers [`Facts`] now and then and gives them to [`Alerts::look`], which applies the rules and keeps the
//! incidents; [`Alerts::deliver`] sends what is due to each channel. Both may be called as often as one likes.
//!
//! | module | answers |
//! | --- | --- |
//! | `facts` | what do the rules look at? |
//! | `rule`, `bound` | which rules are there, and how are their bounds written? |
//! | `finding`, `rhythm` | what is wrong now, and what silence is usual? |
//! | `incident` | when does an incident begin and end, and who has to be told? |
//! | `message`, `texts`, `words` | what is said, in which language? |
//! | `channel` | how does a message get to people? |
//! | `condition` | may a channel be used now, and how often did it fail? |
//! | `alerts`, `shelf` | what happens in which order, and what is kept? |
//! | `settings`, `quiet` | what does an installation want? |
//! | `edit` | how is that changed in the text of its file? |
//!
//! It knows the core only, and nothing of the vendors that documents come from or go to.

mod alerts;
mod bound;
mod channel;
mod condition;
mod edit;
mod facts;
mod finding;
mod incident;
mod message;
mod quiet;
mod rhythm;
mod rule;
mod settings;
mod shelf;
mod texts;
mod words;

pub use alerts::{Alerts, Delivered};
pub use bound::{Bound, BoundKind};
pub use channel::{Channel, ChannelKind, MailServer, Security};
pub use edit::{SettingsChange, edit};
pub use facts::{AccountFacts, DiskFacts, Facts, FlowFacts, QuotaFacts, Refused, RunFacts};
pub use finding::{About, Finding};
pub use incident::{Changes, Incident, Notice, Told};
pub use quiet::QuietHours;
pub use rhythm::Rhythm;
pub use rule::{RULES, Rule, RuleSpec, Rules, Setting};
pub use settings::{REMIND, Settings, ZONE};
pub use shelf::{forget_incidents, incidents};
pub use words::{Lang, Retell, Words};

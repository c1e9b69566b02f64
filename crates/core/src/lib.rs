//! The heart of Milkrun: what a connector states, and what the engine may rely on.
//!
//! It names no vendor, touches no database, and never reads the machine's clock or zone by itself.
//!
//! | module | holds |
//! | --- | --- |
//! | [`connector`](mod@connector) | [`Source`], [`Sink`], [`AppendSink`], and the registry |
//! | [`chinese`] | the Chinese of descriptions, as data beside the code |
//! | [`stream`], [`target`], [`declared`] | what a source offers and a sink accepts, as data |
//! | [`settings`] | checks of settings that connectors have in common |
//! | [`page`] | paging: where the next page starts, and when a page is the last |
//! | [`record`] | one object as the vendor sent it, and its natural key |
//! | [`quota`] | how many calls a vendor allows, and the limiter |
//! | [`token`] | the vault protocol: one renewal, durable before use |
//! | [`login`], [`push`] | access granted in a browser; messages that the vendor sends by itself |
//! | [`sign`] | signing by hand, for comparison with the vendor's debugger |
//! | [`transport`] | trace → body limit → retry → quota → sign → send → classify |
//! | [`state`] | what survives a crash, behind traits |
//! | [`notes`] | what those who operate an installation write down, behind a trait |

pub mod chinese;
pub mod clock;
pub mod connector;
pub mod context;
pub mod declared;
pub mod diagnostic;
pub mod error;
pub mod login;
pub mod notes;
pub mod page;
pub mod push;
pub mod quota;
pub mod record;
pub mod scan;
pub mod secret;
pub mod settings;
pub mod sign;
pub mod state;
pub mod stream;
pub mod target;
pub mod token;
pub mod transport;

pub use async_trait::async_trait;
pub use chinese::Catalogue;
pub use clock::{Clock, SystemClock};
pub use connector::{
    Account, AppendSink, Appender, ConnectorSpec, Existing, Opening, PageRequest, Sink, SinkKind, Source, connector,
    connectors,
};
pub use context::Context;
pub use error::{Error, ErrorKind, Result, Retry};
pub use inventory;
pub use jiff::Timestamp;
pub use login::Login;
pub use notes::Notes;
pub use page::{End, Page, Paging, Position};
pub use push::{PushMessage, PushReceiver, PushReply};
pub use quota::{Quota, QuotaSpec, Rate};
pub use record::{Key, Record, Rows};
pub use schemars;
pub use secret::Secret;
pub use sign::{SignRequest, Signed};
pub use stream::{Proof, Slice, StreamSpec, Window, WindowSpec};
pub use target::{Delivery, FieldKind, FieldSpec, Idempotency, Operation, Receipt, TargetSpec};

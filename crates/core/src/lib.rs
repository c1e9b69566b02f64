//! The heart of Milkrun: what a connector states, and what the engine may rely on.
//!
//! It names no vendor, touches no database, and never reads the machine's clock or zone by itself.
//!
//! | module | holds |
//! | --- | --- |
//! | [`connector`](mod@connector) | [`Source`], [`Sink`], [`AppendSink`], and the registry |
//! | [`stream`], [`target`] | what a source offers and a sink accepts, as data |
//! | [`page`] | paging: where the next page starts, and when a page is the last |
//! | [`record`] | one object as the vendor sent it, and its natural key |
//! | [`quota`] | how many calls a vendor allows, and the limiter |
//! | [`token`] | the vault protocol: one renewal, durable before use |
//! | [`transport`] | trace → body limit → retry → quota → sign → send → classify |
//! | [`state`] | what survives a crash, behind traits |

pub mod clock;
pub mod connector;
pub mod context;
pub mod diagnostic;
pub mod error;
pub mod page;
pub mod quota;
pub mod record;
pub mod secret;
pub mod state;
pub mod stream;
pub mod target;
pub mod token;
pub mod transport;

pub use async_trait::async_trait;
pub use clock::{Clock, SystemClock};
pub use connector::{
    Account, AppendSink, Appender, ConnectorSpec, Opening, PageRequest, Sink, SinkKind, Source, connector, connectors,
};
pub use context::Context;
pub use error::{Error, ErrorKind, Result, Retry};
pub use inventory;
pub use jiff::Timestamp;
pub use page::{End, Page, Paging, Position};
pub use quota::{Quota, QuotaSpec, Rate};
pub use record::{Key, Record, Rows};
pub use schemars;
pub use secret::Secret;
pub use stream::{Proof, Slice, StreamSpec, Window, WindowSpec};
pub use target::{Delivery, Idempotency, Operation, Receipt, TargetSpec};

//! What tests share: an in-memory store with crashes, a seeded world that drifts, and the conformance suite.

pub mod conformance;
pub mod dice;
pub mod http;
pub mod memory;
pub mod notes;
pub mod sinks;
pub mod store_contract;
pub mod world;

use milkrun_core::page::{End, Paging};
use milkrun_core::stream::{PageSize, Proof, Stamp, StreamSpec, TimeForm, Title, WindowSpec};

/// A stream like those of real vendors: page numbers over a window of modified times, with a total.
pub fn sample_stream() -> StreamSpec {
    StreamSpec {
        name: "orders".into(),
        title: Title::new("Orders", "订单"),
        endpoint: "orders.query".into(),
        key: vec!["id".into()],
        number: None,
        version: Some(Stamp { field: "modified".into(), form: TimeForm::EpochMs, none: None }),
        window: Some(WindowSpec::beijing("modified")),
        paging: Paging::PageNumber { parameter: "pageNo".into(), first: 1, end: End::ShortPage },
        page_size: PageSize { min: 1, usual: 100, max: Some(200) },
        proof: Proof::Backwards { assumes: "no row enters a window late".into() },
        partition: None,
        list_may_be_missing: false,
        units: Vec::new(),
        notes: Vec::new(),
    }
}

//! The stream table: what the vendor offers, as data.

use milkrun_core::page::{End, Paging};
use milkrun_core::stream::{PageSize, Proof, Stamp, StreamSpec, TimeForm, Title, Unit, UnitKind, WindowSpec};

/// All streams, in a stable order.
pub(crate) fn all(page_size: u32) -> Vec<StreamSpec> {
    vec![orders(page_size), items(page_size)]
}

fn orders(page_size: u32) -> StreamSpec {
    StreamSpec {
        number: Some("order_no".into()),
        window: Some(WindowSpec::beijing("modified")),
        proof: Proof::Backwards { assumes: "a change stamps `modified` with the time it is made".into() },
        units: vec![Unit { path: "amount".into(), unit: UnitKind::Yuan }],
        ..stream("orders", Title::new("Orders", "订单"), page_size)
    }
}

/// Items cannot be asked for by time, so they are read whole.
fn items(page_size: u32) -> StreamSpec {
    StreamSpec {
        number: Some("code".into()),
        proof: Proof::ReadTwice,
        units: vec![Unit { path: "price".into(), unit: UnitKind::Yuan }],
        ..stream("items", Title::new("Items", "商品"), page_size)
    }
}

/// What all streams have in common.
fn stream(name: &str, title: Title, page_size: u32) -> StreamSpec {
    StreamSpec {
        name: name.to_owned(),
        title,
        endpoint: format!("/{name}/query"),
        key: vec!["id".into()],
        number: None,
        version: Some(Stamp { field: "modified".into(), form: TimeForm::DateTime, none: None }),
        window: None,
        paging: Paging::PageNumber { parameter: "page".into(), first: 1, end: End::ShortPage },
        page_size: PageSize { usual: page_size, ..PageSize::up_to(100) },
        proof: Proof::ReadTwice,
        partition: None,
        list_may_be_missing: false,
        units: Vec::new(),
        notes: Vec::new(),
    }
}

//! The values that a partitioned stream is read for, from another stream of the same account.

use std::borrow::Cow;
use std::collections::BTreeSet;

use milkrun_core::record::{Record, plain_text};
use milkrun_core::stream::{Partition, Slice};
use milkrun_core::{Error, ErrorKind, PageRequest, Result, StreamSpec};
use serde_json::value::RawValue;

use crate::flow::Flow;
use crate::prepare::Marker;
use crate::reading::{Reading, Step};

/// Reads the parent stream whole, proves it, and returns the distinct values, sorted.
pub(crate) async fn values(flow: &Flow, partition: &Partition) -> Result<Vec<String>> {
    let parent = flow.source.streams().iter().find(|s| s.name == partition.stream).ok_or_else(|| {
        Error::config("the stream is partitioned by another one that the account does not have")
            .with("stream", &flow.stream.name)
            .with("partitioned_by", &partition.stream)
    })?;
    // Read whole, without a window, so that values of unchanged records are there too.
    let parent = StreamSpec { window: None, ..parent.clone() };
    let marker = Marker::new(&parent)?;
    let slice = Slice::default();
    let mut reading = Reading::new(&parent, &slice, parent.page_size.usual);
    let mut values = BTreeSet::new();
    loop {
        let ask = reading.ask(&parent);
        let request = PageRequest { stream: &parent, slice: &slice, at: &ask.at, size: ask.size };
        let page = flow.source.read_page(&flow.source_cx, request).await.map_err(|e| e.with("stream", &parent.name))?;
        let (_, facts) = marker.prepare(&page)?;
        for record in &page.records {
            collect(record, &partition.path, &mut values);
        }
        match reading.accept(&parent, &page, &facts, false)? {
            Step::Proved(_) => return Ok(values.into_iter().collect()),
            Step::More => {}
            Step::Unproved(why) if reading.in_vain() >= flow.options.max_readings => {
                return Err(Error::new(ErrorKind::Incoherent, "the list of partitions could not be proved complete")
                    .with("stream", &parent.name)
                    .with("because", why));
            }
            Step::Unproved(_) => reading.again(&parent, &slice),
        }
    }
}

/// Adds the values at `path`; `a[*].b` takes one from each element of the list `a`.
fn collect(record: &Record, path: &str, values: &mut BTreeSet<String>) {
    let Some((list, rest)) = path.split_once("[*].") else {
        let value = record.at(path);
        let text = value.as_deref().and_then(plain_text).filter(|text| !text.is_empty());
        values.extend(text.map(Cow::into_owned));
        return;
    };
    let Some(text) = record.at(list) else { return };
    let elements: Vec<&RawValue> = serde_json::from_str(&text).unwrap_or_default();
    for element in elements {
        if let Ok(element) = Record::parse(element.get()) {
            collect(&element, rest, values);
        }
    }
}

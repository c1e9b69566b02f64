//! Reading a slice from one position to its end, and what the pages together have to be.

use std::collections::BTreeSet;

use milkrun_core::page::{End, Paging};
use milkrun_core::stream::{WindowSpec, read_stamp};
use milkrun_core::{Error, ErrorKind, Key, Page, Position, Proof, Record, StreamSpec};

use super::surroundings::Opened;
use super::{Scene, Stop};

/// The pages of a slice in the order they were read, with their positions.
pub(crate) type Walk = Vec<(Position, Page)>;

pub(crate) fn texts(page: &Page) -> Vec<&str> {
    page.records.iter().map(Record::text).collect()
}

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Failed(otherwise())) }
}

/// Reads from `at` to the end of the slice.
///
/// # Errors
/// Those of the source; [`ErrorKind::Incoherent`] if the same page comes twice, or the pages have no end.
pub(crate) async fn walk(
    opened: &Opened,
    stream: &StreamSpec,
    scene: &Scene,
    mut at: Position,
) -> milkrun_core::Result<Walk> {
    let mut walk = Walk::new();
    loop {
        let page = opened.page(stream, scene, &at).await?;
        let versioned = matches!(stream.paging, Paging::RowVersion { .. });
        if let Some((before, last)) = walk.last()
            && !versioned
            && !page.records.is_empty()
            && *before != at
            && texts(last) == texts(&page)
        {
            return Err(Error::new(ErrorKind::Incoherent, "the same page came twice").with("at", &at));
        }
        let next = stream.paging.next(&at, &page, scene.size)?;
        walk.push((at, page));
        let Some(next) = next else { return Ok(walk) };
        if walk.len() > scene.n_records + 3 {
            return Err(Error::new(ErrorKind::Incoherent, "the pages have no end").with("at", &next));
        }
        at = next;
    }
}

/// Whether the pages are what the stream's facts and the scene say.
pub(crate) fn verify(stream: &StreamSpec, scene: &Scene, walk: &Walk) -> Result<(), Stop> {
    let n_expected = scene.n_records;
    let mut keys = BTreeSet::new();
    let mut n_records = 0;
    let mut has_number = false;
    for (at, page) in walk {
        let n_here = page.records.len();
        n_records += n_here;
        // Elsewhere the source alone counts what the vendor calls a row.
        let limited = !matches!(stream.paging, Paging::None | Paging::PageNumber { end: End::HasNext, .. });
        ensure(!limited || n_here <= scene.size as usize, || {
            format!("{n_here} records at {at}, where {} were asked for", scene.size)
        })?;
        for record in &page.records {
            let key = Key::read(record, &stream.key);
            let key = key.ok_or_else(|| {
                Stop::Failed(format!(
                    "no key {:?} in {}",
                    stream.key,
                    record.text().chars().take(300).collect::<String>()
                ))
            })?;
            let fresh = keys.insert(key.clone());
            let versioned = matches!(stream.paging, Paging::RowVersion { .. });
            ensure(fresh || versioned, || format!("the key {key} came twice, the second time at {at}"))?;
            verify_version(stream, record)?;
            ensure(page.body.is_empty() || record.place_in(&page.body).is_some(), || {
                format!("the record {key} does not lie in the page's body, which the journal keeps")
            })?;
            let number = stream.number.as_ref();
            has_number |= number.is_none_or(|path| record.at(path).is_some_and(|value| value != "null"));
        }
        if let Some(total) = page.total {
            ensure(total == n_expected as u64, || format!("a total of {total} at {at}, where {n_expected} are held"))?;
        }
    }
    let n_distinct = keys.len();
    ensure(n_distinct == n_expected, || format!("{n_distinct} records of {n_expected} came, on {} pages", walk.len()))?;
    ensure(has_number || n_records == 0, || format!("no record has the number {:?}", stream.number))?;
    let totals = matches!(stream.proof, Proof::Backwards { .. });
    ensure(!totals || walk[0].1.total.is_some(), || "the first page has no total, which the proof needs".to_owned())?;
    let named = matches!(stream.proof, Proof::Snapshot { .. });
    let snapshot = &walk[0].1.snapshot;
    ensure(!named || (snapshot.is_some() && walk.iter().all(|(_, page)| page.snapshot == *snapshot)), || {
        "the pages do not all name one snapshot, which the proof needs".to_owned()
    })
}

fn verify_version(stream: &StreamSpec, record: &Record) -> Result<(), Stop> {
    let Some(stamp) = &stream.version else { return Ok(()) };
    let zone = stream.window.as_ref().map_or_else(|| WindowSpec::beijing("").time_zone(), WindowSpec::time_zone)?;
    let value = record.at(&stamp.field);
    let text = value.as_deref().and_then(milkrun_core::record::plain_text);
    let read = text.and_then(|text| read_stamp(&text, stamp.form, &zone));
    ensure(read.is_some(), || format!("the version `{}` is {value:?}, which cannot be read", stamp.field))
}

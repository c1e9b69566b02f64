//! Answers list methods: one page, with its totals as far as the method has them.

use std::borrow::Cow;

use super::data::{Data, Entity};
use super::methods::List;
use super::query::{Asked, PageAsked};
use super::render;
use super::settings::{HasNext, Settings, SortOrder};
use crate::faults::Fault;
use crate::json::Json;
use crate::table::{Entry, between};
use crate::vendor::Moment;

/// What a page served, for the log and for drift.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) entity: Entity,
    pub(crate) seqs: Vec<u32>,
}

/// Writes the fields of a page, up to the end of its list.
///
/// - By row version: ascending, from the one asked for, which is included.
/// - By window: in the order of the time asked by, ties by position; oldest first unless
///   [`Settings::order`](super::Settings::order) says otherwise.
/// - Without either: by position.
///
/// `extra` writes further rows behind those of the last page; it gives their number.
pub(crate) fn list(
    data: &mut Data,
    settings: &Settings,
    spec: &List,
    asked: &Asked,
    moment: Moment<'_>,
    out: &mut Json,
    extra: &[String],
) -> Served {
    let has = |wanted: &Fault| moment.faults.contains(wanted);
    let (stuck, ignored) = (has(&Fault::SamePage), has(&Fault::PageIgnored));
    let page = if stuck || ignored { PageAsked { number: 1, ..asked.page } } else { asked.page };
    // A page that never moves does not move with the row version either.
    let cursor = asked.cursor.map(|cursor| if stuck { 0 } else { cursor });
    let entity = asked.entity;
    let entries = entries(data, asked, cursor);
    let descending = cursor.is_none() && asked.span.is_some() && settings.order == SortOrder::Descending;

    let total = entries.len() + extra.len();
    let skipped = (page.number - 1).saturating_mul(page.size);
    let end = skipped.saturating_add(page.size).min(total);
    let own = skipped.min(entries.len())..end.clamp(skipped.min(entries.len()), entries.len());
    let at = |idx: usize| if descending { entries[entries.len() - 1 - idx].1 } else { entries[idx].1 };
    let seqs: Vec<u32> = own.map(at).collect();
    let more: Vec<&String> = (skipped.max(entries.len())..end).map(|idx| &extra[idx - entries.len()]).collect();

    let shown = if stuck { asked.page.number } else { page.number };
    let claimed = if stuck { total.max((shown + 1).saturating_mul(page.size)) } else { total };
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    out.int("page_size", count(page.size));
    out.int("page_index", count(shown));
    if asked.totals && !has(&Fault::TotalMissing) {
        out.int("data_count", count(claimed));
        out.int("page_count", count(claimed.div_ceil(page.size)));
    }
    let has_next = stuck || end < total;
    out.literal(
        "has_next",
        match (settings.has_next, has_next) {
            (HasNext::Bool, true) => "true",
            (HasNext::Bool, false) => "false",
            (HasNext::Number, true) => "1",
            (HasNext::Number, false) => "0",
            (HasNext::Text, true) => "\"true\"",
            (HasNext::Text, false) => "\"false\"",
        },
    );
    out.begin_list(spec.name);
    for &seq in &seqs {
        render::element(data, settings, entity, seq, out);
    }
    for row in more {
        out.raw(row);
    }
    out.end_list();
    Served { entity, seqs }
}

/// The rows asked for, in ascending order.
fn entries<'a>(data: &'a mut Data, asked: &Asked, cursor: Option<i64>) -> Cow<'a, [Entry]> {
    let entity = asked.entity;
    let n_rows = data.rows(entity).len();
    if let Some(cursor) = cursor {
        let in_span: Option<Vec<u32>> = asked.span.map(|span| {
            let index = between(data.by_time(entity, span.kind), span.from, span.until);
            let mut seqs: Vec<u32> = index.iter().map(|entry| entry.1).collect();
            seqs.sort_unstable();
            seqs
        });
        let index = between(data.by_ts(entity), cursor, i64::MAX);
        return keep(keep(Cow::Borrowed(index), in_span.as_deref()), asked.rows.as_deref());
    }
    match asked.span {
        Some(span) => {
            let index = between(data.by_time(entity, span.kind), span.from, span.until);
            keep(Cow::Borrowed(index), asked.rows.as_deref())
        }
        None => match &asked.rows {
            Some(rows) => rows.iter().map(|&seq| (0, seq)).collect::<Vec<_>>().into(),
            None => (0..u32::try_from(n_rows).unwrap_or(u32::MAX)).map(|seq| (0, seq)).collect::<Vec<_>>().into(),
        },
    }
}

/// The entries whose positions are among those wanted, which ascend.
fn keep<'a>(entries: Cow<'a, [Entry]>, wanted: Option<&[u32]>) -> Cow<'a, [Entry]> {
    match wanted {
        None => entries,
        Some(wanted) => {
            entries.iter().filter(|entry| wanted.binary_search(&entry.1).is_ok()).copied().collect::<Vec<_>>().into()
        }
    }
}

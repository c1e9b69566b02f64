//! Answers list methods: one page, with its total, its `hasNext` or its cursor.

use super::data::{Data, Entity};
use super::methods::{List, Window};
use super::protocol::{Problem, refuse};
use super::query::{self, PageAsked};
use super::render;
use super::settings::{EmptyResult, Settings, SortOrder, TotalOn};
use crate::faults::Fault;
use crate::form::Form;
use crate::json::Json;
use crate::table::Entry;
use crate::vendor::Moment;

/// What a page served, for the log and for drift.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) entity: Entity,
    /// Positions of the rows served; empty where rows never drift.
    pub(crate) seqs: Vec<u32>,
    pub(crate) rows: usize,
}

/// Writes the fields of a page.
///
/// Rows are sorted by the time asked by, ties by position; the page does not name an order, so
/// [`Settings::order`](super::Settings::order) does, newest first by default. `item.list.query` takes it from
/// `orderBy` (`modified:desc` or `created:desc`).
///
/// # Errors
/// As [`query::page`], [`query::span`] and [`query::pick`]; `33` for a cursor that is not ours.
pub(crate) fn list(
    data: &mut Data,
    settings: &Settings,
    list: &List,
    form: &Form,
    moment: Moment<'_>,
    out: &mut Json,
) -> Result<Served, Problem> {
    let asked = query::page(form, list)?;
    let entity = query::entity(form, list)?;
    let mut span = query::span(form, list, settings.window_end)?;
    if entity == Entity::Items {
        match form.get("orderBy") {
            None | Some("modified:desc") => {}
            Some("created:desc") => span = span.by_created(),
            Some(_) => return Err(refuse("33", "orderBy invalid")),
        }
    }
    let has = |wanted: &Fault| moment.faults.contains(wanted);
    let (stuck, ignored) = (has(&Fault::SamePage), has(&Fault::PageIgnored));
    let page = if stuck || ignored { PageAsked { number: 1, ..asked } } else { asked };
    let flag = |name: &str| list.window == Window::Orders && form.get(name) == Some("true");
    let (use_cursor, use_has_next) = (flag("useCursor"), flag("useHasNext"));
    if use_cursor && form.get("queryType") == Some("1") {
        return Err(refuse("33", "useCursor needs another queryType"));
    }
    let cursor = form.get("cursor").filter(|_| use_cursor);
    let cursor = cursor.map(|text| parse_cursor(text).ok_or_else(|| refuse("33", "cursor invalid"))).transpose()?;

    let picked = query::pick(data, entity, span, form, moment.now_ms)?;
    let entries = picked.entries();
    // Base data have no time to be asked by: they come in key order.
    let descending = list.window != Window::None && settings.order == SortOrder::Descending;
    let skipped = if use_cursor && !stuck {
        cursor.map_or(0, |cursor| passed(entries, cursor, descending))
    } else if use_cursor {
        0
    } else {
        (page.number - 1).saturating_mul(page.size)
    };
    let at = |idx: usize| if descending { entries[entries.len() - 1 - idx] } else { entries[idx] };
    let end = skipped.saturating_add(page.size).min(entries.len());
    let chosen: Vec<Entry> = (skipped..end).map(at).collect();
    let total = entries.len();
    let has_next = stuck || end < total;
    let claimed = if stuck { total.max((asked.number + 1).saturating_mul(asked.size)) } else { total };

    let show_total = !use_cursor
        && !use_has_next
        && !has(&Fault::TotalMissing)
        && match settings.total_on {
            // Stock carries it on page 1 only, whatever else holds.
            TotalOn::EveryPage => list.entity != Entity::Stock || page.number == 1,
            TotalOn::FirstPage => page.number == 1,
            TotalOn::Never => false,
        };
    let omitted = chosen.is_empty() && settings.empty == EmptyResult::Omitted;
    if show_total && !omitted {
        if list.total_is_text {
            out.format("total", format_args!("{claimed}"));
        } else {
            out.literal("total", &claimed.to_string());
        }
    }
    if use_cursor || use_has_next {
        out.literal("hasNext", if has_next { "true" } else { "false" });
    }
    if let Some(&(time, seq)) = chosen.last().filter(|_| use_cursor) {
        out.format("cursor", format_args!("{time:x}-{seq:x}"));
    }
    if !omitted {
        out.begin_list(list.key);
        for &(_, seq) in &chosen {
            render::element(data, entity, seq, out);
        }
        out.end_list();
    }
    let drifts = list.window != Window::None;
    let seqs = if drifts { chosen.iter().map(|&(_, seq)| seq).collect() } else { Vec::new() };
    Ok(Served { entity, seqs, rows: chosen.len() })
}

fn parse_cursor(text: &str) -> Option<Entry> {
    let (time, seq) = text.split_once('-')?;
    Some((i64::from_str_radix(time, 16).ok()?, u32::from_str_radix(seq, 16).ok()?))
}

/// How many entries, in the order served, lie up to and including the cursor.
fn passed(entries: &[Entry], cursor: Entry, descending: bool) -> usize {
    if descending {
        entries.len() - entries.partition_point(|&entry| entry < cursor)
    } else {
        entries.partition_point(|&entry| entry <= cursor)
    }
}

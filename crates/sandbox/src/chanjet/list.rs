//! Answers queries: one page in the envelope of its style, section 4 of the page.

use super::data::{Data, Entity};
use super::methods;
use super::protocol::Problem;
use super::query::{self, Asked, Params};
use super::record::{Record, quoted};
use super::render;
use super::settings::{Columns, OkCode, PageEnvelope, QueryEnvelope, Settings};
use crate::faults::Fault;
use crate::vendor::Moment;

/// What a page served, for the log and for drift.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) body: String,
    pub(crate) rows: usize,
    /// Positions of the rows of the start among them.
    pub(crate) seqs: Vec<u32>,
}

/// One page of rows, and what it claims of the whole.
struct Page {
    seqs: Vec<u32>,
    records: Vec<Record>,
    total: usize,
    pages: usize,
    show_total: bool,
}

fn cut(
    data: &Data,
    settings: &Settings,
    entity: Entity,
    asked: &Asked,
    faults: &[Fault],
    written: Vec<Record>,
) -> Page {
    let has = |wanted: &Fault| faults.contains(wanted);
    let stuck = has(&Fault::SamePage);
    let page = if stuck || has(&Fault::PageIgnored) { 1 } else { asked.page };
    // A page that never moves does not move with the row version either.
    let asked_rows = if stuck { asked.clone().rewound() } else { asked.clone() };
    let seqs = query::find(data, entity, &asked_rows, settings);
    let total = seqs.len() + written.len();
    let skipped = (page - 1).saturating_mul(asked.size);
    let own: Vec<u32> = seqs.iter().copied().skip(skipped).take(asked.size).collect();
    let mut records: Vec<Record> = own.iter().map(|&seq| render::record(data, settings, entity, seq)).collect();
    let left = asked.size - records.len();
    records.extend(written.into_iter().skip(skipped.saturating_sub(seqs.len())).take(left));
    let claimed = if stuck { total.max((asked.page + 1).saturating_mul(asked.size)) } else { total };
    let show_total = !has(&Fault::TotalMissing);
    Page { seqs: own, records, total: claimed, pages: claimed.div_ceil(asked.size), show_total }
}

/// A page of `*/Query`, without any total, but that rows of current stock repeat it.
pub(crate) fn rows(
    data: &Data,
    settings: &Settings,
    entity: Entity,
    asked: &Asked,
    selected: Option<&[String]>,
    moment: Moment<'_>,
    written: Vec<Record>,
) -> Served {
    let mut page = cut(data, settings, entity, asked, moment.faults, written);
    if entity == Entity::CurrentStock && page.show_total {
        for record in &mut page.records {
            record.raw("TotalCount", page.total.to_string());
        }
    }
    let with_total = selected.map(|names| [names, &["TotalCount".to_owned()]].concat());
    let rows: Vec<String> = page.records.iter().map(|record| record.select(with_total.as_deref())).collect();
    let list = format!("[{}]", rows.join(","));
    let envelope = if entity == Entity::Warehouse { settings.warehouse_envelope } else { settings.query_envelope };
    let body = match envelope {
        QueryEnvelope::Array => list,
        QueryEnvelope::Data => format!("{{\"Data\":{list}}}"),
        QueryEnvelope::Result => format!("{{\"result\":{list}}}"),
        QueryEnvelope::ResultText => format!("{{\"result\":{}}}", quoted(&list)),
        QueryEnvelope::ResultData => format!("{{\"result\":{{\"Data\":{list}}}}}"),
    };
    Served { body, rows: rows.len(), seqs: page.seqs }
}

/// A page of `*/QueryPage`.
pub(crate) fn page(
    data: &Data,
    settings: &Settings,
    entity: Entity,
    asked: &Asked,
    selected: Option<&[String]>,
    moment: Moment<'_>,
    written: Vec<Record>,
) -> Served {
    let page = cut(data, settings, entity, asked, moment.faults, written);
    let rows: Vec<String> = page.records.iter().map(|record| record.select(selected)).collect();
    let total = if page.show_total { format!(",\"TotalCount\":{}", page.total) } else { String::new() };
    let body = format!("{{\"Data\":[{}]{total}}}", rows.join(","));
    let body = match settings.page_envelope {
        PageEnvelope::Plain => body,
        PageEnvelope::Result => format!("{{\"result\":{body}}}"),
    };
    Served { body, rows: rows.len(), seqs: page.seqs }
}

/// A page of `FindVoucherList`: rows by position.
///
/// # Errors
/// As [`query::columns`].
pub(crate) fn vouchers(
    data: &Data,
    settings: &Settings,
    entity: Entity,
    asked: &Asked,
    params: &Params,
    moment: Moment<'_>,
    written: Vec<Record>,
) -> Result<Served, Problem> {
    let fields = query::columns(params)?;
    let page = cut(data, settings, entity, asked, moment.faults, written);
    let bare = |field: &str| {
        let root = field.split_once('.').filter(|(root, _)| methods::roots(entity).contains(root));
        root.map(|(_, path)| path.to_owned())
    };
    let paths: Vec<Option<String>> = fields.iter().map(|field| bare(field)).collect();
    let columns: Vec<String> = fields
        .iter()
        .zip(&paths)
        .map(|(field, path)| match settings.columns {
            Columns::AsAsked => quoted(field),
            Columns::Bare => quoted(path.as_deref().unwrap_or(field)),
        })
        .collect();
    let row = |record: &Record| {
        let cells: Vec<&str> =
            paths.iter().map(|path| path.as_ref().map_or("null", |path| record.cell(path))).collect();
        format!("[{}]", cells.join(","))
    };
    let rows: Vec<String> = page.records.iter().map(row).collect();
    let totals = if page.show_total {
        format!(",\"TotalPageNum\":{},\"TotalCount\":{}", page.pages, page.total)
    } else {
        String::new()
    };
    let data = format!("{{\"Columns\":[{}],\"Rows\":[{}]{totals}}}", columns.join(","), rows.join(","));
    Ok(Served { body: envelope_c(settings, &data), rows: rows.len(), seqs: page.seqs })
}

/// A good answer of envelope C.
pub(crate) fn envelope_c(settings: &Settings, data: &str) -> String {
    let code = match settings.ok_code {
        OkCode::Zero => "0",
        OkCode::TwoHundred => "200",
    };
    format!("{{\"code\":\"{code}\",\"message\":\"\",\"data\":{data}}}")
}

//! Reads the business parameters of list methods: page, row version, window and filters.

use serde_json::{Map, Value};

use super::data::{Data, Entity, TimeKind, order_of, sku_of};
use super::methods::{By, List, Window};
use super::protocol::{Problem, refuse};
use super::settings::WindowEnd;
use crate::beijing;

const DAY_SECS: i64 = 24 * 3_600;

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageAsked {
    pub(crate) number: usize,
    pub(crate) size: usize,
}

/// All that a list call asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) page: PageAsked,
    /// The entity, which for inventory depends on the warehouse.
    pub(crate) entity: Entity,
    /// The smallest row version.
    pub(crate) cursor: Option<i64>,
    pub(crate) span: Option<Span>,
    /// The only rows wanted, ascending.
    pub(crate) rows: Option<Vec<u32>>,
    pub(crate) totals: bool,
}

/// A span of time, in milliseconds, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// `None`: by last modification.
    pub(crate) kind: Option<TimeKind>,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

/// Reads `biz`; fields that no method knows are ignored without a word.
///
/// # Errors
/// `140` for whatever does not conform, `130` if orders are asked for without dates, numbers or `start_ts`.
pub(crate) fn read(biz: &Map<String, Value>, list: &List, data: &Data, end: WindowEnd) -> Result<Asked, Problem> {
    let page = page(biz, list)?;
    let cursor = list.cursor.map(|field| whole(biz, field)).transpose()?.flatten();
    let span = span(biz, list.window, end)?;
    let rows = filtered(biz, list, data)?;
    let entity = entity(biz, list)?;
    if cursor.is_some_and(|cursor| cursor < 0) {
        return Err(malformed(list.cursor.unwrap_or_default()));
    }
    if cursor.is_some() && list.cursor_alone {
        let paging = ["page_index", "page_size", "is_get_total", "start_ts"];
        if let Some(other) = biz.keys().find(|key| !paging.contains(&key.as_str())) {
            return Err(refuse("140", format!("参数不符合规范：start_ts 不能与 {other} 同时使用")));
        }
    }
    if cursor.is_some() && span.is_some() && list.entity == Entity::Inventory {
        return Err(refuse("140", "参数不符合规范：ts 不能与时间段同时使用"));
    }
    if list.entity == Entity::Orders && cursor.is_none() && span.is_none() && rows.is_none() {
        return Err(refuse("130", "必填数据为空：时间段、so_ids、o_ids、start_ts 须至少一项"));
    }
    let dropped = match biz.get("is_get_total") {
        None | Some(Value::Null | Value::Bool(true)) => false,
        Some(Value::Bool(false)) => true,
        Some(Value::String(text)) if text == "false" => true,
        Some(Value::String(text)) if text == "true" => false,
        Some(_) => return Err(malformed("is_get_total")),
    };
    let never = matches!(list.entity, Entity::Shops | Entity::Inventory);
    Ok(Asked { page, entity, cursor, span, rows, totals: !dropped && !never })
}

fn malformed(field: &str) -> Problem {
    refuse("140", format!("参数不符合规范：{field}"))
}

/// A whole number, as number or as text; `null` counts as missing.
fn whole(biz: &Map<String, Value>, field: &str) -> Result<Option<i64>, Problem> {
    match biz.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(|| malformed(field)),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| malformed(field)),
        Some(_) => Err(malformed(field)),
    }
}

fn page(biz: &Map<String, Value>, list: &List) -> Result<PageAsked, Problem> {
    let positive = |field: &str, default: usize| {
        let sent = whole(biz, field)?.map_or(Some(default), |sent| usize::try_from(sent).ok());
        sent.filter(|&sent| sent > 0).ok_or_else(|| malformed(field))
    };
    let (number, size) = (positive("page_index", 1)?, positive("page_size", list.default_size)?);
    if size > list.most {
        return Err(refuse("140", format!("参数不符合规范：page_size 最大 {}", list.most)));
    }
    Ok(PageAsked { number, size })
}

fn span(biz: &Map<String, Value>, window: Window, end: WindowEnd) -> Result<Option<Span>, Problem> {
    let (days, types): (i64, &[i64]) = match window {
        Window::None => return Ok(None),
        Window::Days(days) => (days, &[]),
        Window::Types(types) => (7, types),
    };
    let kind = match (whole(biz, "date_type")?, types.first()) {
        (_, None) => None,
        (None, Some(&default)) => time_kind(default),
        (Some(sent), Some(_)) if types.contains(&sent) => time_kind(sent),
        (Some(_), Some(_)) => return Err(malformed("date_type")),
    };
    let date = |field: &str| match biz.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => beijing::parse(text).map(Some).ok_or_else(|| malformed(field)),
        Some(_) => Err(malformed(field)),
    };
    let (from, until) = match (date("modified_begin")?, date("modified_end")?) {
        (None, None) => return Ok(None),
        (Some(from), Some(until)) => (from, until),
        _ => return Err(refuse("140", "参数不符合规范：modified_begin 与 modified_end 须同时存在")),
    };
    if until < from {
        return Err(refuse("140", "参数不符合规范：结束时间早于开始时间"));
    }
    if (until - from) / 1_000 > days * DAY_SECS {
        return Err(refuse("140", format!("参数不符合规范：时间间隔不能超过 {days} 天")));
    }
    let until = if end == WindowEnd::WholeSecond { until + 999 } else { until };
    Ok(Some(Span { kind, from, until }))
}

fn time_kind(date_type: i64) -> Option<TimeKind> {
    match date_type {
        0 => None,
        // What orders call the order date is the in/out date elsewhere; only orders have both.
        2 => Some(TimeKind::Created),
        _ => Some(TimeKind::Moved),
    }
}

fn entity(biz: &Map<String, Value>, list: &List) -> Result<Entity, Problem> {
    if list.entity != Entity::Inventory {
        return Ok(list.entity);
    }
    let asked = whole(biz, "wms_co_id")?.unwrap_or(0);
    Entity::inventory_of(asked).ok_or_else(|| malformed("wms_co_id"))
}

/// The rows that the filters leave; `None` without a filter, no rows for unknown numbers.
fn filtered(biz: &Map<String, Value>, list: &List, data: &Data) -> Result<Option<Vec<u32>>, Problem> {
    let mut left: Option<Vec<u32>> = None;
    for filter in list.filters {
        let Some(numbers) = numbers(biz.get(filter.field), filter.by).map_err(|()| malformed(filter.field))? else {
            continue;
        };
        if numbers.len() > filter.most {
            return Err(refuse("140", format!("参数不符合规范：{} 最多 {} 个", filter.field, filter.most)));
        }
        let n_rows = data.rows(list.entity).len();
        let seq_of = |number: &String| match filter.by {
            By::Own => list.entity.seq_of_id(number),
            By::Order => order_of(number),
            By::Sku => sku_of(number),
            By::PurchaseOrder => Entity::PurchaseOrders.seq_of_id(number),
        };
        let mut found: Vec<u32> = numbers.iter().filter_map(seq_of).filter(|&seq| (seq as usize) < n_rows).collect();
        found.sort_unstable();
        found.dedup();
        left = Some(match left {
            None => found,
            Some(left) => left.into_iter().filter(|seq| found.binary_search(seq).is_ok()).collect(),
        });
    }
    Ok(left)
}

/// The numbers of a filter: a list, or one text with commas, which is the only form for SKUs.
pub(crate) fn numbers(value: Option<&Value>, by: By) -> Result<Option<Vec<String>>, ()> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let numbers: Vec<String> = text.split(',').map(|number| number.trim().to_owned()).collect();
            if numbers.iter().any(String::is_empty) { Err(()) } else { Ok(Some(numbers)) }
        }
        Some(Value::Array(values)) if by != By::Sku && !values.is_empty() => {
            let number = |value: &Value| match value {
                Value::String(text) if !text.is_empty() => Ok(text.clone()),
                Value::Number(number) => Ok(number.to_string()),
                _ => Err(()),
            };
            values.iter().map(number).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(()),
    }
}

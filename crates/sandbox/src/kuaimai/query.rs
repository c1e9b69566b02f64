//! Reads the business parameters of list methods: page, window and filters.

use super::data::{Data, Entity, FIRST_SHOP, TimeKind, WAREHOUSES};
use super::methods::{List, Need, Pages, Window};
use super::protocol::{Problem, refuse};
use super::render;
use super::settings::WindowEnd;
use crate::beijing;
use crate::form::Form;
use crate::table::{Entry, between};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Longest window of orders; the page recommends one day and says that longer ones fail or lose rows.
const ORDER_WINDOW_MS: i64 = DAY_MS;
/// Longest window of archives.
const ARCHIVE_WINDOW_MS: i64 = 90 * DAY_MS;
/// Orders older than this are served with `queryType=1` only.
const RECENT_MS: i64 = 90 * DAY_MS;

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageAsked {
    pub(crate) number: usize,
    pub(crate) size: usize,
}

/// Reads `pageNo` and `pageSize`; other spellings are ignored, as the vendor does.
///
/// # Errors
/// `20001` for a page number that is no positive number, `20002` for a size outside the method's limits, for stock
/// `20019` above them.
pub(crate) fn page(form: &Form, list: &List) -> Result<PageAsked, Problem> {
    let Pages { default, least, most } = list.pages;
    if most == 0 {
        return Ok(PageAsked { number: 1, size: usize::MAX });
    }
    let number = form.get("pageNo").map_or(Some(1), |text| text.parse::<u32>().ok()).filter(|&number| number > 0);
    let number = number.ok_or_else(|| refuse("20001", "pageNo wrong"))?;
    let size = form.get("pageSize").map_or(Some(default), |text| text.parse::<u32>().ok());
    match size {
        Some(size) if (least..=most).contains(&size) => Ok(PageAsked { number: number as usize, size: size as usize }),
        Some(size) if size > most && list.entity == Entity::Stock => {
            Err(refuse("20019", format!("pageSize above {most}")))
        }
        _ => Err(refuse("20002", format!("pageSize wrong, {least} to {most}"))),
    }
}

/// Which rows are asked for, by which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// `None`: last modification.
    kind: Option<TimeKind>,
    from: i64,
    until: i64,
}

impl Span {
    /// The same span in the order of creation.
    pub(crate) fn by_created(self) -> Self {
        // A span by modification keeps its meaning only if it is everything.
        if self == ALL { Self { kind: Some(TimeKind::Created), ..self } } else { self }
    }
}

const ALL: Span = Span { kind: None, from: i64::MIN, until: i64::MAX };

/// Reads the window of a list method.
///
/// # Errors
/// - `32` for a required date or `timeType` that is missing;
/// - `33` for a date in another form, an end before its start, or an unknown `timeType` or `queryType`;
/// - `30077` for a window of orders longer than a day, `33` for an archive window longer than 90 days.
pub(crate) fn span(form: &Form, list: &List, end: WindowEnd) -> Result<Span, Problem> {
    match list.window {
        Window::None => Ok(ALL),
        Window::Orders => {
            let archived = match form.get("queryType") {
                None | Some("0") => false,
                Some("1") => true,
                Some(_) => return Err(refuse("33", "queryType invalid")),
            };
            let kind = match form.get("timeType").unwrap_or("upd_time") {
                "upd_time" if !archived => None,
                "audit_time" if !archived => Some(TimeKind::Audited),
                "created" => Some(TimeKind::Created),
                "pay_time" => Some(TimeKind::Paid),
                "consign_time" => Some(TimeKind::Consigned),
                other => return Err(refuse("33", format!("timeType {other} invalid"))),
            };
            let by_number = form.get("sid").is_some() || form.get("tid").is_some();
            let dates = (date(form, "startTime", end, false)?, date(form, "endTime", end, true)?);
            if by_number && dates == (None, None) {
                return Ok(ALL);
            }
            let (from, until) = both(dates, "startTime", "endTime")?;
            // The ends as sent, so that a whole-second end does not lengthen the window.
            if until / 1_000 - from / 1_000 > ORDER_WINDOW_MS / 1_000 {
                return Err(refuse("30077", "order query failed: window longer than one day"));
            }
            Ok(Span { kind, from, until })
        }
        Window::ReturnReceipts => {
            let kind = match form.get("timeType") {
                None => return Err(refuse("32", "timeType missing")),
                Some("modifyTime") => None,
                Some("createTime") => Some(TimeKind::Created),
                Some(_) => return Err(refuse("33", "timeType invalid")),
            };
            let dates = (date(form, "startTime", end, false)?, date(form, "endTime", end, true)?);
            let (from, until) = both(dates, "startTime", "endTime")?;
            Ok(Span { kind, from, until })
        }
        Window::SalesOut => {
            let kind = match form.get("timeType").unwrap_or("1") {
                "1" => TimeKind::Created,
                "2" => TimeKind::Paid,
                "3" => TimeKind::Audited,
                "4" => TimeKind::Printed,
                "5" => TimeKind::Consigned,
                "6" => TimeKind::Finished,
                _ => return Err(refuse("33", "timeType invalid, 1 to 6")),
            };
            let ms = |name: &str| {
                let parsed = form.get(name).map(str::parse::<i64>);
                parsed.transpose().map_err(|_| refuse("33", format!("{name} invalid, epoch milliseconds")))
            };
            open_ended((ms("timeBegin")?, ms("timeEnd")?), Some(kind))
        }
        Window::Modified { from, until, kinds, need } => {
            let kind = match form.get("timeType").filter(|_| kinds) {
                None | Some("2") => None,
                Some("1") => Some(TimeKind::Created),
                Some(_) => return Err(refuse("33", "timeType invalid, 1 or 2")),
            };
            let dates = (date(form, from, end, false)?, date(form, until, end, true)?);
            match need {
                Need::StartUnlessCode if dates.0.is_none() && form.get("code").is_none() => {
                    return Err(refuse("32", format!("{from} missing")));
                }
                Need::Archive => {
                    let (start, stop) = both(dates, from, until)?;
                    if stop / 1_000 - start / 1_000 > ARCHIVE_WINDOW_MS / 1_000 {
                        return Err(refuse("33", "window longer than 90 days"));
                    }
                }
                _ => {}
            }
            open_ended(dates, kind)
        }
    }
}

fn date(form: &Form, name: &str, end: WindowEnd, is_end: bool) -> Result<Option<i64>, Problem> {
    let Some(text) = form.get(name) else { return Ok(None) };
    let ms = beijing::parse(text).ok_or_else(|| refuse("33", format!("{name} invalid, yyyy-MM-dd HH:mm:ss")))?;
    Ok(Some(if is_end && end == WindowEnd::WholeSecond { ms + 999 } else { ms }))
}

fn both(dates: (Option<i64>, Option<i64>), from: &str, until: &str) -> Result<(i64, i64), Problem> {
    match dates {
        (None, _) => Err(refuse("32", format!("{from} missing"))),
        (_, None) => Err(refuse("32", format!("{until} missing"))),
        (Some(from), Some(until)) if until < from => Err(refuse("33", "window ends before it starts")),
        (Some(from), Some(until)) => Ok((from, until)),
    }
}

fn open_ended(dates: (Option<i64>, Option<i64>), kind: Option<TimeKind>) -> Result<Span, Problem> {
    match dates {
        (None, None) => Ok(Span { kind, ..ALL }),
        (from, until) => {
            let (from, until) = (from.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
            if until < from {
                Err(refuse("33", "window ends before it starts"))
            } else {
                Ok(Span { kind, from, until })
            }
        }
    }
}

/// The stock entity of the warehouse asked for; without one, only the default warehouse is reported.
///
/// # Errors
/// `20301` for a warehouse that does not exist.
pub(crate) fn entity(form: &Form, list: &List) -> Result<Entity, Problem> {
    if list.entity != Entity::Stock {
        return Ok(list.entity);
    }
    let Some(id) = form.get("warehouseId") else { return Ok(Entity::Stock) };
    match WAREHOUSES.iter().position(|(number, _, _)| number.to_string() == id) {
        Some(0) => Ok(Entity::Stock),
        Some(1) => Ok(Entity::StockEast),
        Some(2) => Ok(Entity::StockSouth),
        _ => Err(refuse("20301", "warehouseId unknown")),
    }
}

/// Rows that are asked for, oldest first: a part of an index, or what a filter left of it.
pub(crate) enum Picked<'a> {
    Index(&'a [Entry]),
    Filtered(Vec<Entry>),
}

impl Picked<'_> {
    /// The entries, oldest first.
    pub(crate) fn entries(&self) -> &[Entry] {
        match self {
            Self::Index(entries) => entries,
            Self::Filtered(entries) => entries,
        }
    }
}

/// Picks the rows of a span, after the filters of the entity.
///
/// Filters: `sid`, `tid` and `userIds` of orders, `code` of documents; an unknown number gives no row.
///
/// # Errors
/// `20014` for a malformed `userIds`, `20015` for more than ten.
pub(crate) fn pick<'a>(
    data: &'a mut Data,
    entity: Entity,
    span: Span,
    form: &Form,
    now_ms: i64,
) -> Result<Picked<'a>, Problem> {
    let trade = matches!(entity, Entity::Orders | Entity::Outstock);
    let mut wanted: Option<Option<u32>> = None;
    if trade {
        let by_sid = form.get("sid").map(|sid| entity.seq_of_id(sid));
        wanted = by_sid.or_else(|| form.get("tid").map(render::order_of_tid));
    } else if !entity.prefix().is_empty() && entity != Entity::Items {
        wanted = form.get("code").map(|code| entity.seq_of_code(code));
    }
    let shops = form.get("userIds").filter(|_| trade).map(shops).transpose()?;
    // What was created before the earliest one can be left out of the check.
    let limit = now_ms - RECENT_MS;
    let archived = form.get("queryType") == Some("1");
    let old_rows =
        trade && (archived || data.index(entity, Some(TimeKind::Created)).first().is_some_and(|e| e.0 < limit));
    if wanted.is_none() && shops.is_none() && !old_rows {
        return Ok(Picked::Index(between(data.index(entity, span.kind), span.from, span.until)));
    }
    let entries = between(data.index(entity, span.kind), span.from, span.until).to_vec();
    let keep = |&(_, seq): &Entry| {
        wanted.is_none_or(|wanted| wanted == Some(seq))
            && shops.as_ref().is_none_or(|shops| shops.contains(&(FIRST_SHOP + i64::from(data.world.shop_of(seq)))))
            && (!old_rows || (data.table(entity).row(seq).created < limit) == archived)
    };
    Ok(Picked::Filtered(entries.into_iter().filter(keep).collect()))
}

fn shops(text: &str) -> Result<Vec<i64>, Problem> {
    let ids: Result<Vec<i64>, _> = text.split(',').map(|id| id.trim().parse::<i64>()).collect();
    match ids {
        Err(_) => Err(refuse("20014", "userIds malformed")),
        Ok(ids) if ids.len() > 10 => Err(refuse("20015", "more than 10 userIds")),
        Ok(ids) => Ok(ids),
    }
}

//! Lists: filters, order, rows by document or by line, and pages, section 4 of the page.

use std::cmp::Ordering;

use super::condition::{self, Condition};
use super::entity::Entity;
use super::problem::{Problem, refuse};
use super::settings::{LineKeys, Settings};
use super::store::{Doc, Store};
use crate::beijing;
use crate::decimal::Literal;
use crate::faults::Fault;
use crate::tree::Tree;
use crate::vendor::Moment;

/// A page that was served.
#[derive(Debug)]
pub(crate) struct Served {
    /// What `data` holds.
    pub(crate) data: Tree,
    /// Rows in it.
    pub(crate) rows: usize,
    /// Places of the documents it shows, each once.
    pub(crate) places: Vec<usize>,
}

/// One row: a document, and one of its lines unless rows are documents.
#[derive(Clone, Copy)]
struct Row<'a> {
    place: usize,
    doc: &'a Doc,
    line: Option<&'a Tree>,
}

/// What a call asks for.
struct Asked {
    page: usize,
    size: usize,
    condition: Condition,
    orders: Vec<(String, bool)>,
    by_line: bool,
    /// The fields to show; `None`: all.
    fields: Option<Vec<String>>,
}

/// Serves a page of the general form.
///
/// # Errors
/// As [`paging`], [`condition::read`] and [`orders`]; `999` for an unknown field.
pub(crate) fn list(
    store: &Store,
    settings: &Settings,
    entity: Entity,
    body: &Tree,
    moment: Moment<'_>,
) -> Result<Served, Problem> {
    let (page, size) = paging(settings, body)?;
    let by_line = match body.get("isSum") {
        None | Some(Tree::Null | Tree::Bool(false)) => true,
        Some(Tree::Bool(true)) => false,
        Some(_) => return Err(refuse("999", "isSum is neither true nor false")),
    };
    let mut parts = condition::short(body);
    parts.push(condition::read(body.get("simpleVOs"))?);
    let orders = orders(body.get("queryOrders"))?;
    let asked = Asked { page, size, condition: Condition::All(parts), orders, by_line, fields: None };
    serve(store, settings, entity, &asked, moment)
}

/// Serves a page of the `queryByPage` form.
///
/// # Errors
/// As [`list`]; `310003` without `data`, `page` or `condition`.
pub(crate) fn query_by_page(
    store: &Store,
    settings: &Settings,
    entity: Entity,
    body: &Tree,
    moment: Moment<'_>,
) -> Result<Served, Problem> {
    let missing = |key: &str| refuse("310003", format!("{key} missing"));
    let fields = body.get("data").and_then(Tree::as_text).ok_or_else(|| missing("data"))?;
    let (page, size) = paging(settings, body.get("page").ok_or_else(|| missing("page"))?)?;
    let condition = body.get("condition").ok_or_else(|| missing("condition"))?;
    let asked = Asked {
        page,
        size,
        condition: condition::read(condition.get("simpleVOs"))?,
        orders: orders(body.get("queryOrders"))?,
        by_line: false,
        fields: Some(fields.split(',').map(|field| field.trim().to_owned()).collect()),
    };
    serve(store, settings, entity, &asked, moment)
}

/// `pageIndex` and `pageSize`.
///
/// # Errors
/// `310003` if one is missing, `310008` if it is no number, `999` if it is out of range.
fn paging(settings: &Settings, body: &Tree) -> Result<(usize, usize), Problem> {
    let number = |key: &str| match body.get(key) {
        None | Some(Tree::Null) => Err(refuse("310003", format!("{key} missing"))),
        Some(Tree::Number(literal)) => {
            literal.parse::<usize>().map_err(|_| refuse("310008", format!("{key} is no whole number")))
        }
        Some(_) => Err(refuse("310008", format!("{key} is no number"))),
    };
    let (page, size) = (number("pageIndex")?, number("pageSize")?);
    if page == 0 || size == 0 || size > settings.max_page_size as usize {
        return Err(refuse("999", format!("pageIndex from 1, pageSize 1 to {}", settings.max_page_size)));
    }
    Ok((page, size))
}

/// `queryOrders`, each a field and whether it descends.
///
/// # Errors
/// `999` for whatever is no order.
fn orders(list: Option<&Tree>) -> Result<Vec<(String, bool)>, Problem> {
    let items = match list {
        None | Some(Tree::Null) => return Ok(Vec::new()),
        Some(list) => list.as_list().ok_or_else(|| refuse("999", "queryOrders is no list"))?,
    };
    let order = |item: &Tree| {
        let field = item.get("field").and_then(Tree::as_text);
        match (field, item.get("order").and_then(Tree::as_text)) {
            (Some(field), Some("asc")) => Ok((field.to_owned(), false)),
            (Some(field), Some("desc")) => Ok((field.to_owned(), true)),
            _ => Err(refuse("999", "queryOrders invalid")),
        }
    };
    items.iter().map(order).collect()
}

fn serve(
    store: &Store,
    settings: &Settings,
    entity: Entity,
    asked: &Asked,
    moment: Moment<'_>,
) -> Result<Served, Problem> {
    let docs = store.docs(entity);
    let lines_key = entity.facts().lines;
    let named = asked.condition.fields().into_iter().chain(asked.orders.iter().map(|(field, _)| field.as_str()));
    for field in named {
        let known = |doc: &Doc| {
            header(doc, field).is_some()
                || lines(doc, lines_key).iter().any(|line| line_field(line, lines_key, field).is_some())
        };
        if !docs.is_empty() && !docs.iter().any(known) {
            return Err(refuse("999", format!("unknown field {field}")));
        }
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (place, doc) in docs.iter().enumerate() {
        let lines = lines(doc, lines_key);
        let row = |line| Row { place, doc, line };
        let holds = |line: Option<&Tree>| {
            asked.condition.holds(&|field: &str| {
                header(doc, field).or_else(|| line.and_then(|line| line_field(line, lines_key, field)))
            })
        };
        if asked.by_line && !lines.is_empty() {
            rows.extend(lines.iter().filter(|line| holds(Some(line))).map(|line| row(Some(line))));
        } else if (lines.is_empty() && holds(None)) || lines.iter().any(|line| holds(Some(line))) {
            rows.push(row(None));
        }
    }
    sort(&mut rows, lines_key, &asked.orders);

    let has = |wanted: &Fault| moment.faults.contains(wanted);
    let stuck = has(&Fault::SamePage);
    let page = if stuck || has(&Fault::PageIgnored) { 1 } else { asked.page };
    let total = rows.len();
    let start = (page - 1).saturating_mul(asked.size).min(total);
    let chosen = &rows[start..start.saturating_add(asked.size).min(total)];
    let claimed = if stuck { total.max((asked.page + 1).saturating_mul(asked.size)) } else { total };
    let page_count = claimed.div_ceil(asked.size);

    let mut data = Tree::object([("pageIndex", Tree::int(asked.page)), ("pageSize", Tree::int(asked.size))]);
    if !has(&Fault::TotalMissing) {
        data.set("recordCount", Tree::int(claimed));
        if settings.page_count {
            data.set("pageCount", Tree::int(page_count));
            data.set("beginPageIndex", Tree::int(1));
            data.set("endPageIndex", Tree::int(page_count));
        }
    }
    if settings.have_next_page {
        data.set("haveNextPage", Tree::Bool(stuck || page < page_count));
    }
    data.set("pubts", Tree::text(beijing::format(moment.now_ms)));
    let rendered = chosen.iter().map(|row| render(row, settings, lines_key, asked.fields.as_deref())).collect();
    data.set("recordList", Tree::List(rendered));
    let mut places: Vec<usize> = chosen.iter().map(|row| row.place).collect();
    places.dedup();
    places.sort_unstable();
    places.dedup();
    Ok(Served { data, rows: chosen.len(), places })
}

/// Sorts by what is asked for; without that by `pubts`, newest first. Ties go by place, lines keep their order.
fn sort(rows: &mut Vec<Row<'_>>, lines_key: Option<&str>, orders: &[(String, bool)]) {
    let newest = [("pubts".to_owned(), true)];
    let orders = if orders.is_empty() { &newest } else { orders };
    let mut keyed: Vec<_> = rows
        .drain(..)
        .map(|row| {
            let value = |(field, _): &(String, bool)| {
                let of_line = || row.line.and_then(|line| line_field(line, lines_key, field));
                header(row.doc, field).or_else(of_line).and_then(Tree::scalar).map(Literal::read)
            };
            (orders.iter().map(value).collect::<Vec<_>>(), row)
        })
        .collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let pairs = left.iter().zip(right).zip(orders);
        pairs.fold(Ordering::Equal, |sofar, ((left, right), (_, descending))| {
            sofar.then_with(|| {
                let order = match (left, right) {
                    (Some(left), Some(right)) => left.compare(right),
                    (left, right) => left.is_some().cmp(&right.is_some()),
                };
                if *descending { order.reverse() } else { order }
            })
        })
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

/// The lines of a document.
fn lines<'a>(doc: &'a Doc, lines_key: Option<&str>) -> &'a [Tree] {
    lines_key.and_then(|key| doc.tree.get(key)).and_then(Tree::as_list).unwrap_or_default()
}

/// A field of the header; lists and objects are none.
fn header<'a>(doc: &'a Doc, field: &str) -> Option<&'a Tree> {
    doc.tree.get(field).filter(|value| !matches!(value, Tree::List(_)))
}

/// A field of a line, named plainly or with the lines' key before it (`purchaseOrders_id`, `purchaseOrders.id`).
fn line_field<'a>(line: &'a Tree, lines_key: Option<&str>, field: &str) -> Option<&'a Tree> {
    let plain = lines_key.and_then(|key| field.strip_prefix(key)).and_then(|rest| rest.strip_prefix(['_', '.']));
    line.get(plain.unwrap_or(field))
}

/// A row as it is shown: the header without its lines and, in rows per line, the fields of the line.
fn render(row: &Row<'_>, settings: &Settings, lines_key: Option<&str>, fields: Option<&[String]>) -> Tree {
    let shown = |name: &str| fields.is_none_or(|fields| fields.iter().any(|field| field == name));
    let header = row.doc.tree.members().unwrap_or_default();
    let mut members: Vec<(String, Tree)> =
        header.iter().filter(|(name, value)| shown(name) && !matches!(value, Tree::List(_))).cloned().collect();
    if let (Some(line), Some(lines_key)) = (row.line.and_then(Tree::members), lines_key) {
        for (name, value) in line {
            let prefixed = settings.line_keys == LineKeys::All || row.doc.tree.get(name).is_some();
            let name = if prefixed { format!("{lines_key}_{name}") } else { name.clone() };
            members.push((name, value.clone()));
        }
    }
    Tree::Object(members)
}

/// Serves the whole current stock: a bare array, without pages.
///
/// A field of the body that rows have too must equal theirs; other fields are ignored.
pub(crate) fn stock(store: &Store, body: &Tree) -> Served {
    let matches = |doc: &&Doc| {
        body.members().unwrap_or_default().iter().all(|(name, wanted)| {
            let (wanted, has) = (wanted.scalar(), doc.tree.get(name).and_then(Tree::scalar));
            wanted.is_none() || has.is_none() || wanted == has
        })
    };
    let docs = store.docs(Entity::Stock);
    let rows: Vec<Tree> = docs.iter().filter(matches).map(|doc| doc.tree.clone()).collect();
    let places = docs.iter().enumerate().filter(|(_, doc)| matches(doc)).map(|(place, _)| place).collect();
    Served { rows: rows.len(), data: Tree::List(rows), places }
}

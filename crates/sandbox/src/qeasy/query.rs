//! Queries of both versions: window, filters and page.

use std::cmp::Ordering;

use super::protocol::{Problem, refuse};
use super::settings::Settings;
use super::store::{Record, Scheme, Status};
use crate::decimal::compare;
use crate::faults::Fault;
use crate::form::Form;
use crate::tree::Tree;
use crate::vendor::Moment;

/// Most rows of one page.
const MOST_ROWS: usize = 100;

/// What a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    page: usize,
    size: usize,
    begin: Option<i64>,
    end: Option<i64>,
    filters: Vec<Filter>,
}

/// One field that must compare as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    field: String,
    op: String,
    value: String,
}

/// A page that was served.
#[derive(Debug)]
pub(crate) struct Served {
    /// What `content` holds.
    pub(crate) content: Tree,
    /// Places of the records it shows.
    pub(crate) places: Vec<usize>,
}

impl Query {
    /// Reads the form of the v1 query, with `condition[field][$op]`.
    ///
    /// # Errors
    /// The parameter's code for whatever is missing, malformed or doubled.
    pub(crate) fn v1(form: &Form, settings: &Settings) -> Result<Self, Problem> {
        let wrong = |message: String| refuse(settings.codes.parameter, message);
        if let Some(name) = form.doubled() {
            return Err(wrong(format!("{name} given twice")));
        }
        let mut filters = Vec::new();
        for (name, value) in form.fields() {
            let Some(rest) = name.strip_prefix("condition[") else { continue };
            let parts = rest.strip_suffix(']').and_then(|rest| rest.split_once("]["));
            let (field, op) = parts.ok_or_else(|| wrong(format!("{name} is no condition")))?;
            if !["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$like"].contains(&op) {
                return Err(wrong(format!("unknown operator {op}")));
            }
            filters.push(Filter { field: field.to_owned(), op: op.to_owned(), value: value.clone() });
        }
        Self::new(&|name| form.get(name).map(str::to_owned), filters, settings)
    }

    /// Reads the members of the v2 query, with `CONTENT_<field>`.
    ///
    /// # Errors
    /// As [`Query::v1`].
    pub(crate) fn v2(members: &[(String, Tree)], settings: &Settings) -> Result<Self, Problem> {
        let mut filters = Vec::new();
        for (name, value) in members {
            let Some(field) = name.strip_prefix("CONTENT_") else { continue };
            let value = value.scalar().ok_or_else(|| refuse(settings.codes.parameter, format!("{name} is no text")))?;
            filters.push(Filter { field: field.to_owned(), op: "$eq".to_owned(), value: value.to_owned() });
        }
        let field = |name: &str| {
            let value = members.iter().find(|(known, _)| known == name).map(|(_, value)| value)?;
            (!value.is_null()).then(|| value.scalar().unwrap_or("?").to_owned())
        };
        Self::new(&field, filters, settings)
    }

    fn new(field: &dyn Fn(&str) -> Option<String>, filters: Vec<Filter>, settings: &Settings) -> Result<Self, Problem> {
        let wrong = |message: String| refuse(settings.codes.parameter, message);
        let number = |name: &str| {
            let text = field(name).ok_or_else(|| wrong(format!("{name} missing")))?;
            text.parse::<usize>().map_err(|_| wrong(format!("{name} is no whole number")))
        };
        // Unix seconds have ten digits in our time; milliseconds are a mistake that would ask for nothing.
        let time = |name: &str| match field(name) {
            None => Ok(None),
            Some(text) if text.len() <= 10 => {
                text.parse::<i64>().map(Some).map_err(|_| wrong(format!("{name} is no Unix time")))
            }
            Some(_) => Err(wrong(format!("{name} is no Unix time in seconds"))),
        };
        let (page, size) = (number("page")?, number("pageSize")?);
        if page == 0 || size == 0 || size > MOST_ROWS {
            return Err(wrong("page from 1, pageSize 1 to 100".to_owned()));
        }
        let (begin, end) = (time("begin_at")?, time("end_at")?);
        if let (Some(begin), Some(end)) = (begin, end)
            && begin > end
        {
            return Err(wrong("begin_at lies after end_at".to_owned()));
        }
        Ok(Self { page, size, begin, end, filters })
    }

    /// Serves the page.
    pub(crate) fn serve(&self, scheme: &Scheme, settings: &Settings, moment: Moment<'_>) -> Served {
        let has = |wanted: &Fault| moment.faults.contains(wanted);
        let shown = |record: &Record| settings.show_duplicates || record.status != Status::Duplicate;
        let within = |record: &Record| {
            self.begin.is_none_or(|begin| begin <= record.updated) && self.end.is_none_or(|end| record.updated <= end)
        };
        let mut rows: Vec<(usize, &Record)> = scheme
            .records()
            .iter()
            .enumerate()
            .filter(|(_, record)| shown(record) && within(record))
            .filter(|(_, record)| self.filters.iter().all(|filter| filter.holds(&record.content)))
            .collect();
        rows.sort_by_key(|(place, record)| (record.updated, *place));
        if !settings.oldest_first {
            rows.reverse();
        }
        let stuck = has(&Fault::SamePage);
        let page = if stuck || has(&Fault::PageIgnored) { 1 } else { self.page };
        let start = (page - 1).saturating_mul(self.size).min(rows.len());
        let chosen = &rows[start..start.saturating_add(self.size).min(rows.len())];
        let total = if stuck { rows.len().max((self.page + 1).saturating_mul(self.size)) } else { rows.len() };
        let list = chosen.iter().map(|(_, record)| record.render(settings.row)).collect();
        let mut content = Tree::object([("rows", Tree::List(list))]);
        if !has(&Fault::TotalMissing) {
            content.set("total", Tree::int(total));
        }
        let mut condition = Tree::Object(Vec::new());
        for filter in &self.filters {
            let test = Tree::object([(filter.op.as_str(), Tree::text(filter.value.as_str()))]);
            condition.set(&filter.field, test);
        }
        content.set("condition", condition);
        Served { content, places: chosen.iter().map(|(place, _)| *place).collect() }
    }
}

impl Filter {
    fn holds(&self, content: &Tree) -> bool {
        let value = self.field.split('.').try_fold(content, |tree, part| tree.get(part)).and_then(Tree::scalar);
        let Some(value) = value else { return self.op == "$ne" };
        let order = compare(value, &self.value);
        match self.op.as_str() {
            "$eq" => order == Ordering::Equal,
            "$ne" => order != Ordering::Equal,
            "$gt" => order == Ordering::Greater,
            "$gte" => order != Ordering::Less,
            "$lt" => order == Ordering::Less,
            "$lte" => order != Ordering::Greater,
            "$in" => self.value.split(',').any(|other| compare(value, other) == Ordering::Equal),
            _ => value.contains(&self.value),
        }
    }
}

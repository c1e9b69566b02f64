//! Reads what a query asks: page, row version, dates, filters and fields.

use serde_json::{Map, Value};

use super::data::{Data, Entity};
use super::protocol::{Problem, refuse};
use super::settings::{Settings, SortOrder, TsBound, TsForm};
use crate::beijing;
use crate::table::between;

/// Most rows of a page.
const MOST: usize = 1_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// Parameters of a query, whatever holds them.
pub(crate) type Params = Map<String, Value>;

/// All that a query asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) page: usize,
    pub(crate) size: usize,
    ts: Option<i64>,
    updated: (Option<i64>, Option<i64>),
    made_on: Option<i64>,
    disabled: Option<bool>,
    pub(crate) id: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) external_code: Option<String>,
    warehouses: Option<Vec<String>>,
    inventories: Option<Vec<String>>,
}

impl Asked {
    /// The same without a row version, which gives the first page of all.
    pub(crate) fn rewound(self) -> Self {
        Self { ts: self.ts.map(|_| i64::MIN), ..self }
    }

    /// Whether it names a document.
    pub(crate) fn names_one(&self) -> bool {
        self.id.is_some() || self.code.is_some() || self.external_code.is_some()
    }
}

fn malformed(name: &str) -> Problem {
    refuse("999", format!("查询失败：参数 {name} 不正确"))
}

/// Reads the parameters of a query; those that it does not know are ignored without a word.
///
/// `paging` names the two page parameters. Names of filters may begin with one of the `roots`.
///
/// # Errors
/// `999` for a page number below 1, a size outside 1 to 1000, or a value of another type or form.
pub(crate) fn read(
    params: &Params,
    paging: (&str, &str),
    default_size: usize,
    roots: &[&str],
    settings: &Settings,
) -> Result<Asked, Problem> {
    let get = |name: &str| {
        let rooted = roots.iter().find_map(|root| params.get(&format!("{root}.{name}")));
        params.get(name).or(rooted).filter(|value| !value.is_null())
    };
    let text = |name: &str| match get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(malformed(name)),
    };
    let count = |name: &str, default: usize| match text(name)? {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|&count: &usize| count > 0).ok_or_else(|| malformed(name)),
    };
    let date = |name: &str| match text(name)? {
        None => Ok(None),
        Some(text) => beijing::parse(&text).map(Some).ok_or_else(|| malformed(name)),
    };
    let (page, size) = (count(paging.0, 1)?, count(paging.1, default_size)?);
    if size > MOST {
        return Err(malformed(paging.1));
    }
    let ts = match text("Ts")? {
        None => None,
        Some(text) => Some(version(&text, settings.ts).ok_or_else(|| malformed("Ts"))?),
    };
    let made_on = match text("MadeRecordDate")? {
        None => None,
        Some(day) => Some(beijing::parse(&format!("{day} 00:00:00")).ok_or_else(|| malformed("MadeRecordDate"))?),
    };
    let disabled = match get("Disabled") {
        None => None,
        Some(Value::Bool(flag)) => Some(*flag),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Some(true),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Some(false),
        Some(_) => return Err(malformed("Disabled")),
    };
    let codes = |name: &str| match get(name) {
        None => Ok(None),
        Some(Value::Array(list)) => {
            let code = |value: &Value| value.get("Code")?.as_str().map(ToOwned::to_owned);
            list.iter().map(code).collect::<Option<Vec<_>>>().map(Some).ok_or_else(|| malformed(name))
        }
        Some(_) => Err(malformed(name)),
    };
    Ok(Asked {
        page,
        size,
        ts,
        updated: (date("UpdateDateBegin")?, date("UpdateDateEnd")?),
        made_on,
        disabled,
        id: text("ID")?,
        code: text("Code")?,
        external_code: text("ExternalCode")?,
        warehouses: codes("Warehouse")?,
        inventories: codes("Inventory")?,
    })
}

fn version(text: &str, form: TsForm) -> Option<i64> {
    match form {
        TsForm::Hex => i64::from_str_radix(text, 16).ok(),
        TsForm::Number => text.parse().ok(),
    }
}

/// The rows that a query finds, in order: by row version if one is given, else as [`Settings::order`] says.
///
/// Rows of the start have no `ExternalCode`, so that a query by one finds none of them.
pub(crate) fn find(data: &Data, entity: Entity, asked: &Asked, settings: &Settings) -> Vec<u32> {
    if asked.external_code.is_some() {
        return Vec::new();
    }
    let updated = (asked.updated.0.unwrap_or(i64::MIN), asked.updated.1.unwrap_or(i64::MAX));
    let mut seqs: Vec<u32> = match asked.ts {
        Some(ts) => {
            let from = if settings.ts_bound == TsBound::Exclusive { ts.saturating_add(1) } else { ts };
            between(data.by_ts(entity), from, i64::MAX).iter().map(|entry| entry.1).collect()
        }
        None => between(data.by_updated(entity), updated.0, updated.1).iter().map(|entry| entry.1).collect(),
    };
    if asked.ts.is_none() && settings.order == SortOrder::Id {
        seqs.sort_unstable();
    }
    seqs.retain(|&seq| {
        let row = data.row(entity, seq);
        let stock = || {
            let (warehouse, inventory, _) = data.stock(seq);
            let named = |codes: &Option<Vec<String>>, code: &str| {
                codes.as_ref().is_none_or(|codes| codes.is_empty() || codes.iter().any(|known| known == code))
            };
            named(&asked.warehouses, &Entity::Warehouse.code(warehouse))
                && named(&asked.inventories, &Entity::Inventory.code(inventory))
        };
        (updated.0..=updated.1).contains(&row.updated)
            && asked.made_on.is_none_or(|day| (day..day + DAY_MS).contains(&row.created))
            && asked.disabled.is_none_or(|flag| !has_flag(entity) || data.disabled(entity, seq) == flag)
            && asked.id.as_ref().is_none_or(|id| entity.seq_of_id(id) == Some(seq))
            && asked.code.as_ref().is_none_or(|code| entity.seq_of_code(code) == Some(seq))
            && (entity != Entity::CurrentStock || stock())
    });
    seqs
}

/// Whether records of an entity can be out of use.
pub(crate) fn has_flag(entity: Entity) -> bool {
    matches!(entity, Entity::Inventory | Entity::Partner | Entity::Warehouse | Entity::Person | Entity::Department)
}

/// The field names of `SelectFields`: one text with commas; an empty one selects all.
///
/// # Errors
/// `999` for anything else.
pub(crate) fn selected(params: &Params) -> Result<Option<Vec<String>>, Problem> {
    match params.get("SelectFields") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.split(',').map(|name| name.trim().to_owned()).collect())),
        Some(_) => Err(malformed("SelectFields")),
    }
}

/// The field names of `selectFields`: a list of texts that is not empty.
///
/// # Errors
/// `999` for anything else.
pub(crate) fn columns(params: &Params) -> Result<Vec<String>, Problem> {
    let list = params.get("selectFields").and_then(Value::as_array).filter(|list| !list.is_empty());
    let names = list.and_then(|list| list.iter().map(|name| name.as_str().map(ToOwned::to_owned)).collect());
    names.ok_or_else(|| malformed("selectFields"))
}

//! Takes documents: what each must hold, which keys are unique, and what is remembered of them, section 6 of the page.

use std::collections::BTreeMap;

use super::data::{Data, Entity};
use super::methods::{Natural, TARGETS, Target};
use super::protocol::{Problem, refuse};
use super::query::Asked;
use super::record::{Record, id_text, quoted};
use super::settings::{CreateAnswer, Settings};
use crate::fields::{Fields, decimal, need, part, text_of};
use crate::vendor::Received;
use crate::written::Written;

/// `ID` of the first document that is created.
const FIRST_ID: i64 = 1_999_900_000_000_000_001;

/// One document that was created.
#[derive(Clone, Debug)]
struct Made {
    id: i64,
    code: String,
    body: String,
}

/// All that was created.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    made: Vec<Made>,
    /// Positions in `made` by target and `ExternalCode`, by target and `Code`.
    by_external: BTreeMap<(&'static str, String), usize>,
    by_code: BTreeMap<(&'static str, String), usize>,
    written: BTreeMap<&'static str, Written>,
}

impl Writes {
    /// Creates a document and gives the answer's body.
    ///
    /// # Errors
    /// - `999` for a body without `dto`, a field that is missing or malformed, an unknown customer, warehouse or inventory
    ///   record, a voucher whose sides differ, and a `Code` that is there already;
    /// - [`Settings::duplicate_code`] for an `ExternalCode` that is there already.
    pub(crate) fn create(
        &mut self,
        target: Target,
        body: &str,
        data: &Data,
        settings: &Settings,
    ) -> Result<String, Problem> {
        let failed = |message: String| refuse("999", format!("保存失败：{message}"));
        let body: Fields<'_> = serde_json::from_str(body).map_err(|_| failed("请求体须为 JSON 对象".to_owned()))?;
        let text = body.get("dto").ok_or_else(|| failed("缺少 dto".to_owned()))?.get();
        let dto: Fields<'_> = part(&body, "dto").map_err(failed)?;
        let exists = |entity: Entity, code: &str| {
            let created = TARGETS.iter().find(|target| target.entity == Some(entity));
            !settings.known_codes_only
                || data.has_code(entity, code)
                || created.is_some_and(|target| self.by_code.contains_key(&(target.name, code.to_owned())))
        };
        check(target, &dto, &exists).map_err(failed)?;

        let external = text_of(&dto, "ExternalCode").filter(|code| !code.is_empty());
        if let Some(external) = &external
            && self.by_external.contains_key(&(target.name, external.clone()))
        {
            self.written.entry(target.name).or_default().knock(external);
            return Err(refuse(&settings.duplicate_code, "外部系统数据编号重复"));
        }
        let code = text_of(&dto, "Code").filter(|code| !code.is_empty());
        if let Some(code) = &code {
            let seeded = target.entity.is_some_and(|entity| data.has_code(entity, code));
            if seeded || self.by_code.contains_key(&(target.name, code.clone())) {
                if external.is_none() {
                    self.written.entry(target.name).or_default().knock(code);
                }
                return Err(failed(format!("编号重复：{code}")));
            }
        }
        let place = self.made.len();
        let id = FIRST_ID + i64::try_from(place).unwrap_or(i64::MAX - FIRST_ID);
        let code = code.unwrap_or_else(|| format!("AUTO-{:07}", place + 1));
        let key = external.clone().unwrap_or_else(|| code.clone());
        self.by_code.insert((target.name, code.clone()), place);
        if let Some(external) = external {
            self.by_external.insert((target.name, external), place);
        }
        self.written.entry(target.name).or_default().add(&key, id.to_string(), text);
        let answer = match (settings.created, target.answer) {
            (CreateAnswer::Null, _) | (CreateAnswer::OfEntity, Natural::Null) => "null".to_owned(),
            (CreateAnswer::Id, _) | (CreateAnswer::OfEntity, Natural::Id) => quoted(&id.to_string()),
            (CreateAnswer::Object, _) | (CreateAnswer::OfEntity, Natural::Object) => format!(
                "{{\"code\":\"0\",\"message\":\"\",\"data\":{{\"ID\":{},\"Code\":{}}}}}",
                id_text(settings.ids, id),
                quoted(&code)
            ),
        };
        self.made.push(Made { id, code, body: text.to_owned() });
        Ok(answer)
    }

    /// The created documents that a query by number finds.
    pub(crate) fn find(&self, entity: Entity, asked: &Asked, settings: &Settings) -> Vec<Record> {
        let Some(target) = TARGETS.iter().find(|target| target.entity == Some(entity)) else { return Vec::new() };
        if !asked.names_one() {
            return Vec::new();
        }
        let place = |index: &BTreeMap<(&'static str, String), usize>, key: &Option<String>| {
            key.as_ref().map(|key| index.get(&(target.name, key.clone())).copied())
        };
        let by_id = asked.id.as_ref().map(|id| {
            let place = id.parse::<i64>().ok().and_then(|id| usize::try_from(id.checked_sub(FIRST_ID)?).ok());
            place.filter(|&place| self.is_of(target.name, place))
        });
        let named = [place(&self.by_external, &asked.external_code), place(&self.by_code, &asked.code), by_id];
        let mut places = named.into_iter().flatten();
        let Some(Some(first)) = places.next() else { return Vec::new() };
        if places.any(|place| place != Some(first)) {
            return Vec::new();
        }
        vec![self.as_record(first, settings)]
    }

    fn is_of(&self, target: &'static str, place: usize) -> bool {
        let code = self.made.get(place).map(|made| made.code.clone());
        code.is_some_and(|code| self.by_code.get(&(target, code)) == Some(&place))
    }

    fn as_record(&self, place: usize, settings: &Settings) -> Record {
        let made = &self.made[place];
        let mut record = Record::new(settings);
        record.id("ID", made.id);
        record.text("Code", made.code.as_str());
        let fields: Fields<'_> = serde_json::from_str(&made.body).expect("only objects are kept");
        for (name, json) in fields {
            if name != "ID" && name != "Code" {
                record.sent(&name, json.get());
            }
        }
        record
    }

    /// Documents by target, for the control endpoint.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.written.iter().map(|(&name, written)| (CREATED[place(name)], written.count()))
    }

    /// What was written to a target.
    pub(crate) fn received(&self, target: &str) -> Option<Vec<Received>> {
        let target = TARGETS.iter().find(|known| known.name == target)?;
        Some(self.written.get(target.name).map(Written::received).unwrap_or_default())
    }
}

/// What the control endpoints call the documents created, in the order of [`TARGETS`].
const CREATED: [&str; TARGETS.len()] = [
    "created-inventory",
    "created-partner",
    "created-person",
    "created-saleOrder",
    "created-saleDelivery",
    "created-purchaseOrder",
    "created-purchaseArrival",
    "created-otherReceive",
    "created-otherDispatch",
    "created-saleDispatch",
    "created-doc",
];

fn place(name: &str) -> usize {
    TARGETS.iter().position(|target| target.name == name).expect("only targets are written to")
}

/// Whether a record of that code is there, or need not be.
type Exists<'a> = &'a dyn Fn(Entity, &str) -> bool;

/// Judges a document.
fn check(target: Target, dto: &Fields<'_>, exists: Exists<'_>) -> Result<(), String> {
    for name in target.needs {
        need(dto, name)?;
    }
    if let Some(date) = text_of(dto, "VoucherDate") {
        let plain = crate::beijing::parse(&format!("{date} 00:00:00")).is_some();
        plain.then_some(()).ok_or_else(|| format!("VoucherDate 须为 yyyy-MM-dd：{date}"))?;
    }
    if matches!(target.name, "saleOrder" | "saleDelivery") {
        known(dto, "Customer", Entity::Partner, exists, true)?;
    }
    known(dto, "Warehouse", Entity::Warehouse, exists, false)?;
    let Some(lines) = target.lines else { return Ok(()) };
    let lines: Vec<Fields<'_>> = part(dto, lines)?;
    if lines.is_empty() {
        return Err("明细不能为空".to_owned());
    }
    if target.name == "doc" {
        return balanced(dto, &lines);
    }
    for line in &lines {
        known(line, "Inventory", Entity::Inventory, exists, true)?;
        let quantity = need(line, "Quantity")?;
        decimal(&quantity).ok_or_else(|| format!("Quantity 不是数字：{quantity}"))?;
    }
    Ok(())
}

/// Judges an object that names a record by its `Code`.
fn known(fields: &Fields<'_>, name: &str, entity: Entity, exists: Exists<'_>, needed: bool) -> Result<(), String> {
    if !needed && fields.get(name).is_none_or(|json| json.get() == "null") {
        return Ok(());
    }
    let object: Fields<'_> = part(fields, name)?;
    let code = need(&object, "Code").map_err(|_| format!("必填数据为空：{name}.Code"))?;
    if exists(entity, &code) { Ok(()) } else { Err(format!("{name} 不存在：{code}")) }
}

/// Judges a voucher: its kind, and that its sides are equal.
fn balanced(dto: &Fields<'_>, lines: &[Fields<'_>]) -> Result<(), String> {
    let kind: Fields<'_> = part(dto, "DocType")?;
    need(&kind, "Code").map_err(|_| "必填数据为空：DocType.Code".to_owned())?;
    let mut difference = 0;
    for line in lines {
        for (name, sign) in [("AmountDr", 1), ("AmountCr", -1)] {
            if let Some(text) = text_of(line, name) {
                difference += sign * decimal(&text).ok_or_else(|| format!("{name} 不是金额：{text}"))?;
            }
        }
    }
    if difference == 0 { Ok(()) } else { Err("借贷不平衡".to_owned()) }
}

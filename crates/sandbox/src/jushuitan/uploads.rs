//! Takes uploads of orders, SKUs and inventory adjustments, row by row, section 7 of the page.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::data::{CATEGORIES, Data, Entity, sku_of};
use super::methods::{By, Target};
use super::protocol::{Problem, refuse};
use super::query;
use super::settings::Repeat;
use crate::beijing;
use crate::fields::{Fields, decimal, need, part, text_of};
use crate::json::Json;
use crate::vendor::Received;
use crate::written::Written;

/// Most orders of one call.
const MOST_ORDERS: usize = 50;
/// Most lines of one inventory adjustment.
const MOST_LINES: usize = 500;

/// All that was uploaded.
#[derive(Debug)]
pub(crate) struct Uploads {
    orders: Written,
    skus: Written,
    inventory: Written,
    /// What the order query says of an uploaded order beside what was sent: modified time and row version.
    stamps: BTreeMap<String, (i64, i64)>,
    repeat: Repeat,
}

/// What became of one row: its id, or why it was refused.
type Outcome = Result<String, String>;

impl Uploads {
    pub(crate) fn new(repeat: Repeat) -> Self {
        Self {
            orders: Written::default(),
            skus: Written::default(),
            inventory: Written::default(),
            stamps: BTreeMap::new(),
            repeat,
        }
    }

    /// Takes one call and writes a result for each of its rows; gives the number of rows that were taken.
    ///
    /// # Errors
    /// `140` if `biz` has another form or too many rows, `130` if it has none; then nothing is done.
    pub(crate) fn take(
        &mut self,
        target: Target,
        biz: &str,
        data: &mut Data,
        now_ms: i64,
        out: &mut Json,
    ) -> Result<usize, Problem> {
        let rows = rows(target, biz)?;
        let mut taken = 0;
        out.begin_list("datas");
        for (row, text) in &rows {
            let (id, success, number) = match target {
                Target::Orders => ("o_id", "issuccess", "so_id"),
                Target::Skus => ("", "is_success", "sku_id"),
                Target::Inventory => ("io_id", "issuccess", "so_id"),
            };
            let outcome = match target {
                Target::Orders => self.order(row, text, data, now_ms),
                Target::Skus => self.sku(row, text),
                Target::Inventory => self.adjustment(row, text, data),
            };
            out.begin();
            if !id.is_empty() {
                out.literal(id, outcome.as_deref().unwrap_or("null"));
            }
            out.text(number, &text_of(row, number).unwrap_or_default());
            out.literal(success, if outcome.is_ok() { "true" } else { "false" });
            out.text("msg", outcome.as_ref().err().map_or("", String::as_str));
            out.end();
            taken += usize::from(outcome.is_ok());
        }
        out.end_list();
        Ok(taken)
    }

    /// An order; the same shop and `so_id` again changes the order that is there.
    fn order(&mut self, row: &Fields<'_>, text: &str, data: &mut Data, now_ms: i64) -> Outcome {
        let (shop, so) = (need(row, "shop_id")?, need(row, "so_id")?);
        let status = need(row, "shop_status")?;
        need(row, "order_date")?;
        let known = Entity::Shops.seq_of_id(&shop).is_some_and(|seq| seq < data.n_shops);
        if !known {
            return Err(format!("店铺编号不存在：{shop}"));
        }
        let lines: Vec<Fields<'_>> = part(row, "items")?;
        if lines.is_empty() {
            return Err("必填数据为空：items".to_owned());
        }
        let amount = |fields: &Fields<'_>, name: &str| match text_of(fields, name) {
            None => Ok(0),
            Some(text) => decimal(&text).ok_or_else(|| format!("{name} 不是金额：{text}")),
        };
        let mut sum = amount(row, "freight")? - amount(row, "free_amount")?;
        for line in &lines {
            need(line, "sku_id")?;
            need(line, "amount")?;
            sum += amount(line, "amount")?;
        }
        need(row, "pay_amount")?;
        if sum != amount(row, "pay_amount")? {
            return Err("保存失败：商品金额 - 优惠 + 运费 不等于应付金额".to_owned());
        }
        if status == "WAIT_BUYER_PAY" && row.get("pay").is_some_and(|pay| pay.get() != "null") {
            return Err("保存失败：待付款订单不能有支付信息".to_owned());
        }
        let key = format!("{shop}/{so}");
        self.stamps.insert(key.clone(), (now_ms, data.fresh_ts()));
        if let Some(id) = self.orders.knock(&key).last().cloned() {
            self.orders.rewrite(&key, text);
            return Ok(id);
        }
        let id = (90_000_001 + self.orders.count()).to_string();
        self.orders.add(&key, id.clone(), text);
        Ok(id)
    }

    /// An SKU; the same `sku_id` again changes the SKU that is there.
    fn sku(&mut self, row: &Fields<'_>, text: &str) -> Outcome {
        let sku = need(row, "sku_id")?;
        need(row, "i_id")?;
        need(row, "name")?;
        for field in ["c_name", "category"] {
            let Some(name) = text_of(row, field).filter(|name| !name.is_empty()) else { continue };
            match CATEGORIES.iter().find(|(known, _)| *known == name) {
                None => return Err(format!("保存失败：类目不存在：{name}")),
                Some((_, true)) => return Err(format!("保存失败：不是末级类目：{name}")),
                Some((_, false)) => {}
            }
        }
        if self.skus.knock(&sku).is_empty() {
            self.skus.add(&sku, sku.clone(), text);
        } else {
            self.skus.rewrite(&sku, text);
        }
        Ok(sku)
    }

    /// An inventory adjustment: the whole document or nothing of it.
    fn adjustment(&mut self, row: &Fields<'_>, text: &str, data: &Data) -> Outcome {
        let so = need(row, "so_id")?;
        let kind = need(row, "type")?;
        if kind != "check" && kind != "adjust" {
            return Err(format!("保存失败：type 须为 check 或 adjust：{kind}"));
        }
        if let Some(warehouse) = text_of(row, "wms_co_id") {
            let known = warehouse.parse().ok().and_then(Entity::inventory_of);
            known.ok_or_else(|| format!("保存失败：仓库不存在：{warehouse}"))?;
        }
        let lines: Vec<Fields<'_>> = part(row, "items")?;
        if lines.is_empty() {
            return Err("必填数据为空：items".to_owned());
        }
        for line in &lines {
            let (sku, qty) = (need(line, "sku_id")?, need(line, "qty")?);
            if !self.knows(&sku, data) {
                return Err(format!("保存失败：商品编码不存在：{sku}"));
            }
            decimal(&qty).ok_or_else(|| format!("保存失败：qty 不是数字：{qty}"))?;
        }
        if let Some(id) = self.inventory.knock(&so).last().cloned() {
            return match self.repeat {
                Repeat::SameDocument => Ok(id),
                Repeat::Refused => Err(format!("保存失败：so_id 已存在：{so}")),
            };
        }
        let id = (95_000_001 + self.inventory.count()).to_string();
        self.inventory.add(&so, id.clone(), text);
        Ok(id)
    }

    fn knows(&self, sku: &str, data: &Data) -> bool {
        let seeded = sku_of(sku).is_some_and(|sku| sku < data.n_skus());
        seeded || self.skus.has(sku)
    }

    /// The uploaded orders that a query by numbers finds, as JSON texts.
    pub(crate) fn orders_asked(&self, biz: &serde_json::Map<String, Value>) -> Vec<String> {
        let numbers = |field: &str| query::numbers(biz.get(field), By::Own).ok().flatten();
        let (so_ids, o_ids) = (numbers("so_ids"), numbers("o_ids"));
        if so_ids.is_none() && o_ids.is_none() {
            return Vec::new();
        }
        let wanted = |numbers: &Option<Vec<String>>, number: &str| {
            numbers.as_ref().is_none_or(|numbers| numbers.iter().any(|wanted| wanted == number))
        };
        let found = self
            .orders
            .newest()
            .filter(|(key, id, _)| wanted(&so_ids, key.split_once('/').map_or("", |(_, so)| so)) && wanted(&o_ids, id));
        found.map(|(key, id, body)| self.as_row(key, id, body)).collect()
    }

    fn as_row(&self, key: &str, id: &str, body: &str) -> String {
        let mut fields: Fields<'_> = serde_json::from_str(body).expect("only objects are kept");
        let (modified, ts) = self.stamps.get(key).copied().unwrap_or_default();
        for name in ["o_id", "status", "modified", "ts"] {
            fields.remove(name);
        }
        let mut out = Json::default();
        out.begin();
        out.literal("o_id", id);
        out.text("status", "WaitConfirm");
        out.text("modified", &beijing::format(modified));
        out.int("ts", ts);
        for (name, value) in fields {
            out.key(&name);
            out.raw(value.get());
        }
        out.end();
        out.into_string()
    }

    /// Documents by target, for the control endpoint.
    pub(crate) fn counts(&self) -> [(&'static str, usize); 3] {
        [
            ("uploaded-inventory", self.inventory.count()),
            ("uploaded-orders", self.orders.count()),
            ("uploaded-skus", self.skus.count()),
        ]
    }

    /// What was written to a target.
    pub(crate) fn received(&self, target: &str) -> Option<Vec<Received>> {
        match target {
            "orders" => Some(self.orders.received()),
            "skus" => Some(self.skus.received()),
            "inventory" => Some(self.inventory.received()),
            _ => None,
        }
    }
}

/// The rows of a call, each with its text as it was sent.
fn rows(target: Target, biz: &str) -> Result<Vec<(Fields<'_>, &str)>, Problem> {
    #[derive(Deserialize)]
    struct Items<'a> {
        #[serde(borrow)]
        items: Vec<&'a RawValue>,
    }
    let malformed = || refuse("140", "参数不符合规范：biz");
    let is_list = biz.trim_start().starts_with('[');
    let texts: Vec<&RawValue> = match target {
        Target::Orders => serde_json::from_str(biz).map_err(|_| malformed())?,
        Target::Skus => serde_json::from_str::<Items<'_>>(biz).map_err(|_| malformed())?.items,
        Target::Inventory if is_list => serde_json::from_str(biz).map_err(|_| malformed())?,
        Target::Inventory => vec![serde_json::from_str(biz).map_err(|_| malformed())?],
    };
    if texts.is_empty() {
        return Err(refuse("130", "必填数据为空：biz"));
    }
    if target == Target::Orders && texts.len() > MOST_ORDERS {
        return Err(refuse("140", format!("参数不符合规范：一次最多 {MOST_ORDERS} 单")));
    }
    let mut rows = Vec::new();
    for text in texts {
        let fields: Fields<'_> = serde_json::from_str(text.get()).map_err(|_| malformed())?;
        rows.push((fields, text.get()));
    }
    if target == Target::Inventory {
        let lines = |row: &Fields<'_>| part::<Vec<&RawValue>>(row, "items").map_or(0, |lines| lines.len());
        if rows.iter().any(|(row, _)| lines(row) > MOST_LINES) {
            return Err(refuse("140", format!("参数不符合规范：items 最多 {MOST_LINES} 行")));
        }
    }
    Ok(rows)
}

//! Writes the rows of each entity, with the vendor's mixture of numbers and texts.

mod documents;
mod items;
mod orders;

use super::data::{CARRIERS, CATEGORIES, Data, Entity, WAREHOUSES};
use super::settings::{Settings, TsForm};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;
use crate::table::Row;

/// One row on its way out.
#[derive(Clone, Copy)]
struct Place<'a> {
    data: &'a Data,
    entity: Entity,
    seq: u32,
    row: &'a Row,
    ts: TsForm,
}

impl Place<'_> {
    fn id(&self) -> i64 {
        self.entity.id(self.seq)
    }

    /// Seeded numbers of this row.
    fn dice(&self) -> Dice {
        Dice::new(self.data.seed, 1_100 + self.entity.place(), u64::from(self.seq))
    }

    /// `modified`, `ts` where the entity has it, and the text that says the version.
    fn stamps(&self, with_ts: bool, out: &mut Json) {
        out.text("modified", &beijing::format(self.row.updated));
        if with_ts {
            let ts = self.data.ts(self.entity, self.seq);
            match self.ts {
                TsForm::Number => out.int("ts", ts),
                TsForm::Text => out.format("ts", format_args!("{ts}")),
            }
        }
        out.format("remark", format_args!("v{}", self.row.version));
    }
}

/// Writes a row as a list element.
pub(crate) fn element(data: &Data, settings: &Settings, entity: Entity, seq: u32, out: &mut Json) {
    let place = Place { data, entity, seq, row: data.row(entity, seq), ts: settings.ts };
    out.begin();
    match entity {
        Entity::Orders => orders::order(place, out),
        Entity::AfterSale => orders::after_sale(place, out),
        Entity::ReturnReceipts => orders::return_receipt(place, out),
        Entity::StockOut => orders::stock_out(place, out),
        Entity::Logistics => orders::logistics(place, out),
        Entity::Skus => items::sku(place, out),
        Entity::Items => items::style(place, out),
        Entity::ShopSkus => items::shop_sku(place, out),
        Entity::Combos => items::combo(place, out),
        Entity::Inventory | Entity::InventoryMain | Entity::InventoryEast | Entity::InventorySouth => {
            items::inventory(place, out);
        }
        Entity::Stocktakes => documents::stocktake(place, out),
        Entity::PurchaseOrders => documents::purchase_order(place, out),
        Entity::PurchaseIn | Entity::PurchaseReturns => documents::purchase_move(place, out),
        Entity::OtherInOut => documents::other_in_out(place, out),
        Entity::Transfers => documents::transfer(place, out),
        Entity::Shops => shop(place, out),
        Entity::Suppliers => supplier(place, out),
        Entity::Warehouses => warehouse(place, out),
        Entity::Carriers => carrier(place, out),
        Entity::Categories => category(place, out),
    }
    out.end();
}

fn null(key: &str, out: &mut Json) {
    out.literal(key, "null");
}

/// Money as a number: the shortest, or with both decimals in one of five rows.
fn money(key: &str, fen: i64, seq: u32, out: &mut Json) {
    if seq.is_multiple_of(5) {
        out.literal(key, &format!("{}.{:02}", fen / 100, fen % 100));
    } else {
        out.hundredths_number(key, fen);
    }
}

/// An amount that is `""` when the vendor has none.
fn maybe_money(key: &str, fen: Option<i64>, out: &mut Json) {
    match fen {
        Some(fen) => out.hundredths_number(key, fen),
        None => out.text(key, ""),
    }
}

/// A time with milliseconds in one of two rows.
fn created(key: &str, ms: i64, seq: u32, out: &mut Json) {
    let text = beijing::format(ms);
    if seq.is_multiple_of(2) {
        out.format(key, format_args!("{text}.{:03}", ms.rem_euclid(1_000)));
    } else {
        out.text(key, &text);
    }
}

fn time(key: &str, ms: Option<i64>, out: &mut Json) {
    match ms {
        Some(ms) => out.text(key, &beijing::format(ms)),
        None => null(key, out),
    }
}

fn shop(place: Place<'_>, out: &mut Json) {
    const SITES: [(&str, &str); 4] =
        [("淘宝天猫", "示例旗舰店"), ("拼多多", "示例拼多多店"), ("京东", "示例京东店"), ("商家自有商城", "线下门店")];
    let (site, name) = SITES[(place.seq % 4) as usize];
    out.int("shop_id", place.id());
    out.format("shop_name", format_args!("{name}{}", place.seq + 1));
    out.int("co_id", WAREHOUSES[0].0);
    out.text("shop_site", site);
    out.text("nick", name);
    out.text("created", &beijing::format(place.row.created));
    match place.seq % 2 {
        0 => out.text("session_expired", "------永久授权------"),
        _ => out.text("session_expired", "2030-01-01 00:00:00"),
    }
    null("short_name", out);
    out.format("remark", format_args!("v{}", place.row.version));
}

fn supplier(place: Place<'_>, out: &mut Json) {
    out.int("supplier_id", place.id());
    out.format("supplier_code", format_args!("GYS{:04}", place.seq + 1));
    out.format("name", format_args!("{}号供应商", place.seq + 1));
    out.literal("enabled", if place.seq % 7 == 3 { "-1" } else { "1" });
    null("group", out);
    place.stamps(false, out);
}

fn warehouse(place: Place<'_>, out: &mut Json) {
    out.int("wms_co_id", place.id());
    out.int("co_id", WAREHOUSES[0].0);
    out.text("name", WAREHOUSES[place.seq as usize].1);
    out.literal("is_main", if place.seq == 0 { "true" } else { "false" });
    out.text("status", "生效");
    out.format("remark1", format_args!("v{}", place.row.version));
    null("remark2", out);
}

fn carrier(place: Place<'_>, out: &mut Json) {
    let (id, name) = CARRIERS[place.seq as usize];
    out.text("lc_id", id);
    out.text("lc_name", name);
    out.literal("enabled", "1");
    place.stamps(false, out);
}

fn category(place: Place<'_>, out: &mut Json) {
    let (name, is_parent) = CATEGORIES[place.seq as usize];
    out.int("c_id", place.id());
    let above = (0..=place.seq).rev().find(|&seq| CATEGORIES[seq as usize].1);
    out.int("parent_c_id", above.filter(|_| !is_parent).map_or(0, |seq| Entity::Categories.id(seq)));
    out.text("name", name);
    out.literal("enabled", "1");
    place.stamps(false, out);
}

//! SKUs, styles, shop SKUs, combos and inventory.

use super::super::awkward;
use super::super::data::{Entity, VARIANTS, combo_id, shop_sku_id, sku_id, style_id};
use super::{Place, money, null};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;

pub(super) fn sku(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, row, .. } = place;
    let mut dice = place.dice();
    let facts = data.sku(seq);
    let (colour, size) = VARIANTS[(seq % 3) as usize];
    out.text("sku_id", &sku_id(seq));
    out.int("autoid", awkward::AUTOID + 2 * i64::from(seq));
    out.text("i_id", &style_id(seq / 3));
    out.text("name", facts.name);
    null("short_name", out);
    money("sale_price", facts.price, seq, out);
    money("cost_price", facts.cost, seq, out);
    null("market_price", out);
    out.format("properties_value", format_args!("{colour};{size}"));
    out.text("color", colour);
    out.int("c_id", Entity::Categories.id(1 + seq % 3));
    out.text("category", "上衣");
    out.text("pic", "https://img.example.test/a.jpg");
    null("pic_big", out);
    out.literal("enabled", dice.pick(&["1", "1", "1", "0", "-1"]));
    if seq == 0 {
        out.literal("weight", awkward::WEIGHT);
    } else {
        out.hundredths_number("weight", facts.weight);
    }
    out.text("brand", "示例");
    out.format("supplier_id", format_args!("{}", Entity::Suppliers.id(seq % data.n_suppliers)));
    out.format("supplier_name", format_args!("{}号供应商", seq % data.n_suppliers + 1));
    null("supplier_sku_id", out);
    out.format("sku_code", format_args!("690{:010}", seq * 13));
    out.text("vc_name", "");
    out.text("sku_type", "normal");
    out.text("item_type", "成品");
    out.int("stock_disabled", 0);
    out.text("unit", "件");
    null("shelf_life", out);
    out.text("labels", dice.pick(&["新品", "", "新品,清仓"]));
    out.int("l", 30);
    out.int("w", 20);
    out.literal("h", "2.5");
    out.literal("is_series_number", "false");
    null("other_price_1", out);
    out.text("other_1", "夏季");
    out.text("stock_type", "启用同步");
    out.format("sku_codes", format_args!("690{:010},690{:010}", seq * 13 + 1, seq * 13 + 2));
    out.int("creator", 1);
    out.text("created", &beijing::format(row.created));
    out.text("batch_enabled", "false");
    place.stamps(false, out);
}

pub(super) fn style(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, row, .. } = place;
    let facts = data.sku(seq * 3);
    out.text("i_id", &style_id(seq));
    out.text("name", facts.name);
    out.int("c_id", Entity::Categories.id(1 + seq % 3));
    money("s_price", facts.price, seq, out);
    money("c_price", facts.cost, seq, out);
    out.text("brand", "示例");
    out.text("created", &beijing::format(row.created));
    place.stamps(false, out);
    out.begin_list("skus");
    for sku in seq * 3..seq * 3 + 3 {
        out.begin();
        out.text("sku_id", &sku_id(sku));
        out.text("i_id", &style_id(seq));
        money("sale_price", facts.price, sku, out);
        out.end();
    }
    out.end_list();
}

pub(super) fn shop_sku(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, .. } = place;
    out.int("shop_id", data.shop_of(seq));
    out.text("shop_sku_id", &shop_sku_id(seq));
    out.format("shop_i_id", format_args!("69175290{:011}", seq / 3));
    out.text("sku_id", &sku_id(seq));
    out.text("i_id", &style_id(seq / 3));
    out.text("sku_code", "");
    out.literal("enabled", "1");
    place.stamps(false, out);
}

pub(super) fn combo(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, .. } = place;
    let facts = data.sku(seq * 12);
    out.text("sku_id", &combo_id(seq));
    out.format("i_id", format_args!("ZH{:05}", seq + 1));
    out.format("name", format_args!("{}组合", facts.name));
    money("sale_price", facts.price * 2, seq, out);
    out.literal("enabled", "1");
    out.text("sku_type", "combine");
    place.stamps(false, out);
    out.begin_list("items");
    for sku in [seq * 3, (seq * 3 + 1) % data.n_skus()] {
        out.begin();
        out.text("src_sku_id", &sku_id(sku));
        out.int("qty", 1 + i64::from(sku % 2));
        out.end();
    }
    out.end_list();
}

/// The row of one warehouse or of all; it does not name the warehouse.
///
/// Each change adds one to `qty`, so that the sum of all warehouses is the sum of their rows.
pub(super) fn inventory(place: Place<'_>, out: &mut Json) {
    let Place { data, entity, seq, .. } = place;
    let facts = data.sku(seq);
    let qty_of = |entity: Entity| {
        let start = Dice::new(data.seed, 1_200 + entity.place(), u64::from(seq)).below(500);
        start + i64::from(data.row(entity, seq).version)
    };
    let warehouses = [Entity::InventoryMain, Entity::InventoryEast, Entity::InventorySouth];
    let qty = if entity == Entity::Inventory { warehouses.map(qty_of).iter().sum() } else { qty_of(entity) };
    out.text("sku_id", &sku_id(seq));
    out.text("i_id", &style_id(seq / 3));
    out.text("name", facts.name);
    out.int("qty", qty);
    out.int("order_lock", qty / 10);
    out.int("pick_lock", 0);
    out.int("virtual_qty", 0);
    out.int("purchase_qty", i64::from(seq % 4) * 10);
    out.int("return_qty", 0);
    out.int("in_qty", 0);
    out.int("defective_qty", i64::from(seq % 9 == 4));
    null("min_qty", out);
    null("max_qty", out);
    place.stamps(true, out);
}

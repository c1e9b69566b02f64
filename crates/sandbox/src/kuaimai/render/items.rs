//! Items with their SKUs, and stock.

use super::super::data::{Entity, WAREHOUSES, World};
use crate::dice::Dice;
use crate::json::Json;
use crate::table::Row;

/// An item with its SKUs.
pub(super) fn item(world: &World, seq: u32, row: &Row, out: &mut Json) {
    let mut dice = Dice::new(world.seed, 1_020, u64::from(seq));
    let facts = world.item(seq);
    let combo = seq % 30 == 11;
    out.begin();
    out.int("sysItemId", Entity::Items.id(seq));
    out.format("outerId", format_args!("ITEM-{}", seq + 1));
    out.text("title", facts.title);
    out.literal("shortTitle", "null");
    out.format("barcode", format_args!("690{seq:010}"));
    out.text("type", if combo { "1" } else { "0" });
    out.int("typeTag", 0);
    out.int("activeStatus", i64::from(!dice.chance(5)));
    out.int("isVirtual", 0);
    out.int("isSkuItem", 1);
    out.literal("makeGift", "false");
    out.int("hasSupplier", 1);
    out.text("catId", "");
    out.text("unit", "件");
    out.hundredths_number("purchasePrice", facts.cost);
    out.hundredths_number("priceOutput", facts.price);
    out.hundredths_number("marketPrice", facts.price * 3 / 2);
    out.hundredths_number("weight", facts.weight);
    out.int("x", 10 + dice.below(40));
    out.int("y", 10 + dice.below(30));
    out.literal("z", dice.pick(&["2.5", "3", "0.10", "12.75"]));
    out.literal("brand", "null");
    // HTML, as the vendor's remarks may hold.
    out.format("remark", format_args!("<p>夏季 v{}</p>", row.version));
    out.format("picPath", format_args!("https://img.example.test/{}.jpg", seq + 1));
    out.int("created", row.created);
    out.int("modified", row.updated);
    out.literal("classify", r#"{"id":11,"name":"服装","parentId":0,"fullName":"服装"}"#);
    out.literal("sellerCats", r#"[{"id":94385,"cid":-1,"name":"默认","fullName":"默认"}]"#);
    out.literal("customAttribute", r#"[{"definedKey":"季节","definedValue":"夏"}]"#);
    out.begin_list("skus");
    for number in world.skus_of(seq) {
        sku(world, number, row, out);
    }
    out.end_list();
    out.end();
}

/// An SKU, with the times of its item.
pub(super) fn sku(world: &World, seq: u32, row: &Row, out: &mut Json) {
    let item = world.item_of(seq);
    let facts = world.item(item);
    let (colour, size) = world.variant(seq);
    out.begin();
    out.int("sysSkuId", Entity::Stock.id(seq));
    out.int("sysItemId", Entity::Items.id(item));
    out.format("skuOuterId", format_args!("SKU{:06}", seq + 1));
    out.format("propertiesName", format_args!("{colour},{size}"));
    out.literal("propertiesAlias", "null");
    out.format("barcode", format_args!("691{seq:010}"));
    out.hundredths_number("purchasePrice", facts.cost);
    out.hundredths_number("priceOutput", facts.price);
    out.hundredths_number("weight", facts.weight);
    out.int("activeStatus", 1);
    out.int("created", row.created);
    out.int("modified", row.updated);
    if item % 30 == 11 {
        out.begin_list("suitSingleList");
        out.begin();
        out.int("sysSkuId", Entity::Stock.id(0));
        out.text("skuOuterId", "SKU000001");
        out.int("ratio", 2);
        out.end();
        out.end_list();
    } else {
        out.literal("suitSingleList", "null");
    }
    out.end();
}

/// The place of a stock entity's warehouse in [`WAREHOUSES`].
pub(crate) fn warehouse_of(entity: Entity) -> usize {
    match entity {
        Entity::StockEast => 1,
        Entity::StockSouth => 2,
        _ => 0,
    }
}

/// Quantities of an SKU in a warehouse: on hand, and locked by orders.
fn quantities(world: &World, entity: Entity, seq: u32, row: &Row) -> (i64, i64) {
    let place = 1_030 + entity.place() + 100 * u64::from(row.version);
    let mut dice = Dice::new(world.seed, place, u64::from(seq));
    let on_hand = dice.below(500);
    (on_hand, dice.below(on_hand / 4 + 1))
}

/// The stock of an SKU in a warehouse.
pub(super) fn stock(world: &World, entity: Entity, seq: u32, row: &Row, out: &mut Json) {
    let item = world.item_of(seq);
    let (colour, size) = world.variant(seq);
    let (on_hand, locked) = quantities(world, entity, seq, row);
    let (warehouse, code, name) = WAREHOUSES[warehouse_of(entity)];
    out.begin();
    out.int("sysItemId", Entity::Items.id(item));
    out.int("sysSkuId", Entity::Stock.id(seq));
    out.format("mainOuterId", format_args!("ITEM-{}", item + 1));
    out.format("skuOuterId", format_args!("SKU{:06}", seq + 1));
    out.text("title", world.item(item).title);
    out.format("propertiesName", format_args!("{colour},{size}"));
    out.int("wareHouseId", warehouse);
    out.text("wareHouseCode", code);
    out.text("wareHouseName", name);
    out.int("totalAvailableStock", on_hand);
    out.int("totalLockStock", locked);
    out.int("sellableNum", on_hand - locked);
    out.hundredths_number("purchasePrice", world.item(item).cost);
    out.int("stockModifiedTime", row.updated);
    out.format("remark", format_args!("v{}", row.version));
    out.end();
}

/// One element of `mainWareHousesStock`.
pub(super) fn stock_in_warehouse(world: &World, entity: Entity, seq: u32, row: &Row, out: &mut Json) {
    let (on_hand, locked) = quantities(world, entity, seq, row);
    let (warehouse, code, name) = WAREHOUSES[warehouse_of(entity)];
    out.begin();
    out.int("id", warehouse);
    out.text("code", code);
    out.text("name", name);
    out.int("totalNum", on_hand);
    out.int("lockNum", locked);
    out.int("sellableNum", on_hand - locked);
    out.end();
}

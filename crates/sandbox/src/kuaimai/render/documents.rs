//! Purchase and stock documents, and the base data: shops, suppliers, warehouses.

use super::super::data::{Entity, FIRST_SHOP, N_SUPPLIERS, SHOPS, WAREHOUSES, World};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;
use crate::table::Row;

/// What both the head and the lines of a document follow from.
struct Facts {
    supplier: u32,
    warehouse: (i64, &'static str, &'static str),
    other_warehouse: (i64, &'static str, &'static str),
    status: &'static str,
    /// SKU and count of each line.
    lines: Vec<(u32, i64)>,
}

fn facts(world: &World, entity: Entity, seq: u32) -> Facts {
    let mut dice = Dice::new(world.seed, 1_040 + entity.place(), u64::from(seq));
    let warehouse = dice.position(3) as usize;
    let n_lines = 1 + dice.below(5);
    Facts {
        supplier: dice.position(N_SUPPLIERS),
        warehouse: WAREHOUSES[warehouse],
        other_warehouse: WAREHOUSES[(warehouse + 1) % 3],
        status: dice.pick(&["WAIT_AUDIT", "AUDITED", "FINISHED"]),
        lines: (0..n_lines).map(|_| (dice.position(world.n_skus()), 1 + dice.below(200))).collect(),
    }
}

impl Facts {
    fn count(&self) -> i64 {
        self.lines.iter().map(|(_, count)| count).sum()
    }

    /// Total in fen.
    fn amount(&self, world: &World) -> i64 {
        self.lines.iter().map(|&(sku, count)| world.item(world.item_of(sku)).cost * count).sum()
    }
}

/// The head's fields, without the braces.
pub(super) fn head(world: &World, entity: Entity, seq: u32, row: &Row, out: &mut Json) {
    let facts = facts(world, entity, seq);
    let (warehouse, _, warehouse_name) = facts.warehouse;
    out.int("id", entity.id(seq));
    out.format("code", format_args!("{}{:06}", entity.prefix(), seq + 1));
    match entity {
        Entity::PurchaseOrders | Entity::PurchaseOrderArchive => {
            out.int("shortId", i64::from(seq) + 1);
            supplier_fields(facts.supplier, out);
        }
        Entity::Receipts | Entity::ReceiptArchive => {
            let order = if entity == Entity::Receipts { "CG" } else { "CGA" };
            out.format("purchaseOrderCode", format_args!("{order}{:06}", seq + 1));
            supplier_fields(facts.supplier, out);
        }
        Entity::PurchaseReturns | Entity::PurchaseReturnArchive => {
            out.format("outerCode", format_args!("OUT-{}", seq + 1));
            supplier_fields(facts.supplier, out);
        }
        Entity::OtherIn | Entity::OtherOut => {
            out.format("outerCode", format_args!("OUT-{}", seq + 1));
            out.int("businessType", 1 + i64::from(seq % 3));
        }
        Entity::Transfers => {
            let (other, _, other_name) = facts.other_warehouse;
            out.int("inWarehouseId", other);
            out.text("inWarehouseName", other_name);
            out.int("outWarehouseId", warehouse);
            out.text("outWarehouseName", warehouse_name);
        }
        _ => {}
    }
    if entity != Entity::Transfers {
        out.int("warehouseId", warehouse);
        out.text("warehouseName", warehouse_name);
    }
    out.text("status", facts.status);
    out.int("totalCount", facts.count());
    match entity {
        Entity::Stocktakes => {}
        Entity::Transfers => out.hundredths_number("totalAmount", facts.amount(world)),
        // Fen, as text now and then.
        _ if seq % 4 == 3 => out.format("totalAmount", format_args!("{}", facts.amount(world))),
        _ => out.int("totalAmount", facts.amount(world)),
    }
    times(entity, seq, row, out);
    out.text("createrName", "仓管员");
    out.format("remark", format_args!("v{}", row.version));
}

/// Numbers mostly; digit texts and date texts now and then, as with the vendor.
fn times(entity: Entity, seq: u32, row: &Row, out: &mut Json) {
    match entity {
        Entity::PurchaseReturns | Entity::PurchaseReturnArchive => {
            out.int("gmCreate", row.created);
            out.int("gmModified", row.updated);
        }
        Entity::Stocktakes => {
            out.text("created", &beijing::format(row.created));
            out.int("modified", row.updated);
        }
        Entity::OtherIn | Entity::OtherOut if seq % 10 == 3 => {
            out.format("created", format_args!("{}", row.created));
            out.format("modified", format_args!("{}", row.updated));
        }
        _ => {
            out.int("created", row.created);
            out.int("modified", row.updated);
        }
    }
}

fn supplier_fields(supplier: u32, out: &mut Json) {
    out.int("supplierId", Entity::Suppliers.id(supplier));
    out.format("supplierCode", format_args!("GYS{:03}", supplier + 1));
    out.format("supplierName", format_args!("供应商{}号", supplier + 1));
}

/// The lines, as the elements of a list.
pub(super) fn lines(world: &World, entity: Entity, seq: u32, out: &mut Json) {
    for (idx, (sku, count)) in (1..).zip(facts(world, entity, seq).lines) {
        let item = world.item_of(sku);
        let (colour, size) = world.variant(sku);
        let price = world.item(item).cost;
        out.begin();
        out.int("id", entity.id(seq) + 100_000_000_000_000 * idx);
        out.int("sysItemId", Entity::Items.id(item));
        out.int("sysSkuId", Entity::Stock.id(sku));
        out.format("itemOuterId", format_args!("ITEM-{}", item + 1));
        out.format("skuOuterId", format_args!("SKU{:06}", sku + 1));
        out.text("title", world.item(item).title);
        out.format("propertiesName", format_args!("{colour},{size}"));
        match entity {
            Entity::Stocktakes => {
                out.int("bookNum", count);
                out.int("realNum", count - i64::from(sku % 2));
            }
            Entity::Transfers => {
                out.int("count", count);
                out.hundredths_number("price", price);
                out.hundredths_number("amount", price * count);
            }
            _ => {
                out.int("count", count);
                if seq % 4 == 3 {
                    out.format("price", format_args!("{price}"));
                } else {
                    out.int("price", price);
                }
                out.int("amount", price * count);
            }
        }
        out.end();
    }
}

/// A shop.
pub(super) fn shop(seq: u32, out: &mut Json) {
    let (platform, title) = SHOPS[seq as usize % SHOPS.len()];
    out.begin();
    out.int("userId", FIRST_SHOP + i64::from(seq));
    out.text("title", title);
    out.text("shortTitle", title);
    out.text("source", platform);
    out.int("state", if seq == 6 { 4 } else { 3 });
    out.int("companyId", 10_001);
    out.end();
}

/// A supplier.
pub(super) fn supplier(seq: u32, row: &Row, out: &mut Json) {
    out.begin();
    out.int("id", Entity::Suppliers.id(seq));
    out.format("code", format_args!("GYS{:03}", seq + 1));
    out.format("name", format_args!("供应商{}号", seq + 1));
    out.text("contact", "王经理");
    out.int("status", 1);
    out.int("created", row.created);
    out.int("modified", row.updated);
    out.format("remark", format_args!("v{}", row.version));
    out.end();
}

/// A warehouse.
pub(super) fn warehouse(seq: u32, out: &mut Json) {
    let (id, code, name) = WAREHOUSES[seq as usize % WAREHOUSES.len()];
    out.begin();
    out.int("id", id);
    out.text("code", code);
    out.format("externalCode", format_args!("EXT-{code}"));
    out.text("name", name);
    out.int("status", 1);
    out.end();
}

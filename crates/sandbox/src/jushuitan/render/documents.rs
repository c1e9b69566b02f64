//! Stock documents: stocktakes, purchase orders, receipts, returns, other in/out and transfers.

use super::super::data::{Entity, WAREHOUSES, sku_id, so_id, style_id};
use super::{Place, created, money, null};
use crate::beijing;
use crate::json::Json;

/// What every stock document says of itself.
fn head(place: Place<'_>, with_ts: bool, out: &mut Json) {
    let Place { seq, row, .. } = place;
    out.int("io_id", place.id());
    out.text("io_date", &beijing::format(row.created));
    out.text("status", "Confirmed");
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    out.text("warehouse", WAREHOUSES[(seq % 3) as usize].1);
    created("created", row.created, seq, out);
    place.stamps(with_ts, out);
}

/// One to three lines, each with an SKU, its number and its cost; `key` names the line's own number.
fn lines(place: Place<'_>, key: &str, base: i64, received: bool, out: &mut Json) {
    let mut dice = place.dice();
    let n_lines = 1 + dice.below(3);
    let first = base + i64::from(place.seq) * 4;
    out.begin_list("items");
    for idx in 0..n_lines {
        let sku = dice.position(place.data.n_skus());
        let (facts, qty) = (place.data.sku(sku), 1 + dice.below(200));
        out.begin();
        out.int(key, first + idx);
        out.text("sku_id", &sku_id(sku));
        out.text("i_id", &style_id(sku / 3));
        out.text("name", facts.name);
        out.int("qty", qty);
        if received {
            out.int("in_qty", dice.below(qty + 1));
        }
        money("price", facts.cost, sku, out);
        money("amount", facts.cost * qty, sku, out);
        null("batch_id", out);
        out.end();
    }
    out.end_list();
}

fn supplier(place: Place<'_>, out: &mut Json) {
    let supplier = place.seq % place.data.n_suppliers;
    out.int("supplier_id", Entity::Suppliers.id(supplier));
    out.format("supplier_name", format_args!("{}号供应商", supplier + 1));
}

pub(super) fn stocktake(place: Place<'_>, out: &mut Json) {
    head(place, false, out);
    out.text("type", "盘点");
    lines(place, "ioi_id", 83_000_001, false, out);
}

/// `qty` is what was ordered; what came is in `in_qty`.
pub(super) fn purchase_order(place: Place<'_>, out: &mut Json) {
    let Place { seq, row, .. } = place;
    out.int("po_id", place.id());
    out.format("so_id", format_args!("WB{:012}", u64::from(seq) + 1));
    out.text("po_date", &beijing::format(row.created));
    out.text("status", place.dice().pick(&["Creating", "WaitConfirm", "Confirmed", "Finished"]));
    supplier(place, out);
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    out.literal("tax_rate", "13.00");
    place.stamps(false, out);
    lines(place, "poi_id", 84_000_001, true, out);
}

/// A receipt or a return; both name the purchase order.
pub(super) fn purchase_move(place: Place<'_>, out: &mut Json) {
    head(place, place.entity == Entity::PurchaseIn, out);
    out.int("po_id", Entity::PurchaseOrders.id(place.seq));
    supplier(place, out);
    lines(place, "ioi_id", 85_000_001, false, out);
}

pub(super) fn other_in_out(place: Place<'_>, out: &mut Json) {
    head(place, true, out);
    out.text("type", place.dice().pick(&["其它入库", "其它出库", "盘盈入库"]));
    lines(place, "ioi_id", 86_000_001, false, out);
}

pub(super) fn transfer(place: Place<'_>, out: &mut Json) {
    head(place, false, out);
    out.text("type", "调拨出");
    out.int("link_io_id", place.id() + 1);
    out.text("so_id", &so_id(place.seq));
    // So spelled by the vendor.
    out.text("lables", "加急,调拨");
    lines(place, "ioi_id", 87_000_001, false, out);
}

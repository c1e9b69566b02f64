//! Documents as JSON text, made anew at each call from seed, position and row.

mod documents;
mod items;
mod orders;

use super::data::{Data, Entity};
use crate::json::Json;

pub(crate) use orders::order_of_tid;

/// One element of a list answer.
///
/// Documents with a `.get` method come without their lines.
pub(crate) fn element(data: &Data, entity: Entity, seq: u32, out: &mut Json) {
    let (world, row) = (&data.world, data.table(entity).row(seq));
    match entity {
        Entity::Orders | Entity::Outstock => orders::order(world, entity, seq, row, out),
        Entity::SalesOut => orders::sales_out(world, seq, row, out),
        Entity::AfterSale => orders::after_sale(world, seq, row, out),
        Entity::ReturnReceipts => orders::return_receipt(world, seq, row, out),
        Entity::Items => items::item(world, seq, row, out),
        Entity::Stock | Entity::StockEast | Entity::StockSouth => items::stock(world, entity, seq, row, out),
        Entity::Shops => documents::shop(seq, out),
        Entity::Suppliers => documents::supplier(seq, row, out),
        Entity::Warehouses => documents::warehouse(seq, out),
        Entity::Transfers | Entity::Stocktakes => {
            out.begin();
            head_and_lines(data, entity, seq, out);
            out.end();
        }
        Entity::PurchaseOrders
        | Entity::Receipts
        | Entity::PurchaseReturns
        | Entity::OtherIn
        | Entity::OtherOut
        | Entity::PurchaseOrderArchive
        | Entity::ReceiptArchive
        | Entity::PurchaseReturnArchive => {
            out.begin();
            documents::head(world, entity, seq, row, out);
            out.end();
        }
    }
}

/// The fields of a document with its lines under `items`, without the braces.
///
/// They never stand at the top level of an answer: there a document's `code` would read as an error code.
pub(crate) fn head_and_lines(data: &Data, entity: Entity, seq: u32, out: &mut Json) {
    documents::head(&data.world, entity, seq, data.table(entity).row(seq), out);
    out.begin_list("items");
    documents::lines(&data.world, entity, seq, out);
    out.end_list();
}

/// The lines of a document, as the elements of a list.
pub(crate) fn lines(data: &Data, entity: Entity, seq: u32, out: &mut Json) {
    documents::lines(&data.world, entity, seq, out);
}

/// An SKU.
pub(crate) fn sku(data: &Data, seq: u32, out: &mut Json) {
    let item = data.world.item_of(seq);
    items::sku(&data.world, seq, data.table(Entity::Items).row(item), out);
}

/// An SKU with its stock in each warehouse.
pub(crate) fn sku_by_warehouse(data: &Data, seq: u32, out: &mut Json) {
    out.begin();
    out.int("sysSkuId", Entity::Stock.id(seq));
    out.format("skuOuterId", format_args!("SKU{:06}", seq + 1));
    out.begin_list("mainWareHousesStock");
    for entity in [Entity::Stock, Entity::StockEast, Entity::StockSouth] {
        items::stock_in_warehouse(&data.world, entity, seq, data.table(entity).row(seq), out);
    }
    out.end_list();
    out.end();
}

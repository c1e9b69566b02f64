//! The methods of section 7 as a table: entity, list key, page limits and windows.

use super::data::Entity;

/// What a method does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Tells the gateway's time.
    Time,
    /// Refreshes the session.
    Refresh,
    /// Gives a page of an entity.
    List(List),
    /// Gives one document with its lines, by `id`.
    Get(Entity),
    /// Gives one item, by `sysItemId` or `outerId`.
    Item,
    /// Gives the SKUs of one item, by `sysItemId` or `outerId`.
    ItemSkus,
    /// Gives up to 20 items by `sysItemIds`, separated by commas.
    ItemsById,
    /// Gives the stock of one `outerId` or `skuOuterId` in each warehouse.
    StockByCode,
}

/// A list method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) entity: Entity,
    pub(crate) key: &'static str,
    pub(crate) pages: Pages,
    pub(crate) window: Window,
    /// Whether `total` is a text, as in purchase documents.
    pub(crate) total_is_text: bool,
}

/// Page sizes of a method; a greatest size of 0 means that it has no pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    pub(crate) default: u32,
    pub(crate) least: u32,
    pub(crate) most: u32,
}

/// How a method is asked for a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Not at all.
    None,
    /// `startTime`, `endTime` and `timeType` words; required unless `sid` or `tid` is given; one day at most.
    Orders,
    /// The same with the required text `timeType` of return receipts, and no longest window.
    ReturnReceipts,
    /// `timeBegin`, `timeEnd` as epoch milliseconds, `timeType` 1 to 6; optional.
    SalesOut,
    /// Two fields named here, by last modification; `kinds` adds `timeType` 1 (created) and 2 (modified).
    Modified { from: &'static str, until: &'static str, kinds: bool, need: Need },
}

/// Whether a window has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It may be left out, also at one end.
    Optional,
    /// The start is required unless `code` is given.
    StartUnlessCode,
    /// Both ends are required and lie 90 days apart at most.
    Archive,
}

const MODIFIED: Window =
    Window::Modified { from: "startModified", until: "endModified", kinds: false, need: Need::Optional };
const MODIFIED_OR_CREATED: Window =
    Window::Modified { from: "startModified", until: "endModified", kinds: true, need: Need::Optional };
const ARCHIVE: Window =
    Window::Modified { from: "startModified", until: "endModified", kinds: true, need: Need::Archive };
const STOCK: Window =
    Window::Modified { from: "startStockModified", until: "endStockModified", kinds: false, need: Need::Optional };
const TRANSFERS: Window =
    Window::Modified { from: "startModified", until: "endModified", kinds: false, need: Need::StartUnlessCode };

/// What a method does; `None` if the gateway does not have it.
pub(crate) fn find(method: &str) -> Option<Action> {
    use Entity as E;
    Some(match method {
        "open.system.time.get" => Action::Time,
        "open.token.refresh" => Action::Refresh,
        "erp.trade.list.query" => list(E::Orders, 20, 20, 200, Window::Orders),
        "erp.trade.outstock.simple.query" => list(E::Outstock, 20, 1, 200, Window::Orders),
        "erp.wave.logistics.order.query" => list(E::SalesOut, 40, 1, 200, Window::SalesOut),
        "erp.aftersale.list.query" => list(E::AfterSale, 1, 1, 200, MODIFIED),
        "erp.aftersale.refund.warehouse.query" => list(E::ReturnReceipts, 20, 1, 200, Window::ReturnReceipts),
        "item.list.query" => keyed("items", list(E::Items, 40, 1, 200, MODIFIED)),
        "item.single.get" => Action::Item,
        "erp.item.sku.list.get" => Action::ItemSkus,
        "erp.item.list.get" => Action::ItemsById,
        "stock.api.status.query" => keyed("stockStatusVoList", list(E::Stock, 20, 1, 100, STOCK)),
        "erp.item.warehouse.list.get" => Action::StockByCode,
        "purchase.order.query" => text_total(list(E::PurchaseOrders, 40, 1, 200, MODIFIED_OR_CREATED)),
        "purchase.order.get" => Action::Get(E::PurchaseOrders),
        "warehouse.entry.list.query" => text_total(list(E::Receipts, 40, 1, 200, MODIFIED)),
        "warehouse.entry.list.get" => Action::Get(E::Receipts),
        "purchase.return.list.query" => text_total(list(E::PurchaseReturns, 40, 1, 200, MODIFIED_OR_CREATED)),
        "purchase.return.list.get" => Action::Get(E::PurchaseReturns),
        "other.in.order.query" => list(E::OtherIn, 40, 1, 200, MODIFIED),
        "other.in.order.get" => Action::Get(E::OtherIn),
        "other.out.order.query" => list(E::OtherOut, 40, 1, 200, MODIFIED),
        "other.out.order.get" => Action::Get(E::OtherOut),
        "erp.allocate.task.query" => list(E::Transfers, 20, 20, 200, TRANSFERS),
        "inventory.sheet.query" => list(E::Stocktakes, 40, 1, 200, MODIFIED),
        "erp.shop.list.query" => list(E::Shops, 20, 1, 200, Window::None),
        "supplier.list.query" => list(E::Suppliers, 40, 1, 200, Window::None),
        "erp.warehouse.list.query" => list(E::Warehouses, 0, 0, 0, Window::None),
        "purchase.order.history.query" => text_total(list(E::PurchaseOrderArchive, 40, 1, 200, ARCHIVE)),
        "warehouse.entry.history.list.query" => text_total(list(E::ReceiptArchive, 40, 1, 200, ARCHIVE)),
        "purchase.return.history.list.query" => text_total(list(E::PurchaseReturnArchive, 40, 1, 200, ARCHIVE)),
        _ => return None,
    })
}

const fn list(entity: Entity, default: u32, least: u32, most: u32, window: Window) -> Action {
    let pages = Pages { default, least, most };
    Action::List(List { entity, key: "list", pages, window, total_is_text: false })
}

fn keyed(key: &'static str, action: Action) -> Action {
    match action {
        Action::List(list) => Action::List(List { key, ..list }),
        other => other,
    }
}

fn text_total(action: Action) -> Action {
    match action {
        Action::List(list) => Action::List(List { total_is_text: true, ..list }),
        other => other,
    }
}

//! The methods of section 7 as a table: entity, list name, page limits, windows, row versions and filters.

use super::data::Entity;

/// What a method does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Grants tokens: `true` by `getInitToken`, `false` by `accessToken`.
    Grant(bool),
    /// Refreshes tokens.
    Refresh,
    /// Gives a page of an entity.
    List(List),
    /// Takes documents.
    Upload(Target),
}

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Orders, unique by shop and `so_id`.
    Orders,
    /// SKUs, unique by `sku_id`.
    Skus,
    /// Inventory adjustments, unique by `so_id`.
    Inventory,
}

/// A list method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) entity: Entity,
    pub(crate) name: &'static str,
    pub(crate) default_size: usize,
    pub(crate) most: usize,
    pub(crate) window: Window,
    /// The field that takes a row version.
    pub(crate) cursor: Option<&'static str>,
    /// Whether a row version stands alone, with paging fields only.
    pub(crate) cursor_alone: bool,
    pub(crate) filters: &'static [Filter],
}

/// How a method is asked for a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Not at all.
    None,
    /// By modification only, so many days at most.
    Days(i64),
    /// Seven days at most, by the `date_type`s named here; the first is the default.
    Types(&'static [i64]),
}

/// A filter by numbers: its field, how many may be given, and whose numbers they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    pub(crate) field: &'static str,
    pub(crate) most: usize,
    pub(crate) by: By,
}

/// Whose numbers a filter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The entity's own.
    Own,
    /// Platform orders'.
    Order,
    /// SKUs', as one text with commas.
    Sku,
    /// Purchase orders'.
    PurchaseOrder,
}

const fn filter(field: &'static str, most: usize, by: By) -> Filter {
    Filter { field, most, by }
}

const SO_20: Filter = filter("so_ids", 20, By::Order);
const SO_50: Filter = filter("so_ids", 50, By::Order);
const O_IDS: Filter = filter("o_ids", usize::MAX, By::Own);
const SKU_20: Filter = filter("sku_ids", 20, By::Sku);
const SKU_100: Filter = filter("sku_ids", 100, By::Sku);
const IO_IDS: Filter = filter("io_ids", 30, By::Own);
const OWN_PO_IDS: Filter = filter("po_ids", 30, By::Own);
const PO_IDS: Filter = filter("po_ids", 30, By::PurchaseOrder);

const OLD_PREFIX: &str = "/open/";
/// The methods of the old API that clients confirm.
const OLD_METHODS: [&str; 5] =
    ["orders.single.query", "sku.query", "shops.query", "inventory.query", "refund.single.query"];

/// What a path of the new API does; `None` if there is none.
pub(crate) fn find(path: &str) -> Option<Action> {
    use Entity as E;
    const WEEK: Window = Window::Days(7);
    const MOVES: Window = Window::Types(&[0, 2]);
    Some(match path {
        "/openWeb/auth/getInitToken" => Action::Grant(true),
        "/openWeb/auth/accessToken" => Action::Grant(false),
        "/openWeb/auth/refreshToken" => Action::Refresh,
        "/open/orders/single/query" => Action::List(List {
            name: "orders",
            cursor: Some("start_ts"),
            filters: &[SO_20, O_IDS],
            ..list(E::Orders, 100, Window::Types(&[0, 2, 3]))
        }),
        "/open/refund/single/query" => with_start_ts(list(E::AfterSale, 50, WEEK)),
        "/open/aftersale/received/query" => with_start_ts(list(E::ReturnReceipts, 50, MOVES)),
        "/open/sku/query" => Action::List(List { filters: &[SKU_20], ..list(E::Skus, 50, WEEK) }),
        "/open/mall/item/query" => Action::List(list(E::Items, 50, WEEK)),
        "/open/skumap/query" => Action::List(list(E::ShopSkus, 50, WEEK)),
        "/open/combine/sku/query" => Action::List(list(E::Combos, 50, WEEK)),
        "/open/inventory/query" => Action::List(List {
            name: "inventorys",
            cursor: Some("ts"),
            filters: &[SKU_100],
            ..list(E::Inventory, 100, WEEK)
        }),
        "/open/inventory/count/query" => Action::List(List { filters: &[IO_IDS], ..list(E::Stocktakes, 50, WEEK) }),
        "/open/purchase/query" => Action::List(List { filters: &[OWN_PO_IDS], ..list(E::PurchaseOrders, 50, WEEK) }),
        "/open/purchasein/query" | "/open/webapi/wmsapi/purchasein/purchaseinquery" => Action::List(List {
            cursor: Some("start_ts"),
            cursor_alone: true,
            filters: &[IO_IDS, PO_IDS],
            ..list(E::PurchaseIn, 50, MOVES)
        }),
        "/open/purchaseout/query" => {
            Action::List(List { filters: &[IO_IDS, PO_IDS], ..list(E::PurchaseReturns, 50, MOVES) })
        }
        "/open/orders/out/simple/query" => {
            Action::List(List { cursor: Some("start_ts"), filters: &[SO_50, IO_IDS], ..list(E::StockOut, 50, MOVES) })
        }
        "/open/other/inout/query" => Action::List(List {
            cursor: Some("start_ts"),
            cursor_alone: true,
            filters: &[IO_IDS],
            ..list(E::OtherInOut, 50, WEEK)
        }),
        "/open/allocate/query" => Action::List(List { filters: &[IO_IDS], ..list(E::Transfers, 50, MOVES) }),
        "/open/logistic/query" => {
            Action::List(List { name: "orders", filters: &[SO_50], ..list(E::Logistics, 50, Window::Types(&[3, 0])) })
        }
        "/open/shops/query" => Action::List(List { default_size: 100, ..list(E::Shops, 100, Window::None) }),
        "/open/supplier/query" => Action::List(list(E::Suppliers, 500, Window::Days(1))),
        "/open/wms/partner/query" => Action::List(list(E::Warehouses, 50, Window::None)),
        "/open/logisticscompany/query" => Action::List(list(E::Carriers, 50, WEEK)),
        "/open/category/query" => Action::List(list(E::Categories, 50, WEEK)),
        "/open/jushuitan/orders/upload" => Action::Upload(Target::Orders),
        "/open/jushuitan/itemsku/upload" => Action::Upload(Target::Skus),
        "/open/jushuitan/inventoryv2/upload" => Action::Upload(Target::Inventory),
        _ => return None,
    })
}

/// What a method of the old API does; `None` if there is none, or none that is confirmed.
pub(crate) fn find_old(method: &str) -> Option<Action> {
    let known = OLD_METHODS.contains(&method);
    known.then(|| find(&[OLD_PREFIX, &method.replace('.', "/")].concat())).flatten()
}

const fn list(entity: Entity, most: usize, window: Window) -> List {
    List { entity, name: "datas", default_size: 30, most, window, cursor: None, cursor_alone: false, filters: &[] }
}

const fn with_start_ts(list: List) -> Action {
    Action::List(List { cursor: Some("start_ts"), ..list })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_api_has_the_five_confirmed_methods() {
        assert!(OLD_METHODS.iter().all(|method| matches!(find_old(method), Some(Action::List(_)))));
        assert!(find_old("purchase.query").is_none() && find("/open/unheard/of").is_none());
    }
}

//! The kinds of documents, and the interfaces that serve and take them, section 5 of the page.

use super::settings::KeyPlace;

/// One kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Entity {
    PurchaseOrders,
    SaleOrders,
    Deliveries,
    SaleInvoices,
    SaleReturns,
    PurchaseReceipts,
    SalesOuts,
    OtherIns,
    OtherOuts,
    TransfersIn,
    TransfersOut,
    Stock,
    Materials,
    Customers,
    Suppliers,
    Warehouses,
    Boms,
    Vouchers,
    Receivables,
    Payables,
    More,
}

/// What is known of a kind of document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Its name under the control endpoints.
    pub(crate) name: &'static str,
    /// Its name as a target.
    pub(crate) target: &'static str,
    /// What its codes begin with.
    pub(crate) prefix: &'static str,
    /// The key of its lines, if the page or its kind names one.
    pub(crate) lines: Option<&'static str>,
    /// How many there are at the start.
    pub(crate) seeded: Seeded,
}

/// How many documents there are at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seeded {
    /// As many as the settings say.
    Documents,
    /// A quarter of that, at least 5.
    Base,
    /// None: it has no list.
    Nothing,
}

impl Entity {
    /// All kinds, in declaration order.
    pub(crate) const ALL: [Self; 21] = [
        Self::PurchaseOrders,
        Self::SaleOrders,
        Self::Deliveries,
        Self::SaleInvoices,
        Self::SaleReturns,
        Self::PurchaseReceipts,
        Self::SalesOuts,
        Self::OtherIns,
        Self::OtherOuts,
        Self::TransfersIn,
        Self::TransfersOut,
        Self::Stock,
        Self::Materials,
        Self::Customers,
        Self::Suppliers,
        Self::Warehouses,
        Self::Boms,
        Self::Vouchers,
        Self::Receivables,
        Self::Payables,
        Self::More,
    ];

    /// What is known of it.
    pub(crate) fn facts(self) -> Facts {
        use Seeded::{Base, Documents, Nothing};
        let (name, target, prefix, lines, seeded) = match self {
            Self::PurchaseOrders => ("purchase-orders", "purchase-order", "CGA", Some("purchaseOrders"), Documents),
            Self::SaleOrders => ("sale-orders", "sale-order", "UO", Some("orderDetails"), Documents),
            Self::Deliveries => ("deliveries", "delivery", "FH", Some("deliveryDetails"), Documents),
            Self::SaleInvoices => ("sale-invoices", "sale-invoice", "FP", Some("saleInvoiceDetails"), Documents),
            Self::SaleReturns => ("sale-returns", "sale-return", "TH", Some("saleReturnDetails"), Documents),
            Self::PurchaseReceipts => ("purchase-receipts", "purchase-receipt", "RK", Some("purInRecords"), Documents),
            Self::SalesOuts => ("sales-outs", "sales-out", "CK", Some("details"), Documents),
            Self::OtherIns => ("other-ins", "other-in", "QR", Some("othInRecords"), Documents),
            Self::OtherOuts => ("other-outs", "other-out", "QC", Some("othOutRecords"), Documents),
            Self::TransfersIn => ("transfers-in", "transfer-in", "DR", None, Nothing),
            Self::TransfersOut => ("transfers-out", "transfer-out", "DC", None, Nothing),
            Self::Stock => ("stock", "stock", "KC", None, Documents),
            Self::Materials => ("materials", "material", "", None, Base),
            Self::Customers => ("customers", "customer", "KH", None, Base),
            Self::Suppliers => ("suppliers", "supplier", "", None, Base),
            Self::Warehouses => ("warehouses", "warehouse", "", None, Base),
            Self::Boms => ("bills-of-material", "bill-of-material", "BOM", Some("bomComponent"), Nothing),
            Self::Vouchers => ("vouchers", "voucher", "PZ", Some("bodies"), Documents),
            Self::Receivables => ("receivables", "receivable", "YS", None, Documents),
            Self::Payables => ("payables", "payable", "YF", None, Nothing),
            Self::More => ("more", "more", "M", None, Nothing),
        };
        Facts { name, target, prefix, lines, seeded }
    }

    /// The kind of that name, given as an entity or as a target.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| [entity.facts().name, entity.facts().target].contains(&name))
    }

    /// Its place in [`Self::ALL`], for seeding and for ids.
    pub(crate) fn place(self) -> u64 {
        self as u64
    }
}

/// What an interface does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A page of a list.
    List,
    /// A page of a list, asked for in the `queryByPage` form.
    QueryByPage,
    /// One document by `id`.
    Detail,
    /// The whole current stock as a bare array.
    Stock,
    /// An idempotent save.
    Mdd(KeyPlace),
    /// A save of one object without a key.
    Plain,
    /// A save of rows without keys, with a result for each.
    Batch,
}

/// One registered interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface<'a> {
    /// Its path, from `/yonbip` on.
    pub(crate) path: &'a str,
    /// What it does.
    pub(crate) action: Action,
    /// What it serves or takes.
    pub(crate) entity: Entity,
    /// What must not be missing or empty in an object that is inserted.
    pub(crate) required: &'static [&'static str],
}

impl Interface<'_> {
    /// The HTTP verb it answers to.
    pub(crate) fn verb(&self) -> &'static str {
        if self.action == Action::Detail { "GET" } else { "POST" }
    }
}

const fn to(path: &'static str, action: Action, entity: Entity) -> Interface<'static> {
    Interface { path, action, entity, required: &[] }
}

const fn save(
    path: &'static str,
    place: KeyPlace,
    entity: Entity,
    required: &'static [&'static str],
) -> Interface<'static> {
    Interface { path, action: Action::Mdd(place), entity, required }
}

/// All interfaces that are simulated.
pub(crate) const INTERFACES: [Interface<'static>; 47] = {
    use Action::{Batch, Detail, List, Plain, QueryByPage, Stock};
    use Entity as E;
    use KeyPlace::{BusinessId, Data, DataElements};
    [
        to("/yonbip/scm/purchaseorder/list", List, E::PurchaseOrders),
        to("/yonbip/scm/purchaseorder/detail", Detail, E::PurchaseOrders),
        save(
            "/yonbip/scm/purchaseorder/singleSave_v1",
            Data,
            E::PurchaseOrders,
            &["org_code", "vendor_code", "vouchdate", "purchaseOrders"],
        ),
        to("/yonbip/sd/voucherorder/list", List, E::SaleOrders),
        to("/yonbip/sd/voucherorder/detail", Detail, E::SaleOrders),
        save("/yonbip/sd/voucherorder/singleSave", Data, E::SaleOrders, &["orderDetails"]),
        to("/yonbip/sd/voucherdelivery/list", List, E::Deliveries),
        to("/yonbip/sd/voucherdelivery/detail", Detail, E::Deliveries),
        save("/yonbip/sd/voucherdelivery/singleSave", Data, E::Deliveries, &[]),
        to("/yonbip/sd/vouchersaleinvoice/list", List, E::SaleInvoices),
        to("/yonbip/sd/vouchersaleinvoice/detail", Detail, E::SaleInvoices),
        save("/yonbip/sd/vouchersaleinvoice/singleSave", Data, E::SaleInvoices, &[]),
        to("/yonbip/sd/vouchersalereturn/list", List, E::SaleReturns),
        to("/yonbip/sd/vouchersalereturn/detail", Detail, E::SaleReturns),
        save("/yonbip/sd/vouchersalereturn/singleSave", Data, E::SaleReturns, &["saleReturnDetails"]),
        to("/yonbip/sd/vouchersalereturn/batchsave", Plain, E::SaleReturns),
        to("/yonbip/scm/purinrecord/list", List, E::PurchaseReceipts),
        to("/yonbip/scm/purinrecord/detail", Detail, E::PurchaseReceipts),
        save("/yonbip/scm/purinrecord/single/save", Data, E::PurchaseReceipts, &[]),
        to("/yonbip/scm/salesout/list", List, E::SalesOuts),
        to("/yonbip/scm/salesout/detail", Detail, E::SalesOuts),
        save("/yonbip/scm/salesout/single/save", Data, E::SalesOuts, &[]),
        to("/yonbip/scm/othinrecord/list", List, E::OtherIns),
        to("/yonbip/scm/othinrecord/detail", Detail, E::OtherIns),
        save("/yonbip/scm/othinrecord/single/save", Data, E::OtherIns, &[]),
        to("/yonbip/scm/othoutrecord/list", List, E::OtherOuts),
        to("/yonbip/scm/othoutrecord/detail", Detail, E::OtherOuts),
        save("/yonbip/scm/othoutrecord/single/save", Data, E::OtherOuts, &[]),
        to("/yonbip/scm/storein/save", Plain, E::TransfersIn),
        to("/yonbip/scm/storeout/save", Plain, E::TransfersOut),
        to("/yonbip/scm/stock/QueryCurrentStocksByCondition", Stock, E::Stock),
        to("/yonbip/digitalModel/product/integration/querylist", List, E::Materials),
        save("/yonbip/digitalModel/product/idempotent/save", Data, E::Materials, &[]),
        to("/yonbip/digitalModel/product/batch/save", Batch, E::Materials),
        to("/yonbip/digitalModel/merchant/newlist", List, E::Customers),
        save("/yonbip/digitalModel/merchant/idempotent/newinsert", Data, E::Customers, &[]),
        to("/yonbip/digitalModel/vendor/list", List, E::Suppliers),
        to("/yonbip/digitalModel/vendor/queryByPage", QueryByPage, E::Suppliers),
        to("/yonbip/digitalModel/vendor/batchSaveV2", Batch, E::Suppliers),
        to("/yonbip/digitalModel/warehouse/batchQueryDetail", List, E::Warehouses),
        to("/yonbip/digitalModel/warehouse/batchSave", Batch, E::Warehouses),
        save("/yonbip/mfg/bom/batchsave/V1", DataElements, E::Boms, &["bomComponent"]),
        to("/yonbip/fi/ficloud/openapi/voucher/queryVouchers", List, E::Vouchers),
        save("/yonbip/fi/ficloud/openapi/voucher/addVoucher", BusinessId, E::Vouchers, &["bodies"]),
        to("/yonbip/EFI/receivable/list", List, E::Receivables),
        save("/yonbip/EFI/receivable/save", Data, E::Receivables, &[]),
        save("/yonbip/EFI/payable/save", Data, E::Payables, &[]),
    ]
};

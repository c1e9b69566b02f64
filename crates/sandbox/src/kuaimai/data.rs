//! The simulated company: its entities, how their numbers are made, and the rows that change.

use std::ops::Range;
use std::time::Duration;

use super::settings::Settings;
use crate::dice::Dice;
use crate::table::{Entry, Row, Table};

/// "None" in a time field: 2000-01-01 in Beijing.
pub(crate) const NO_TIME: i64 = 946_656_000_000;
/// Warehouses as id, code and name; the first is the default one.
pub(crate) const WAREHOUSES: [(i64, &str, &str); 3] =
    [(36_001, "WH01", "默认仓库"), (36_002, "WH02", "华东仓"), (36_003, "WH03", "华南仓")];
/// Shops as platform and title; the last two are served by the outstock query only.
pub(crate) const SHOPS: [(&str, &str); 7] = [
    ("jd", "示例旗舰店"),
    ("fxg", "示例抖音小店"),
    ("kuaishou", "示例快手店"),
    ("xhs", "示例小红书店"),
    ("sys", "线下门店"),
    ("tb", "示例淘宝店"),
    ("pdd", "示例拼多多店"),
];
/// Shops whose orders `erp.trade.list.query` gives.
pub(crate) const N_OPEN_SHOPS: u32 = 5;
/// `userId` of the first shop.
pub(crate) const FIRST_SHOP: i64 = 900_000_001;
/// Number of suppliers.
pub(crate) const N_SUPPLIERS: u32 = 20;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// One kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Orders,
    Outstock,
    SalesOut,
    AfterSale,
    ReturnReceipts,
    Items,
    Stock,
    StockEast,
    StockSouth,
    PurchaseOrders,
    Receipts,
    PurchaseReturns,
    OtherIn,
    OtherOut,
    Transfers,
    Stocktakes,
    Shops,
    Suppliers,
    Warehouses,
    PurchaseOrderArchive,
    ReceiptArchive,
    PurchaseReturnArchive,
}

impl Entity {
    /// All entities, in declaration order.
    pub(crate) const ALL: [Self; 22] = [
        Self::Orders,
        Self::Outstock,
        Self::SalesOut,
        Self::AfterSale,
        Self::ReturnReceipts,
        Self::Items,
        Self::Stock,
        Self::StockEast,
        Self::StockSouth,
        Self::PurchaseOrders,
        Self::Receipts,
        Self::PurchaseReturns,
        Self::OtherIn,
        Self::OtherOut,
        Self::Transfers,
        Self::Stocktakes,
        Self::Shops,
        Self::Suppliers,
        Self::Warehouses,
        Self::PurchaseOrderArchive,
        Self::ReceiptArchive,
        Self::PurchaseReturnArchive,
    ];

    /// The name under the control endpoints, the first number, the step between numbers, and the prefix of codes.
    fn facts(self) -> (&'static str, i64, i64, &'static str) {
        match self {
            Self::Orders => ("orders", 5_973_932_837_000_000, 997, ""),
            Self::Outstock => ("outstock", 5_973_932_837_000_000, 997, ""),
            Self::SalesOut => ("sales-out", 7_210_000_000_000_000, 997, ""),
            Self::AfterSale => ("after-sale", 4_410_000_000_000_000, 997, ""),
            Self::ReturnReceipts => ("return-receipts", 4_520_000_000_000_000, 997, ""),
            Self::Items => ("items", 4_387_287_189_000_000, 997, "ITEM-"),
            Self::Stock => ("stock", SKU_BASE, SKU_STEP, "SKU"),
            Self::StockEast => ("stock-36002", SKU_BASE, SKU_STEP, "SKU"),
            Self::StockSouth => ("stock-36003", SKU_BASE, SKU_STEP, "SKU"),
            Self::PurchaseOrders => ("purchase-orders", 1_870_000_000_000_000_001, 997, "CG"),
            Self::Receipts => ("receipts", 1_871_000_000_000_000_001, 997, "SH"),
            Self::PurchaseReturns => ("purchase-returns", 1_872_000_000_000_000_001, 997, "CT"),
            Self::OtherIn => ("other-in", 1_873_000_000_000_000_001, 997, "QR"),
            Self::OtherOut => ("other-out", 1_874_000_000_000_000_001, 997, "QC"),
            Self::Transfers => ("transfers", 1_875_000_000_000_000_001, 997, "DB"),
            Self::Stocktakes => ("stocktakes", 1_876_000_000_000_000_001, 997, "PD"),
            Self::Shops => ("shops", FIRST_SHOP, 1, ""),
            Self::Suppliers => ("suppliers", 51_001, 1, "GYS"),
            Self::Warehouses => ("warehouses", 36_001, 1, "WH"),
            Self::PurchaseOrderArchive => ("purchase-orders-archive", 1_570_000_000_000_000_001, 997, "CGA"),
            Self::ReceiptArchive => ("receipts-archive", 1_571_000_000_000_000_001, 997, "SHA"),
            Self::PurchaseReturnArchive => ("purchase-returns-archive", 1_572_000_000_000_000_001, 997, "CTA"),
        }
    }

    /// The name under the control endpoints.
    pub(crate) fn name(self) -> &'static str {
        self.facts().0
    }

    /// The entity of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.name() == name)
    }

    /// The primary key at a position.
    pub(crate) fn id(self, seq: u32) -> i64 {
        let (_, base, step, _) = self.facts();
        let seq = i64::from(seq);
        base + seq * step + seq * 7_919 % (step - 1).max(1)
    }

    /// The position of a primary key.
    pub(crate) fn seq_of_id(self, id: &str) -> Option<u32> {
        let (_, base, step, _) = self.facts();
        let id: i64 = id.parse().ok()?;
        let seq = u32::try_from(id.checked_sub(base)? / step).ok()?;
        (self.id(seq) == id).then_some(seq)
    }

    /// What codes of this entity begin with.
    pub(crate) fn prefix(self) -> &'static str {
        self.facts().3
    }

    /// The position of a code, which is the prefix and the position from 1.
    pub(crate) fn seq_of_code(self, code: &str) -> Option<u32> {
        code.strip_prefix(self.prefix())?.parse::<u32>().ok()?.checked_sub(1)
    }

    /// Its place in [`Self::ALL`], for seeding.
    pub(crate) fn place(self) -> u64 {
        self as u64
    }
}

const SKU_BASE: i64 = 4_387_287_189_219_907_123;
const SKU_STEP: i64 = 1_013;

/// A time of a document other than its last modification; none of these ever changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeKind {
    Created,
    Paid,
    Audited,
    Printed,
    Consigned,
    Finished,
}

/// All that follows from the seed alone.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) n_orders: u32,
    /// First SKU of each item, and the number of SKUs at the end.
    first_sku: Vec<u32>,
}

/// What an item's page and all lines that name it agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) title: &'static str,
    /// Selling price in fen, whole yuan in one of three.
    pub(crate) price: i64,
    /// Purchase price in fen.
    pub(crate) cost: i64,
    /// Weight in hundredths of a kilogram.
    pub(crate) weight: i64,
}

impl World {
    fn new(settings: &Settings) -> Self {
        let mut first_sku = vec![0];
        for item in 0..settings.n_items.max(1) {
            let skus = 1 + Dice::new(settings.seed, 1_001, u64::from(item)).position(4);
            first_sku.push(first_sku[item as usize] + skus);
        }
        Self { seed: settings.seed, n_orders: settings.n_orders, first_sku }
    }

    /// Number of items.
    pub(crate) fn n_items(&self) -> u32 {
        u32::try_from(self.first_sku.len() - 1).expect("made from a u32")
    }

    /// Number of SKUs of all items.
    pub(crate) fn n_skus(&self) -> u32 {
        self.first_sku.last().copied().unwrap_or(0)
    }

    /// The SKUs of an item.
    pub(crate) fn skus_of(&self, item: u32) -> Range<u32> {
        self.first_sku[item as usize]..self.first_sku[item as usize + 1]
    }

    /// The item of an SKU.
    pub(crate) fn item_of(&self, sku: u32) -> u32 {
        u32::try_from(self.first_sku.partition_point(|&first| first <= sku) - 1).expect("made from a u32")
    }

    /// The facts of an item.
    pub(crate) fn item(&self, item: u32) -> Item {
        let mut dice = Dice::new(self.seed, 1_002, u64::from(item));
        let whole = 100 * (9 + dice.below(390));
        let price = if dice.chance(33) { whole } else { whole + dice.pick(&[90, 99, 50, 80]) };
        Item {
            title: dice.pick(&[
                "短袖T恤",
                "连帽卫衣",
                "休闲长裤",
                "针织开衫",
                "运动跑鞋",
                "双肩背包",
                "保温杯",
                "棉袜三双装",
            ]),
            price,
            cost: price * (35 + dice.below(30)) / 100,
            weight: 5 + dice.below(120),
        }
    }

    /// Colour and size of an SKU.
    pub(crate) fn variant(&self, sku: u32) -> (&'static str, &'static str) {
        let mut dice = Dice::new(self.seed, 1_003, u64::from(sku));
        (dice.pick(&["红", "黑", "白", "藏青", "米色"]), dice.pick(&["S", "M", "L", "XL", "均码"]))
    }

    /// The shop of an order, as its position in [`SHOPS`].
    pub(crate) fn shop_of(&self, order: u32) -> u32 {
        let mut dice = Dice::new(self.seed, 1_004, u64::from(order));
        if order < self.n_orders { dice.position(N_OPEN_SHOPS) } else { N_OPEN_SHOPS + dice.position(2) }
    }

    /// How long after its creation each step of a document came: its last modification before the start first.
    fn course(&self, entity: Entity, seq: u32) -> Course {
        // An order and its outstock view share their course.
        let entity = if entity == Entity::Outstock { Entity::Orders } else { entity };
        let mut dice = Dice::new(self.seed, 2_000 + entity.place(), u64::from(seq));
        let lag = 10 * MINUTE + dice.below(2 * DAY);
        let stage = dice.below(100);
        let step = |least: i64, eighths: i64| (stage >= least).then_some(lag / 8 * eighths);
        Course {
            lag,
            paid: Some(1_000 + dice.below(4 * MINUTE)),
            audited: step(10, 4),
            printed: step(20, 5),
            consigned: step(30, 6),
            finished: step(60, 8),
        }
    }

    /// A time of a document; [`NO_TIME`] for a step it has not reached.
    pub(crate) fn time(&self, entity: Entity, seq: u32, row: &Row, kind: TimeKind) -> i64 {
        let course = self.course(entity, seq);
        let after = match kind {
            TimeKind::Created => Some(0),
            TimeKind::Paid => course.paid,
            TimeKind::Audited => course.audited,
            TimeKind::Printed => course.printed,
            TimeKind::Consigned => course.consigned,
            TimeKind::Finished => course.finished,
        };
        after.map_or(NO_TIME, |after| row.created + after)
    }
}

struct Course {
    lag: i64,
    paid: Option<i64>,
    audited: Option<i64>,
    printed: Option<i64>,
    consigned: Option<i64>,
    finished: Option<i64>,
}

/// The company with its changing rows.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) world: World,
    tables: Vec<Table<TimeKind>>,
    modified: u64,
}

impl Data {
    /// The data of these settings for a clock that starts at `start_ms`.
    pub(crate) fn new(settings: &Settings, start_ms: i64) -> Self {
        let world = World::new(settings);
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let until = start_ms - ms(settings.quiet);
        let from = until - ms(settings.history);
        let archive = start_ms - 365 * DAY..start_ms - 91 * DAY;
        let (orders, documents) = (settings.n_orders, settings.n_documents);
        let tables = Entity::ALL
            .into_iter()
            .map(|entity| {
                let (n, span) = match entity {
                    Entity::Orders => (orders, from..until),
                    Entity::Outstock => (orders + orders / 5, from..until),
                    Entity::SalesOut => (orders / 2, from..until),
                    Entity::AfterSale => (orders / 20, from..until),
                    Entity::ReturnReceipts => (orders / 40, from..until),
                    Entity::Items => (world.n_items(), from..until),
                    Entity::Stock | Entity::StockEast | Entity::StockSouth => (world.n_skus(), from..until),
                    Entity::PurchaseOrders | Entity::Receipts => (documents, from..until),
                    Entity::PurchaseReturns | Entity::OtherIn | Entity::OtherOut | Entity::Transfers => {
                        (documents.div_ceil(4), from..until)
                    }
                    Entity::Stocktakes => (documents.div_ceil(10), from..until),
                    Entity::Shops => (7, from..until),
                    Entity::Suppliers => (N_SUPPLIERS, from..until),
                    Entity::Warehouses => (3, from..until),
                    Entity::PurchaseOrderArchive | Entity::ReceiptArchive | Entity::PurchaseReturnArchive => {
                        (documents.div_ceil(2), archive.clone())
                    }
                };
                Table::new(spread(&world, entity, n, &span))
            })
            .collect();
        Self { world, tables, modified: 0 }
    }

    /// The table of an entity.
    pub(crate) fn table(&self, entity: Entity) -> &Table<TimeKind> {
        &self.tables[entity as usize]
    }

    /// The index of an entity by last modification, or by another time.
    pub(crate) fn index(&mut self, entity: Entity, kind: Option<TimeKind>) -> &[Entry] {
        let world = &self.world;
        let table = &mut self.tables[entity as usize];
        match kind {
            None => table.by_updated(),
            Some(kind) => table.by_fixed(kind, |seq, row| world.time(entity, seq, row, kind)),
        }
    }

    /// Modifies a row.
    pub(crate) fn touch(&mut self, entity: Entity, seq: u32, now_ms: i64) {
        self.tables[entity as usize].touch(seq, now_ms);
        self.modified += 1;
    }

    /// Rows modified so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }
}

/// Rows whose modified times spread evenly over the span, strictly ascending; one pair in 40 lies 7 ms apart.
fn spread(world: &World, entity: Entity, n: u32, span: &Range<i64>) -> Vec<Row> {
    let length = (span.end - span.start).max(0);
    let step = length / (i64::from(n) + 1);
    let mut dice = Dice::new(world.seed, 3_000 + entity.place(), 0);
    let mut rows: Vec<Row> = Vec::with_capacity(n as usize);
    for seq in 0..n {
        let grid = span.start
            + length / (i64::from(n) + 1) * i64::from(seq)
            + length % (i64::from(n) + 1) * i64::from(seq) / (i64::from(n) + 1);
        let updated = match rows.last() {
            Some(last) if seq % 40 == 1 && step > 20 => last.updated + 7,
            _ => grid + dice.below(step / 2),
        };
        rows.push(Row { created: updated - world.course(entity, seq).lag, updated, version: 0 });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for entity in Entity::ALL {
            for seq in [0, 1, 2, 991, 992, 1_999_999] {
                assert_eq!(entity.seq_of_id(&entity.id(seq).to_string()), Some(seq), "{entity:?}");
            }
            assert_eq!(entity.seq_of_id("7"), None);
            assert_eq!(Entity::parse(entity.name()), Some(entity));
            assert_eq!(Entity::ALL[entity as usize], entity);
        }
        assert_eq!(Entity::PurchaseOrders.seq_of_code("CG000008"), Some(7));
    }

    #[test]
    fn rows_are_strictly_ordered_inside_the_history() {
        let settings = Settings { n_orders: 5_000, ..Settings::default() };
        let start = 1_785_513_600_000;
        let data = Data::new(&settings, start);
        let rows = data.table(Entity::Orders).rows();
        assert!(rows.windows(2).all(|pair| pair[0].updated < pair[1].updated));
        assert!(rows[0].updated >= start - 30 * DAY - 60 * MINUTE);
        assert!(rows[4_999].updated <= start - 60 * MINUTE);
        let shared = rows.windows(2).filter(|pair| pair[0].updated / 1_000 == pair[1].updated / 1_000).count();
        assert!(shared > 50, "{shared} pairs share a second");
        assert!(rows.iter().all(|row| row.created < row.updated));
    }

    #[test]
    fn an_item_owns_its_skus() {
        let data = Data::new(&Settings::default(), 1_785_513_600_000);
        for item in 0..data.world.n_items() {
            assert!(data.world.skus_of(item).all(|sku| data.world.item_of(sku) == item));
        }
    }
}

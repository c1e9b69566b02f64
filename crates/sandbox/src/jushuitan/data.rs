//! The simulated company: its entities, how their numbers are made, and the rows that change.

use std::time::Duration;

use super::awkward;
use super::settings::Settings;
use crate::dice::Dice;
use crate::rows;
use crate::table::{Entry, Row};
use crate::versioned::Versioned;

/// Warehouses as `wms_co_id` and name; the first is the company's own.
pub(crate) const WAREHOUSES: [(i64, &str); 3] = [(10_011, "主仓"), (10_012, "华东分仓"), (10_013, "华南分仓")];
/// SKUs of each style as colour and size.
pub(crate) const VARIANTS: [(&str, &str); 3] = [("红", "L"), ("黑", "M"), ("白", "均码")];
/// Carriers as id and name.
pub(crate) const CARRIERS: [(&str, &str); 4] =
    [("SF", "顺丰速运"), ("YTO", "圆通速递"), ("ZTO", "中通快递"), ("EMS", "EMS")];
/// Categories as name and whether others lie below it.
pub(crate) const CATEGORIES: [(&str, bool); 6] =
    [("服装", true), ("上衣", false), ("裤装", false), ("鞋靴", false), ("家居", true), ("杯具", false)];

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// The first row version lies so close below 2^53 that most of the others lie above it.
const FIRST_TS: i64 = (1 << 53) - 20_001;

/// One kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Orders,
    AfterSale,
    ReturnReceipts,
    StockOut,
    Logistics,
    Skus,
    Items,
    ShopSkus,
    Combos,
    Inventory,
    InventoryMain,
    InventoryEast,
    InventorySouth,
    Stocktakes,
    PurchaseOrders,
    PurchaseIn,
    PurchaseReturns,
    OtherInOut,
    Transfers,
    Shops,
    Suppliers,
    Warehouses,
    Carriers,
    Categories,
}

impl Entity {
    /// All entities, in declaration order.
    pub(crate) const ALL: [Self; 24] = [
        Self::Orders,
        Self::AfterSale,
        Self::ReturnReceipts,
        Self::StockOut,
        Self::Logistics,
        Self::Skus,
        Self::Items,
        Self::ShopSkus,
        Self::Combos,
        Self::Inventory,
        Self::InventoryMain,
        Self::InventoryEast,
        Self::InventorySouth,
        Self::Stocktakes,
        Self::PurchaseOrders,
        Self::PurchaseIn,
        Self::PurchaseReturns,
        Self::OtherInOut,
        Self::Transfers,
        Self::Shops,
        Self::Suppliers,
        Self::Warehouses,
        Self::Carriers,
        Self::Categories,
    ];

    /// The name under the control endpoints, the first number and the step between numbers; 0: keys are no numbers.
    fn facts(self) -> (&'static str, i64, i64) {
        match self {
            Self::Orders => ("orders", 10_258_641, 7),
            Self::AfterSale => ("after-sale", 3_400_001, 3),
            Self::ReturnReceipts => ("return-receipts", 6_100_001, 3),
            Self::StockOut => ("stock-out", 7_700_001, 3),
            Self::Logistics => ("logistics", 10_258_641, 7),
            Self::Skus => ("skus", 0, 0),
            Self::Items => ("items", 0, 0),
            Self::ShopSkus => ("shop-skus", 0, 0),
            Self::Combos => ("combos", 0, 0),
            Self::Inventory => ("inventory", 0, 0),
            Self::InventoryMain => ("inventory-10011", 0, 0),
            Self::InventoryEast => ("inventory-10012", 0, 0),
            Self::InventorySouth => ("inventory-10013", 0, 0),
            Self::Stocktakes => ("stocktakes", 6_200_001, 3),
            Self::PurchaseOrders => ("purchase-orders", 4_500_000_001, 11),
            Self::PurchaseIn => ("purchase-in", 6_300_001, 3),
            Self::PurchaseReturns => ("purchase-returns", 6_400_001, 3),
            Self::OtherInOut => ("other-in-out", 6_500_001, 3),
            Self::Transfers => ("transfers", 6_600_001, 3),
            Self::Shops => ("shops", 10_394_533, 1),
            Self::Suppliers => ("suppliers", 10_044, 1),
            Self::Warehouses => ("warehouses", WAREHOUSES[0].0, 1),
            Self::Carriers => ("carriers", 0, 0),
            Self::Categories => ("categories", 3_310_020, 1),
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

    /// The number of a row, for entities that have one.
    pub(crate) fn id(self, seq: u32) -> i64 {
        let (_, base, step) = self.facts();
        base + i64::from(seq) * step
    }

    /// The row of a number.
    pub(crate) fn seq_of_id(self, id: &str) -> Option<u32> {
        let (_, base, step) = self.facts();
        let past = id.parse::<i64>().ok()?.checked_sub(base)?;
        let seq = u32::try_from(past.checked_div(step)?).ok()?;
        (self.id(seq) == past + base).then_some(seq)
    }

    /// The inventory of a warehouse; 0: the sum of all.
    pub(crate) fn inventory_of(wms_co_id: i64) -> Option<Self> {
        match wms_co_id {
            0 => Some(Self::Inventory),
            10_011 => Some(Self::InventoryMain),
            10_012 => Some(Self::InventoryEast),
            10_013 => Some(Self::InventorySouth),
            _ => None,
        }
    }

    /// Its place in [`Self::ALL`], for seeding.
    pub(crate) fn place(self) -> u64 {
        self as u64
    }
}

/// The code of an SKU.
pub(crate) fn sku_id(sku: u32) -> String {
    let (colour, size) = VARIANTS[(sku % 3) as usize];
    format!("{}-{colour}-{size}", style_id(sku / 3))
}

/// The SKU of a code.
pub(crate) fn sku_of(code: &str) -> Option<u32> {
    let (style, _) = code.split_once('-')?;
    let first = style.strip_prefix('A')?.parse::<u32>().ok()?.checked_sub(1)?.checked_mul(3)?;
    (0..3).filter_map(|variant| first.checked_add(variant)).find(|&sku| sku_id(sku) == code)
}

/// The code of a style.
pub(crate) fn style_id(style: u32) -> String {
    format!("A{:05}", style + 1)
}

/// The platform's number of an order, as text: 19 digits, for the first one 22.
pub(crate) fn so_id(order: u32) -> String {
    match order {
        0 => awkward::SO_ID.to_owned(),
        _ => (2_461_234_567_890_000_000 + i64::from(order) * 1_000_003).to_string(),
    }
}

/// The order of a platform's number.
pub(crate) fn order_of(so: &str) -> Option<u32> {
    if so == awkward::SO_ID {
        return Some(0);
    }
    let past = so.parse::<i64>().ok()?.checked_sub(2_461_234_567_890_000_000)?;
    let order = u32::try_from(past / 1_000_003).ok()?;
    (order > 0 && so_id(order) == so).then_some(order)
}

/// A time of a document other than its last modification; neither ever changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeKind {
    /// When it was ordered or made out.
    Created,
    /// When goods moved: send date or in/out date.
    Moved,
}

/// The company with its changing rows.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) seed: u64,
    pub(crate) n_items: u32,
    pub(crate) n_shops: u32,
    pub(crate) n_suppliers: u32,
    tables: Vec<Versioned<TimeKind>>,
    last_ts: i64,
    modified: u64,
}

impl Data {
    /// The data of these settings for a clock that starts at `start_ms`.
    pub(crate) fn new(settings: &Settings, start_ms: i64) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let until = start_ms - ms(settings.quiet);
        let span = until - ms(settings.history)..until;
        let (seed, n_items) = (settings.seed, settings.n_items.max(1));
        let (n_shops, n_suppliers) = (settings.n_shops.max(1), settings.n_suppliers.max(1));
        let (orders, documents) = (settings.n_orders, settings.n_documents);
        let mut last_ts = FIRST_TS;
        let table = |entity: Entity| {
            let n = match entity {
                Entity::Orders => orders,
                Entity::AfterSale => orders.div_ceil(10),
                Entity::ReturnReceipts => orders.div_ceil(20),
                Entity::StockOut | Entity::Logistics => orders.div_ceil(2),
                Entity::Skus
                | Entity::ShopSkus
                | Entity::Inventory
                | Entity::InventoryMain
                | Entity::InventoryEast
                | Entity::InventorySouth => n_items * 3,
                Entity::Items => n_items,
                Entity::Combos => n_items.div_ceil(4),
                Entity::PurchaseOrders | Entity::PurchaseIn => documents,
                Entity::PurchaseReturns | Entity::OtherInOut | Entity::Transfers => documents.div_ceil(2),
                Entity::Stocktakes => documents.div_ceil(4),
                Entity::Shops => n_shops,
                Entity::Suppliers => n_suppliers,
                Entity::Warehouses => 3,
                Entity::Carriers => 4,
                Entity::Categories => 6,
            };
            let mut dice = Dice::new(seed, 3_000 + entity.place(), 0);
            let rows = rows::spread(&mut dice, n, &span, |seq| course(seed, entity, seq).0);
            Versioned::new(rows, &mut dice, &mut last_ts)
        };
        let tables = Entity::ALL.into_iter().map(table).collect();
        Self { seed, n_items, n_shops, n_suppliers, tables, last_ts, modified: 0 }
    }

    /// All rows of an entity, by position.
    pub(crate) fn rows(&self, entity: Entity) -> &[Row] {
        self.tables[entity as usize].table().rows()
    }

    /// The row at a position.
    pub(crate) fn row(&self, entity: Entity, seq: u32) -> &Row {
        self.tables[entity as usize].table().row(seq)
    }

    /// The row version at a position.
    pub(crate) fn ts(&self, entity: Entity, seq: u32) -> i64 {
        self.tables[entity as usize].ts(seq)
    }

    /// When goods moved; `None` for a document that has not come so far.
    pub(crate) fn moved(&self, entity: Entity, seq: u32) -> Option<i64> {
        course(self.seed, entity, seq).1.map(|after| self.row(entity, seq).created + after)
    }

    /// The index of an entity by last modification, or by another time.
    ///
    /// A document without that time lies before all others.
    pub(crate) fn by_time(&mut self, entity: Entity, kind: Option<TimeKind>) -> &[Entry] {
        let seed = self.seed;
        let table = self.tables[entity as usize].table_mut();
        match kind {
            None => table.by_updated(),
            Some(TimeKind::Created) => table.by_fixed(TimeKind::Created, |_, row| row.created),
            Some(TimeKind::Moved) => table.by_fixed(TimeKind::Moved, |seq, row| {
                course(seed, entity, seq).1.map_or(i64::MIN, |after| row.created + after)
            }),
        }
    }

    /// The index of an entity by row version.
    pub(crate) fn by_ts(&self, entity: Entity) -> &[Entry] {
        self.tables[entity as usize].by_ts()
    }

    /// Modifies a row, which gets the newest row version of all.
    ///
    /// The sum of an SKU's inventory changes with each warehouse, and the first warehouse with the sum.
    pub(crate) fn touch(&mut self, entity: Entity, seq: u32, now_ms: i64) {
        self.modified += 1;
        self.change(entity, seq, now_ms);
        match entity {
            Entity::Inventory => self.change(Entity::InventoryMain, seq, now_ms),
            Entity::InventoryMain | Entity::InventoryEast | Entity::InventorySouth => {
                self.change(Entity::Inventory, seq, now_ms);
            }
            _ => {}
        }
    }

    fn change(&mut self, entity: Entity, seq: u32, now_ms: i64) {
        let ts = self.fresh_ts();
        self.tables[entity as usize].touch(seq, now_ms, ts);
    }

    /// The next row version, for what is written.
    pub(crate) fn fresh_ts(&mut self) -> i64 {
        self.last_ts += 2;
        self.last_ts
    }

    /// Rows modified so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Number of SKUs.
    pub(crate) fn n_skus(&self) -> u32 {
        self.n_items * 3
    }

    /// The primary key of a row, as the control endpoints name it.
    pub(crate) fn key(&self, entity: Entity, seq: u32) -> String {
        match entity {
            Entity::Skus
            | Entity::Inventory
            | Entity::InventoryMain
            | Entity::InventoryEast
            | Entity::InventorySouth => sku_id(seq),
            Entity::Items => style_id(seq),
            Entity::ShopSkus => format!("{}/{}", self.shop_of(seq), shop_sku_id(seq)),
            Entity::Combos => combo_id(seq),
            Entity::Carriers => CARRIERS[seq as usize].0.to_owned(),
            numbered => numbered.id(seq).to_string(),
        }
    }

    /// The shop of an order or of a shop's SKU.
    pub(crate) fn shop_of(&self, seq: u32) -> i64 {
        Entity::Shops.id(Dice::new(self.seed, 1_004, u64::from(seq)).position(self.n_shops))
    }

    /// What an SKU is called and costs, in fen.
    pub(crate) fn sku(&self, sku: u32) -> Sku {
        let mut dice = Dice::new(self.seed, 1_002, u64::from(sku / 3));
        let whole = 100 * (9 + dice.below(390));
        let price = if dice.chance(33) { whole } else { whole + dice.pick(&[90, 99, 50, 80]) };
        let name = dice.pick(&["短袖T恤", "连帽卫衣", "休闲长裤", "运动跑鞋", "保温杯 & 杯刷", "棉袜=三双装+1"]);
        Sku { name, price, cost: price * (35 + dice.below(30)) / 100, weight: 5 + dice.below(120) }
    }
}

/// What an SKU's row and all lines that name it agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sku {
    pub(crate) name: &'static str,
    /// Selling price in fen.
    pub(crate) price: i64,
    /// Purchase price in fen.
    pub(crate) cost: i64,
    /// Weight in hundredths of a kilogram.
    pub(crate) weight: i64,
}

/// The shop's own number of an SKU: 19 digits.
pub(crate) fn shop_sku_id(seq: u32) -> String {
    (6_917_529_027_641_081_856 + i64::from(seq) * 1_009).to_string()
}

/// The code of a combo.
pub(crate) fn combo_id(seq: u32) -> String {
    format!("ZH{:05}", seq + 1)
}

/// How long a document was made out before its last modification, and how long after that its goods moved.
fn course(seed: u64, entity: Entity, seq: u32) -> (i64, Option<i64>) {
    let mut dice = Dice::new(seed, 2_000 + entity.place(), u64::from(seq));
    let age = 10 * MINUTE + dice.below(2 * DAY);
    // Orders may not have been sent yet; the other documents are about goods that have moved.
    let moved = entity != Entity::Orders || dice.chance(60);
    (age, moved.then_some(age / 8 * 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for entity in Entity::ALL {
            assert_eq!(Entity::parse(entity.name()), Some(entity));
            assert_eq!(Entity::ALL[entity as usize], entity);
            if entity.facts().2 > 0 {
                for seq in [0, 1, 2, 991, 1_999_999] {
                    assert_eq!(entity.seq_of_id(&entity.id(seq).to_string()), Some(seq), "{entity:?}");
                }
            }
            assert_eq!(entity.seq_of_id("7"), None);
        }
        for seq in [0, 1, 2, 3, 991] {
            assert_eq!(sku_of(&sku_id(seq)), Some(seq));
            assert_eq!(order_of(&so_id(seq)), Some(seq));
        }
        assert_eq!((sku_of("A00001-红-M"), sku_of("A"), order_of("2461234567890000000")), (None, None, None));
    }

    #[test]
    fn a_change_takes_the_newest_version_and_sums_follow() {
        let mut data = Data::new(&Settings::default(), 1_785_556_800_000);
        assert!(data.by_ts(Entity::Orders).is_sorted() && data.ts(Entity::Orders, 0) < 1 << 53);
        data.touch(Entity::InventoryEast, 3, 1_785_556_800_000);
        assert_eq!(data.by_ts(Entity::Inventory).last().map(|entry| entry.1), Some(3));
        assert_eq!(data.row(Entity::Inventory, 3).version, 1);
        assert!(data.ts(Entity::Inventory, 3) > 1 << 53);
        assert!(data.by_ts(Entity::Inventory).is_sorted());
        assert_eq!(data.modified(), 1);
    }
}

//! The simulated account: its entities, how their numbers are made, and the rows that change.

use std::time::Duration;

use super::settings::Settings;
use crate::dice::Dice;
use crate::rows;
use crate::table::{Entry, Row};
use crate::versioned::Versioned;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// `ID` of the first row of the first entity; those of all but the first rows lie beyond 2^53.
const FIRST_ID: i64 = 10_482;
const LONG_IDS: i64 = 1_999_234_567_890_123_456;
/// Numbers between the ids of two entities.
const IDS_OF_ONE: i64 = 1_000_000_000;
/// The first row version lies so close below 2^53 that most of the others lie above it.
const FIRST_TS: i64 = (1 << 53) - 20_001;

/// One kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Inventory,
    Partner,
    Warehouse,
    Person,
    Department,
    Project,
    UnitGroup,
    CurrentStock,
    SaleOrder,
    SaleDelivery,
    PurchaseOrder,
    PurchaseArrival,
    PurchaseReceive,
    OtherReceive,
    OtherDispatch,
    SaleDispatch,
    Bom,
}

impl Entity {
    /// All entities, in declaration order.
    pub(crate) const ALL: [Self; 17] = [
        Self::Inventory,
        Self::Partner,
        Self::Warehouse,
        Self::Person,
        Self::Department,
        Self::Project,
        Self::UnitGroup,
        Self::CurrentStock,
        Self::SaleOrder,
        Self::SaleDelivery,
        Self::PurchaseOrder,
        Self::PurchaseArrival,
        Self::PurchaseReceive,
        Self::OtherReceive,
        Self::OtherDispatch,
        Self::SaleDispatch,
        Self::Bom,
    ];

    /// The name under the control endpoints, and what codes begin with.
    fn facts(self) -> (&'static str, &'static str) {
        match self {
            Self::Inventory => ("inventory", "0101-"),
            Self::Partner => ("partner", "C"),
            Self::Warehouse => ("warehouse", "W"),
            Self::Person => ("person", "P"),
            Self::Department => ("department", "D"),
            Self::Project => ("project", "X"),
            Self::UnitGroup => ("unit-group", "U"),
            Self::CurrentStock => ("current-stock", ""),
            Self::SaleOrder => ("sale-order", "SO-2026-"),
            Self::SaleDelivery => ("sale-delivery", "SA-2026-"),
            Self::PurchaseOrder => ("purchase-order", "PO-2026-"),
            Self::PurchaseArrival => ("purchase-arrival", "PA-2026-"),
            Self::PurchaseReceive => ("purchase-receive", "PR-2026-"),
            Self::OtherReceive => ("other-receive", "OR-2026-"),
            Self::OtherDispatch => ("other-dispatch", "OD-2026-"),
            Self::SaleDispatch => ("sale-dispatch", "SD-2026-"),
            Self::Bom => ("bom", "B"),
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

    /// The `ID` of a row; ascending within the entity, and no other entity has it.
    pub(crate) fn id(self, seq: u32) -> i64 {
        let place = i64::try_from(self.place()).unwrap_or_default();
        if seq == 0 { FIRST_ID + place } else { LONG_IDS + place * IDS_OF_ONE + i64::from(seq) }
    }

    /// The row of an `ID`.
    pub(crate) fn seq_of_id(self, id: &str) -> Option<u32> {
        let id: i64 = id.parse().ok()?;
        let seq = if id < LONG_IDS { 0 } else { u32::try_from((id - LONG_IDS) % IDS_OF_ONE).ok()? };
        (self.id(seq) == id).then_some(seq)
    }

    /// The `Code` of a row.
    pub(crate) fn code(self, seq: u32) -> String {
        format!("{}{:04}", self.facts().1, seq + 1)
    }

    /// The row of a `Code`.
    pub(crate) fn seq_of_code(self, code: &str) -> Option<u32> {
        let seq = code.strip_prefix(self.facts().1)?.parse::<u32>().ok()?.checked_sub(1)?;
        (self.code(seq) == code).then_some(seq)
    }

    /// Its place in [`Self::ALL`], for seeding.
    pub(crate) fn place(self) -> u64 {
        self as u64
    }
}

/// The account with its changing rows.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) seed: u64,
    pub(crate) n_inventory: u32,
    pub(crate) n_partners: u32,
    pub(crate) n_warehouses: u32,
    tables: Vec<Versioned<()>>,
    last_ts: i64,
    modified: u64,
}

impl Data {
    /// The data of these settings for a clock that starts at `start_ms`.
    pub(crate) fn new(settings: &Settings, start_ms: i64) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let until = start_ms - ms(settings.quiet);
        let span = until - ms(settings.history)..until;
        let seed = settings.seed;
        let (n_inventory, n_partners) = (settings.n_inventory.max(1), settings.n_partners.max(1));
        let n_warehouses = settings.n_warehouses.max(1);
        let vouchers = settings.n_vouchers;
        let mut last_ts = FIRST_TS;
        let table = |entity: Entity| {
            let n = match entity {
                Entity::Inventory => n_inventory,
                Entity::Partner => n_partners,
                Entity::Warehouse => n_warehouses,
                Entity::Person | Entity::Department | Entity::Project | Entity::UnitGroup => settings.n_small,
                Entity::CurrentStock => n_inventory.saturating_mul(n_warehouses),
                Entity::SaleOrder | Entity::SaleDelivery | Entity::PurchaseOrder | Entity::PurchaseReceive => vouchers,
                Entity::PurchaseArrival | Entity::OtherReceive | Entity::OtherDispatch | Entity::SaleDispatch => {
                    vouchers.div_ceil(3)
                }
                Entity::Bom => n_inventory.div_ceil(5),
            };
            let mut dice = Dice::new(seed, 3_000 + entity.place(), 0);
            let age = |seq| 10 * MINUTE + Dice::new(seed, 2_000 + entity.place(), u64::from(seq)).below(2 * DAY);
            let rows = rows::spread(&mut dice, n, &span, age);
            Versioned::new(rows, &mut dice, &mut last_ts)
        };
        let tables = Entity::ALL.into_iter().map(table).collect();
        Self { seed, n_inventory, n_partners, n_warehouses, tables, last_ts, modified: 0 }
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

    /// The index of an entity by last modification.
    pub(crate) fn by_updated(&self, entity: Entity) -> &[Entry] {
        self.tables[entity as usize].table().by_updated()
    }

    /// The index of an entity by row version.
    pub(crate) fn by_ts(&self, entity: Entity) -> &[Entry] {
        self.tables[entity as usize].by_ts()
    }

    /// Modifies a row, which gets the newest row version of all.
    pub(crate) fn touch(&mut self, entity: Entity, seq: u32, now_ms: i64) {
        self.modified += 1;
        self.last_ts += 2;
        self.tables[entity as usize].touch(seq, now_ms, self.last_ts);
    }

    /// Rows modified so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Whether there is a row of that code.
    pub(crate) fn has_code(&self, entity: Entity, code: &str) -> bool {
        entity.seq_of_code(code).is_some_and(|seq| (seq as usize) < self.rows(entity).len())
    }

    /// Whether an archive record is out of use.
    pub(crate) fn disabled(&self, entity: Entity, seq: u32) -> bool {
        seq == 1 || Dice::new(self.seed, 1_050 + entity.place(), u64::from(seq)).chance(7)
    }

    /// Warehouse, inventory record and batch of a row of current stock.
    pub(crate) fn stock(&self, seq: u32) -> (u32, u32, &'static str) {
        let (warehouse, inventory) = (seq / self.n_inventory, seq % self.n_inventory);
        (warehouse, inventory, if inventory.is_multiple_of(3) { "B2601" } else { "" })
    }

    /// The primary key of a row, as the control endpoints name it.
    pub(crate) fn key(&self, entity: Entity, seq: u32) -> String {
        if entity == Entity::CurrentStock {
            let (warehouse, inventory, batch) = self.stock(seq);
            return format!("{}/{}/{batch}", Entity::Warehouse.code(warehouse), Entity::Inventory.code(inventory));
        }
        entity.id(seq).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::awkward;
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_rows() {
        for entity in Entity::ALL {
            assert_eq!(Entity::parse(entity.name()), Some(entity));
            assert_eq!(Entity::ALL[entity as usize], entity);
            for seq in [0, 1, 2, 9_998, 9_999, 12_345] {
                assert_eq!(entity.seq_of_id(&entity.id(seq).to_string()), Some(seq));
                assert_eq!(entity.seq_of_code(&entity.code(seq)), Some(seq));
            }
            assert_eq!((entity.seq_of_id("7"), entity.seq_of_id("x"), entity.seq_of_code("?")), (None, None, None));
        }
        assert_eq!(Entity::Inventory.id(1).to_string(), awkward::ID);
        assert_eq!(Entity::Inventory.seq_of_code("0101-00001"), None);
    }

    #[test]
    fn keys_of_stock_name_warehouse_inventory_and_batch() {
        let data = Data::new(&Settings { n_inventory: 4, n_warehouses: 2, ..Settings::default() }, 1_785_556_800_000);
        assert_eq!(data.rows(Entity::CurrentStock).len(), 8);
        assert_eq!(data.key(Entity::CurrentStock, 7), "W0002/0101-0004/B2601");
        assert_eq!(data.key(Entity::CurrentStock, 1), "W0001/0101-0002/");
    }
}

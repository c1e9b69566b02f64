//! The fields of each entity's rows, in the vendor's names and forms.

use super::awkward;
use super::data::{Data, Entity};
use super::methods;
use super::query::has_flag;
use super::record::{Record, id_text, quoted};
use super::settings::Settings;
use crate::beijing;
use crate::dice::Dice;

const UNITS: [(&str, &str); 3] = [("01", "个"), ("02", "套"), ("03", "千克")];
const GOODS: [&str; 6] =
    ["轴承座 UCP205", "密封圈", "深沟球轴承 6205", "皮带 & 轮=套装+1", "电机\"1.5kW\"", "润滑脂 100%"];

/// The row at a position.
pub(crate) fn record(data: &Data, settings: &Settings, entity: Entity, seq: u32) -> Record {
    let mut record = Record::new(settings);
    let row = data.row(entity, seq);
    if entity == Entity::CurrentStock {
        stock(data, settings, seq, &mut record);
    } else {
        record.id("ID", entity.id(seq));
        record.text("Code", entity.code(seq).as_str());
        match entity {
            Entity::Inventory => inventory(data, seq, &mut record),
            Entity::Partner => partner(seq, &mut record),
            Entity::Warehouse => record.text("Name", format!("{}号仓库", seq + 1).as_str()),
            Entity::Person => record.text("Name", ["张三", "李四", "王五"][(seq % 3) as usize]),
            Entity::Department => record.text("Name", ["销售部", "采购部", "仓储部"][(seq % 3) as usize]),
            Entity::Project => record.text("Name", format!("{}号项目", seq + 1).as_str()),
            Entity::UnitGroup => record.text("Name", UNITS[(seq % 3) as usize].1),
            Entity::Bom => bom(data, seq, &mut record),
            _ => voucher(data, settings, entity, seq, &mut record),
        }
    }
    if has_flag(entity) {
        record.flag("Disabled", data.disabled(entity, seq));
    }
    record.text("Memo", format!("v{}", row.version).as_str());
    record.version(data.ts(entity, seq));
    record
}

fn unit(seq: u32) -> [(&'static str, &'static str); 2] {
    let (code, name) = UNITS[(seq % 3) as usize];
    [("Code", code), ("Name", name)]
}

fn inventory(data: &Data, seq: u32, record: &mut Record) {
    let mut dice = Dice::new(data.seed, 1_001, u64::from(seq));
    record.text("Name", GOODS[(seq % 6) as usize]);
    record.text("Specification", dice.pick(&["Φ25", "", "M8×40"]));
    record.text("DefaultBarCode", seq.is_multiple_of(2).then(|| format!("69{:011}", seq * 7)).as_deref());
    record.object("InventoryClass", &[("Code", "0101"), ("Name", "原材料")]);
    record.object("Unit", &unit(seq));
    record.object("UnitBySale", &unit(seq));
    record.text("Expired", (seq % 4 == 1).then_some(awkward::EXPIRED));
    record.text("priuserdefnvc1", if seq % 3 == 2 { None } else { Some("") });
    let coloured = seq.is_multiple_of(5);
    record.raw("DynamicPropertyKeys", if coloured { "[\"freeitem0\"]" } else { "[]" });
    record.raw("DynamicPropertyValues", if coloured { "[\"红色\"]" } else { "[]" });
}

fn partner(seq: u32, record: &mut Record) {
    record.text("Name", format!("示例{}公司", seq + 1).as_str());
    record.text("ShortName", None);
    let (code, name) = [("01", "客户"), ("02", "供应商"), ("00", "客户/供应商")][(seq % 3) as usize];
    record.object("PartnerType", &[("Code", code), ("Name", name)]);
}

fn stock(data: &Data, settings: &Settings, seq: u32, record: &mut Record) {
    let (warehouse, inventory, batch) = data.stock(seq);
    let mut dice = Dice::new(data.seed, 1_002, u64::from(seq));
    record.text("WarehouseCode", Entity::Warehouse.code(warehouse).as_str());
    record.text("WarehouseName", format!("{}号仓库", warehouse + 1).as_str());
    record.text("InventoryCode", Entity::Inventory.code(inventory).as_str());
    record.text("InventoryName", GOODS[(inventory % 6) as usize]);
    record.raw("InventoryID", id_text(settings.ids, Entity::Inventory.id(inventory)));
    record.text("Batch", batch);
    record.text("UnitName", UNITS[(inventory % 3) as usize].1);
    let quantity = dice.below(500_000);
    let decimals = |hundredths: i64| format!("{}.{:02}00", hundredths / 100, hundredths % 100);
    record.raw("ExistingQuantity", decimals(quantity));
    record.raw("AvailableQuantity", decimals(quantity * 9 / 10));
    let coloured = inventory.is_multiple_of(5);
    record.raw("DynamicPropertyKeys", if coloured { "[\"freeitem0\"]" } else { "[]" });
    record.raw("DynamicPropertyValues", if coloured { "[\"红色\"]" } else { "[]" });
}

fn bom(data: &Data, seq: u32, record: &mut Record) {
    record.text("Version", "1.0");
    record.object("Inventory", &[("Code", Entity::Inventory.code(seq * 5).as_str())]);
    record.object("VoucherState", &[("Code", if seq % 4 == 1 { "00" } else { "189" })]);
    let children: Vec<String> = [1, 2]
        .map(|step| {
            let child = (seq * 5 + step) % data.n_inventory;
            format!(
                "{{\"Inventory\":{{\"Code\":{}}},\"RequiredQuantity\":{step}.5000}}",
                quoted(&Entity::Inventory.code(child))
            )
        })
        .to_vec();
    record.raw("BOMChilds", format!("[{}]", children.join(",")));
}

fn voucher(data: &Data, settings: &Settings, entity: Entity, seq: u32, record: &mut Record) {
    let row = data.row(entity, seq);
    let mut dice = Dice::new(data.seed, 1_100 + entity.place(), u64::from(seq));
    let day = beijing::format(row.created);
    let day = day.split_once(' ').map_or(day.as_str(), |(day, _)| day);
    record.text("VoucherDate", day);
    record.text("ExternalCode", None);
    let partner = dice.position(data.n_partners);
    let code = Entity::Partner.code(partner);
    let name = format!("示例{}公司", partner + 1);
    let party = match entity {
        Entity::PurchaseOrder | Entity::PurchaseArrival | Entity::PurchaseReceive => "Partner",
        _ => "Customer",
    };
    record.object(party, &[("Code", &code), ("Name", &name)]);
    let warehouse = dice.position(data.n_warehouses);
    record.object("Warehouse", &[("Code", &Entity::Warehouse.code(warehouse))]);
    record.object("VoucherState", &[("Code", dice.pick(&["181", "189"]))]);
    record.text("MadeRecordDate", day);
    record.raw("DynamicPropertyKeys", "[\"pubuserdefnvc1\"]");
    record.raw("DynamicPropertyValues", format!("[{}]", quoted(dice.pick(&["天猫", "京东", ""]))));
    let n_lines = if seq == 0 { 2 } else { 1 + dice.below(3) };
    let (mut total, mut lines) = (0, Vec::new());
    for idx in 0..n_lines {
        let inventory = dice.position(data.n_inventory);
        let (quantity, price) = (1 + dice.below(40), 100 + dice.below(50_000));
        total += quantity * price;
        let id = id_text(settings.ids, 1_888_000_000_000_000_001 + i64::from(seq) * 4 + idx);
        let (number, amount) = match (seq, idx) {
            (0, 0) => (awkward::QUANTITY.to_owned(), awkward::AMOUNT.to_owned()),
            _ => (format!("{quantity}.50"), format!("{}.{:02}", quantity * price / 100, quantity * price % 100)),
        };
        lines.push(format!(
            "{{\"ID\":{id},\"Inventory\":{{\"Code\":{}}},\"Unit\":{{\"Name\":{}}},\"Quantity\":{number},\
             \"OrigPrice\":{}.{:02}00,\"OrigTaxAmount\":{amount},\"Batch\":null,\"IsPresent\":false}}",
            quoted(&Entity::Inventory.code(inventory)),
            quoted(UNITS[(inventory % 3) as usize].1),
            price / 100,
            price % 100,
        ));
    }
    record.raw("TaxAmount", format!("{}.{:02}", total / 100, total % 100));
    record.raw(methods::lines(entity), format!("[{}]", lines.join(",")));
}

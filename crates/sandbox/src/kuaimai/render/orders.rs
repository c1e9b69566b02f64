//! Orders and what follows from them: outstock view, sales-out documents, after-sale orders, return receipts.

use super::super::awkward;
use super::super::data::{Entity, FIRST_SHOP, NO_TIME, SHOPS, TimeKind, WAREHOUSES, World};
use crate::dice::Dice;
use crate::json::Json;
use crate::table::Row;

/// Number of the first platform order; the others follow in steps of [`TID_STEP`].
const TID_BASE: i64 = 2_461_234_567_000_000_000;
const TID_STEP: i64 = 1_000_003;

const CITIES: [(&str, &str); 6] = [
    ("浙江省", "杭州市"),
    ("广东省", "深圳市"),
    ("江苏省", "苏州市"),
    ("四川省", "成都市"),
    ("北京", "北京市"),
    ("湖北省", "武汉市"),
];
const BUYERS: [&str; 8] = ["张**", "李**", "王**", "刘**", "陈**", "杨**", "赵**", "小***铺"];

/// The platform's number of an order.
pub(crate) fn tid(order: u32) -> i64 {
    TID_BASE + i64::from(order) * TID_STEP
}

/// The order of a platform's number.
pub(crate) fn order_of_tid(text: &str) -> Option<u32> {
    let number: i64 = text.parse().ok()?;
    let order = u32::try_from(number.checked_sub(TID_BASE)? / TID_STEP).ok()?;
    (tid(order) == number).then_some(order)
}

/// One line of an order, before it is written.
#[derive(Clone, Copy)]
struct Line {
    sku: u32,
    num: i64,
    price: i64,
    cost: i64,
    discount: i64,
    gift: bool,
}

fn lines(world: &World, order: u32) -> ([Line; 3], usize) {
    let mut dice = Dice::new(world.seed, 1_010, u64::from(order));
    let n_lines = if order == 0 { 2 } else { dice.pick(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3]) };
    let lines = std::array::from_fn(|idx| {
        let sku = dice.position(world.n_skus());
        let item = world.item(world.item_of(sku));
        let num = 1 + dice.below(3);
        let gift = idx == 2 && dice.chance(50);
        let price = if gift { 0 } else { item.price };
        let discount = if dice.chance(40) { price * num * dice.below(12) / 100 } else { 0 };
        Line { sku, num, price, cost: item.cost, discount, gift }
    });
    (lines, n_lines)
}

/// An order, or its masked outstock view.
pub(super) fn order(world: &World, entity: Entity, seq: u32, row: &Row, out: &mut Json) {
    let mut dice = Dice::new(world.seed, 1_011, u64::from(seq));
    let time = |kind| world.time(entity, seq, row, kind);
    let (all, n_lines) = lines(world, seq);
    let lines = &all[..n_lines];
    let (paid, consigned, finished) = (time(TimeKind::Paid), time(TimeKind::Consigned), time(TimeKind::Finished));
    let status = if finished != NO_TIME {
        "FINISHED"
    } else if consigned != NO_TIME {
        "SELLER_SEND_GOODS"
    } else if time(TimeKind::Audited) != NO_TIME {
        "WAIT_SEND_GOODS"
    } else {
        "WAIT_AUDIT"
    };
    let total: i64 = lines.iter().map(|line| line.price * line.num).sum();
    let discount: i64 = lines.iter().map(|line| line.discount).sum();
    let cost: i64 = lines.iter().map(|line| line.cost * line.num).sum();
    let shop = world.shop_of(seq);
    let (platform, shop_title) = SHOPS[shop as usize];
    let (state, city) = dice.pick(&CITIES);
    let (warehouse, _, warehouse_name) = dice.pick(&WAREHOUSES);
    let merged = n_lines == 2 && seq % 25 == 7;
    let first_total = lines[0].price * lines[0].num - lines[0].discount;

    out.begin();
    out.int("sid", entity.id(seq));
    out.int("shortId", i64::from(seq) + 1);
    out.format("tid", format_args!("{}", tid(seq)));
    out.int("userId", FIRST_SHOP + i64::from(shop));
    out.text("shopName", shop_title);
    out.text("source", platform);
    out.int("companyId", 10_001);
    out.text("type", dice.pick(&["4,99,0", "0", "0,7", "4,0"]));
    out.text("sysStatus", status);
    out.text("unifiedStatus", status);
    // The vendor's own data hold U+FFFD inside names now and then.
    out.text("buyerNick", if seq % 997 == 5 { "张\u{FFFD}*" } else { dice.pick(&BUYERS) });
    out.text("receiverState", state);
    out.text("receiverCity", city);
    if entity == Entity::Orders {
        out.literal("receiverMobile", "null");
    } else {
        out.text("receiverMobile", "1**********");
    }
    out.int("warehouseId", warehouse);
    out.text("warehouseName", warehouse_name);
    out.hundredths_short("payment", total);
    // For merged orders the head covers one sub-order only.
    out.hundredths_text("payAmount", if merged { first_total } else { total - discount });
    out.text("postFee", dice.pick(&["0", "0", "0.00", "8"]));
    out.hundredths_text("discountFee", discount);
    out.hundredths_text("totalFee", total);
    if seq == 0 {
        out.literal("cost", awkward::COST);
        out.literal("grossProfit", awkward::GROSS_PROFIT);
        out.literal("weight", awkward::WEIGHT);
    } else {
        out.hundredths_number("cost", cost);
        out.hundredths_number("grossProfit", (total - discount - cost).max(0));
        out.hundredths_number("weight", lines.iter().map(|line| line.num * 17).sum());
    }
    out.int("created", row.created);
    out.int("payTime", paid);
    out.int("auditTime", time(TimeKind::Audited));
    out.int("consignTime", consigned);
    out.int("endTime", finished);
    out.int("updTime", row.updated);
    out.int("modified", if seq.is_multiple_of(3) { NO_TIME } else { row.updated });
    if consigned == NO_TIME {
        out.literal("outSid", "null");
    } else {
        out.format("outSid", format_args!("SF{:013}", i64::from(seq) * 7 + 1_000_000));
    }
    let exception = dice.chance(8);
    out.int("isExcep", i64::from(exception));
    out.literal("exceptions", if exception { r#"["EX_DELIVER"]"# } else { "[]" });
    // Missing once a refund is closed or successful.
    if seq % 20 != 3 {
        out.int("isRefund", i64::from(dice.chance(5)));
    }
    out.int("isHalt", 0);
    out.int("splitSid", -1);
    out.int("splitType", -1);
    out.literal("tradeTags", "[]");
    out.format("sellerMemo", format_args!("v{}", row.version));
    out.begin_list("orders");
    for (idx, line) in (0..).zip(lines) {
        order_line(world, entity, seq, idx, *line, merged, status, [row.created, paid, consigned, row.updated], out);
    }
    out.end_list();
    out.end();
}

#[expect(clippy::too_many_arguments, reason = "one call site, and each is a fact of the order above")]
fn order_line(
    world: &World,
    entity: Entity,
    order: u32,
    idx: i64,
    line: Line,
    merged: bool,
    status: &str,
    [created, paid, consigned, updated]: [i64; 4],
    out: &mut Json,
) {
    let (item, (colour, size)) = (world.item_of(line.sku), world.variant(line.sku));
    let total = line.price * line.num;
    let tid = tid(order) + if merged { idx } else { 0 };
    out.begin();
    out.int("id", 7_000_000_000_000_000_123 + i64::from(order) * 4 + idx);
    out.int("sid", entity.id(order));
    match (order, idx) {
        (0, 0) => out.literal("oid", awkward::OID),
        (0, _) => out.literal("oid", awkward::LONG_OID),
        _ => out.int("oid", tid + 1 + idx),
    }
    out.format("tid", format_args!("{tid}"));
    out.int("num", line.num);
    out.int("giftNum", if line.gift { line.num } else { 0 });
    out.int("type", 0);
    out.int("itemSysId", Entity::Items.id(item));
    out.int("skuSysId", Entity::Stock.id(line.sku));
    out.format("sysOuterId", format_args!("SKU{:06}", line.sku + 1));
    out.format("sysItemOuterId", format_args!("ITEM-{}", item + 1));
    out.literal("outerSkuId", "null");
    out.format("skuId", format_args!("{}", 100_012_000_000 + i64::from(line.sku)));
    out.format("sysTitle", format_args!("{} {colour} {size}", world.item(item).title));
    out.hundredths_text("price", line.price);
    out.hundredths_text("payment", total);
    out.hundredths_text("divideOrderFee", total - line.discount);
    out.hundredths_text("totalFee", total);
    out.hundredths_text("discountFee", line.discount);
    out.int("discountRate", 100);
    out.hundredths_number("cost", line.cost);
    out.int("stockNum", line.num);
    out.text("stockStatus", "NORMAL");
    out.text("refundStatus", "NO_REFUND");
    out.text("sysStatus", status);
    out.int("payTime", paid);
    out.int("created", created);
    out.int("consignTime", consigned);
    out.int("updTime", updated);
    if order % 15 == 4 && idx == 0 {
        out.begin_list("suits");
        out.begin();
        out.int("id", 7_500_000_000_000_000_123 + i64::from(order));
        out.format("sysOuterId", format_args!("SKU{:06}", line.sku + 1));
        out.int("num", line.num);
        out.end();
        out.end_list();
    } else {
        out.literal("suits", "null");
    }
    out.end();
}

/// A sales-out document.
pub(super) fn sales_out(world: &World, seq: u32, row: &Row, out: &mut Json) {
    let time = |kind| world.time(Entity::SalesOut, seq, row, kind);
    let order = seq % world.n_orders.max(1);
    let mut dice = Dice::new(world.seed, 1_012, u64::from(seq));
    let (warehouse, _, warehouse_name) = dice.pick(&WAREHOUSES);
    let (all, n_lines) = lines(world, order);
    out.begin();
    out.int("id", Entity::SalesOut.id(seq));
    out.int("sid", Entity::Orders.id(order));
    out.format("tid", format_args!("{}", tid(order)));
    out.format("outSid", format_args!("SF{:013}", i64::from(order) * 7 + 1_000_000));
    out.text("expressName", dice.pick(&["顺丰速运", "中通快递", "圆通速递"]));
    out.int("warehouseId", warehouse);
    out.text("warehouseName", warehouse_name);
    out.int("created", row.created);
    out.int("payTime", time(TimeKind::Paid));
    out.int("auditTime", time(TimeKind::Audited));
    out.int("printTime", time(TimeKind::Printed));
    out.int("consignTime", time(TimeKind::Consigned));
    out.int("endTime", time(TimeKind::Finished));
    out.hundredths_number("weight", 20 + dice.below(300));
    out.format("remark", format_args!("v{}", row.version));
    out.begin_list("details");
    for line in &all[..n_lines] {
        out.begin();
        out.int("sysSkuId", Entity::Stock.id(line.sku));
        out.format("skuOuterId", format_args!("SKU{:06}", line.sku + 1));
        out.int("num", line.num);
        out.hundredths_text("price", line.price);
        out.end();
    }
    out.end_list();
    out.end();
}

/// An after-sale order: the head's refund in yuan text, the lines' in fen numbers.
pub(super) fn after_sale(world: &World, seq: u32, row: &Row, out: &mut Json) {
    let time = |kind| world.time(Entity::AfterSale, seq, row, kind);
    let mut dice = Dice::new(world.seed, 1_013, u64::from(seq));
    let order = dice.position(world.n_orders);
    let (all, n_lines) = lines(world, order);
    let lines = &all[..n_lines];
    let shop = world.shop_of(order);
    out.begin();
    out.int("id", Entity::AfterSale.id(seq));
    out.int("shortId", i64::from(seq) + 1);
    out.int("sid", Entity::Orders.id(order));
    out.format("tid", format_args!("{}", tid(order)));
    out.format("platformId", format_args!("{}", 88_000_000_000_i64 + i64::from(seq)));
    out.int("userId", FIRST_SHOP + i64::from(shop));
    out.text("shopName", SHOPS[shop as usize].1);
    out.int("afterSaleType", 1 + dice.below(4));
    out.int("status", 1 + dice.below(5));
    out.text("reason", dice.pick(&["尺码不合适", "质量问题", "七天无理由退货", "发错货"]));
    out.hundredths_text("rawRefundMoney", lines.iter().map(|line| line.price * line.num - line.discount).sum());
    out.int("created", row.created);
    out.int("modified", row.updated);
    out.int("finished", time(TimeKind::Finished));
    out.format("remark", format_args!("v{}", row.version));
    out.begin_list("items");
    for line in lines {
        out.begin();
        out.int("sysItemId", Entity::Items.id(world.item_of(line.sku)));
        out.int("sysSkuId", Entity::Stock.id(line.sku));
        out.format("skuOuterId", format_args!("SKU{:06}", line.sku + 1));
        out.int("num", line.num);
        out.int("rawRefundMoney", line.price * line.num - line.discount);
        out.end();
    }
    out.end_list();
    out.end();
}

/// A return receipt, which names its after-sale order.
pub(super) fn return_receipt(world: &World, seq: u32, row: &Row, out: &mut Json) {
    let mut dice = Dice::new(world.seed, 1_014, u64::from(seq));
    let (warehouse, _, warehouse_name) = dice.pick(&WAREHOUSES);
    let sku = dice.position(world.n_skus());
    out.begin();
    out.int("id", Entity::ReturnReceipts.id(seq));
    out.int("workOrderId", Entity::AfterSale.id(seq));
    out.int("warehouseId", warehouse);
    out.text("warehouseName", warehouse_name);
    out.int("status", 1 + dice.below(3));
    out.int("createTime", row.created);
    out.int("modifyTime", row.updated);
    out.format("remark", format_args!("v{}", row.version));
    out.begin_list("items");
    out.begin();
    out.int("sysSkuId", Entity::Stock.id(sku));
    out.format("skuOuterId", format_args!("SKU{:06}", sku + 1));
    out.int("num", 1 + dice.below(2));
    out.end();
    out.end_list();
    out.end();
}

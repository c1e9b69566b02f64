//! Orders and what follows from them: stock-outs, logistics, after-sale orders, return receipts.

use super::super::awkward;
use super::super::data::{CARRIERS, Data, Entity, Sku, VARIANTS, WAREHOUSES, shop_sku_id, sku_id, so_id, style_id};
use super::{Place, created, maybe_money, money, null, time};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;

const CITIES: [(&str, &str, &str); 4] = [
    ("上海市", "上海市", "浦东新区"),
    ("浙江省", "杭州市", "余杭区"),
    ("广东省", "深圳市", "南山区"),
    ("四川省", "成都市", "武侯区"),
];
const STATES: [&str; 8] =
    ["WaitPay", "WaitConfirm", "WaitFConfirm", "WaitOuterSent", "Delivering", "Question", "Split", "Cancelled"];

/// One line of an order, before it is written.
#[derive(Clone, Copy)]
struct Line {
    sku: u32,
    facts: Sku,
    qty: i64,
}

impl Line {
    fn amount(&self) -> i64 {
        self.facts.price * self.qty
    }
}

fn lines(data: &Data, order: u32) -> Vec<Line> {
    let mut dice = Dice::new(data.seed, 1_010, u64::from(order));
    let n_lines = dice.pick(&[1, 1, 1, 2, 2, 3]);
    let line = |_| {
        let sku = dice.position(data.n_skus());
        Line { sku, facts: data.sku(sku), qty: 1 + dice.below(3) }
    };
    (0..n_lines).map(line).collect()
}

fn carrier(seq: u32) -> (&'static str, &'static str, String) {
    let (id, name) = CARRIERS[(seq % 4) as usize];
    (id, name, format!("{id}{:013}", 1_000_000 + u64::from(seq) * 7))
}

pub(super) fn order(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, row, .. } = place;
    let mut dice = place.dice();
    let lines = lines(data, seq);
    let goods: i64 = lines.iter().map(Line::amount).sum();
    let freight = dice.pick(&[0, 0, 0, 800]);
    let free = if dice.chance(40) { goods / 10 } else { 0 };
    let pay = goods - free + freight;
    let sent = data.moved(Entity::Orders, seq);
    let status = if sent.is_some() { "Sent" } else { dice.pick(&STATES) };
    let shop = data.shop_of(seq);
    let so = so_id(seq);

    out.int("o_id", place.id());
    out.text("so_id", &so);
    out.int("shop_id", shop);
    out.int("co_id", WAREHOUSES[0].0);
    out.format("shop_name", format_args!("示例旗舰店{}", shop % 100));
    out.text("shop_status", if sent.is_some() { "WAIT_BUYER_CONFIRM_GOODS" } else { "WAIT_SELLER_SEND_GOODS" });
    out.text("status", status);
    out.text("type", "普通订单");
    out.text("order_from", dice.pick(&["PINDUODUO", "TMALL", "JD"]));
    out.text("order_date", &beijing::format(row.created));
    out.text("pay_date", &beijing::format(row.created + 38_000));
    time("send_date", sent, out);
    null("end_time", out);
    created("created", row.created + 40_487, seq, out);
    match seq {
        0 => {
            out.literal("pay_amount", awkward::PAY_AMOUNT);
            out.literal("paid_amount", awkward::PAID_AMOUNT);
        }
        // At times the vendor writes a text.
        seq if seq % 7 == 3 => {
            out.hundredths_text("pay_amount", pay);
            money("paid_amount", pay, seq, out);
        }
        seq => {
            money("pay_amount", pay, seq, out);
            money("paid_amount", pay, seq, out);
        }
    }
    out.hundredths_text("freight", freight);
    if seq % 11 == 4 {
        out.hundredths_text("free_amount", free);
    } else {
        money("free_amount", free, seq, out);
    }
    maybe_money("platform_free_amount", (seq % 3 == 0).then_some(150), out);
    maybe_money("pay_free_amount", None, out);
    maybe_money("shop_free_amount", (seq % 2 == 0).then_some(free), out);
    maybe_money("referrer_free_amount", None, out);
    out.text("currency", "CNY");
    out.text("wms_co_id", if seq.is_multiple_of(2) { "0" } else { "10012" });
    let (lc_id, lc_name, l_id) = carrier(seq);
    if sent.is_some() {
        out.text("l_id", &l_id);
        out.text("lc_id", lc_id);
        out.text("logistics_company", lc_name);
    } else {
        null("l_id", out);
        null("lc_id", out);
        null("logistics_company", out);
    }
    out.text("labels", dice.pick(&["加急,预售", "", "赠品"]));
    out.format("skus", format_args!("{}.{}*{}", lines.len(), sku_id(lines[0].sku), lines[0].qty));
    for flag in ["is_cod", "is_merge", "is_split"] {
        out.literal(flag, "false");
    }
    null("link_o_id", out);
    if seq.is_multiple_of(2) {
        out.format("buyer_id", format_args!("U{seq:04}"));
    } else {
        out.int("buyer_id", 70_000 + i64::from(seq));
    }
    // Buyers write whatever they like.
    out.text("buyer_message", dice.pick(&["", "请尽快 & 包好=谢谢+1 100%", "写上 \"生日快乐\"\n谢谢", "😀"]));
    null("node", out);
    null("question_type", out);
    let (state, city, district) = dice.pick(&CITIES);
    out.text("receiver_name", dice.pick(&["李*", "王**", "欧阳*"]));
    null("receiver_mobile", out);
    out.text("receiver_state", state);
    out.text("receiver_city", city);
    out.text("receiver_district", district);
    null("receiver_address", out);
    place.stamps(true, out);
    out.begin_list("items");
    for (idx, line) in (0_u32..).zip(&lines) {
        out.begin();
        out.int("oi_id", 55_120_031 + i64::from(seq) * 4 + i64::from(idx));
        match (seq, idx) {
            (0, 0) => out.text("outer_oi_id", awkward::OUTER_OI_ID),
            _ => out.format("outer_oi_id", format_args!("24612345678{:08}", seq * 4 + idx)),
        }
        order_item(line, out);
        out.text("shop_sku_id", &shop_sku_id(line.sku));
        money("base_price", line.facts.price + 100, seq, out);
        out.literal("is_gift", "false");
        out.literal("is_presale", "false");
        out.text("refund_status", "none");
        out.text("item_status", status);
        out.text("sku_type", "nomal");
        out.text("raw_so_id", &so);
        null("pic", out);
        null("batch_id", out);
        null("remark", out);
        out.end();
    }
    out.end_list();
    out.begin_list("pays");
    out.begin();
    out.int("pay_id", 71_100_021 + i64::from(seq));
    out.format("outer_pay_id", format_args!("2025030122{seq:04}"));
    out.text("pay_date", &beijing::format(row.created + 38_000));
    money("amount", pay, seq, out);
    out.text("payment", "支付宝");
    out.text("status", "Confirmed");
    out.literal("is_order_pay", "true");
    out.text("buyer_account", "u***");
    out.end();
    out.end_list();
}

/// What each line that names an SKU says.
fn order_item(line: &Line, out: &mut Json) {
    let (colour, size) = VARIANTS[(line.sku % 3) as usize];
    out.text("sku_id", &sku_id(line.sku));
    out.text("i_id", &style_id(line.sku / 3));
    out.text("name", line.facts.name);
    out.format("properties_value", format_args!("{colour};{size}"));
    out.int("qty", line.qty);
    money("price", line.facts.price, line.sku, out);
    money("amount", line.amount(), line.sku, out);
}

pub(super) fn stock_out(place: Place<'_>, out: &mut Json) {
    let Place { data, entity, seq, row, .. } = place;
    let (lc_id, lc_name, l_id) = carrier(seq);
    out.int("io_id", place.id());
    out.int("o_id", Entity::Orders.id(seq));
    out.text("so_id", &so_id(seq));
    out.int("shop_id", data.shop_of(seq));
    out.int("co_id", WAREHOUSES[0].0);
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    out.text("status", "Confirmed");
    out.text("order_type", "普通订单");
    out.text("io_date", &beijing::format(row.created));
    time("consign_time", data.moved(entity, seq), out);
    created("created", row.created, seq, out);
    out.text("l_id", &l_id);
    out.text("lc_id", lc_id);
    out.text("logistics_company", lc_name);
    let lines = lines(data, seq);
    money("paid_amount", lines.iter().map(Line::amount).sum(), seq, out);
    out.hundredths_number("weight", lines.iter().map(|line| line.facts.weight * line.qty).sum());
    place.stamps(true, out);
    item_lines(&lines, "ioi_id", 81_000_001 + i64::from(seq) * 4, out);
}

/// The lines of a document about goods of an order.
fn item_lines(lines: &[Line], key: &str, first: i64, out: &mut Json) {
    out.begin_list("items");
    for (idx, line) in (first..).zip(lines) {
        out.begin();
        out.int(key, idx);
        order_item(line, out);
        out.end();
    }
    out.end_list();
}

/// Rows carry no `modified`; the version is in `remark` all the same.
pub(super) fn logistics(place: Place<'_>, out: &mut Json) {
    let Place { data, entity, seq, row, .. } = place;
    let (lc_id, lc_name, l_id) = carrier(seq);
    out.int("o_id", place.id());
    out.text("so_id", &so_id(seq));
    out.int("shop_id", data.shop_of(seq));
    time("send_date", data.moved(entity, seq), out);
    out.text("l_id", &l_id);
    out.text("lc_id", lc_id);
    out.text("logistics_company", lc_name);
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    out.format("remark", format_args!("v{}", row.version));
    item_lines(&lines(data, seq), "oi_id", 55_120_031 + i64::from(seq) * 4, out);
}

pub(super) fn after_sale(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, row, .. } = place;
    let mut dice = place.dice();
    let lines = lines(data, seq);
    out.int("as_id", place.id());
    out.format("outer_as_id", format_args!("98765432109{seq:08}"));
    out.text("so_id", &so_id(seq));
    out.int("o_id", Entity::Orders.id(seq));
    out.int("shop_id", data.shop_of(seq));
    out.text("as_date", &beijing::format(row.created));
    out.text("type", dice.pick(&["退货退款", "仅退款", "换货"]));
    out.text("status", dice.pick(&["WaitConfirm", "Confirmed", "Cancelled"]));
    out.text("shop_status", "WAIT_SELLER_AGREE");
    created("created", row.created, seq, out);
    money("refund", lines[0].amount(), seq, out);
    money("payment", 0, seq, out);
    // A number here, a text in orders.
    out.hundredths_number("freight", dice.pick(&[0, 800]));
    out.literal("order_labels", if seq.is_multiple_of(2) { r#"["加急","预售"]"# } else { "[]" });
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    place.stamps(true, out);
    item_lines(&lines[..1], "asi_id", 61_000_001 + i64::from(seq) * 4, out);
}

pub(super) fn return_receipt(place: Place<'_>, out: &mut Json) {
    let Place { data, seq, row, .. } = place;
    out.int("io_id", place.id());
    out.int("as_id", Entity::AfterSale.id(seq));
    out.int("o_id", Entity::Orders.id(seq));
    out.text("so_id", &so_id(seq));
    out.int("shop_id", data.shop_of(seq));
    out.text("io_date", &beijing::format(row.created));
    out.int("wms_co_id", WAREHOUSES[(seq % 3) as usize].0);
    out.text("warehouse", WAREHOUSES[(seq % 3) as usize].1);
    place.stamps(true, out);
    item_lines(&lines(data, seq)[..1], "ioi_id", 82_000_001 + i64::from(seq) * 4, out);
}

//! Records per second of CPU: field rules, expressions, and a mapper written by hand on `serde_json::Value`, in turns.
//!
//! Prints one line for each: its name and its figure. `cargo xtask bench mapping` runs it and compares.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use milkrun_core::Record;
use milkrun_mapping::{Mapping, Output};
use serde_json::{Map, Value, json};

/// An order of 1.5 KB with four lines.
const ORDER: &str = r#"{"sid":5973932837575123,"tid":"2461830211578894213","userId":88001234,"sysStatus":"WAIT_SEND_GOODS","buyerNick":"小林和他的猫","created":1785513600000,"payTime":1785513660000,"updTime":1785599999000,"payment":"1299.90","postFee":"10.00","discountFee":"25.10","totalFee":130000,"sellerMemo":"急,周五前发","receiverName":"林先生","receiverState":"浙江省","receiverCity":"杭州市","receiverDistrict":"西湖区","receiverAddress":"文三路 478 号华星时代广场 A 座 1203","receiverMobile":"138****0000","warehouseId":10012,"warehouseName":"杭州一号仓","shopName":"旗舰店","source":"tb","isPresell":0,"logisticsCompany":"顺丰速运","outSid":"SF1408810003999","invoiceName":"杭州某某科技有限公司","invoiceKind":"电子发票","receiverZip":"310012","tagIds":[11,29,40],"urgent":false,"orders":[{"oid":6920000000000000001,"sysItemId":4411220011,"skuOuterId":"TS-RED-L","title":"短袖T恤 红 L","num":2,"price":"199.95","payment":"399.90","discountFee":"0.00"},{"oid":6920000000000000002,"sysItemId":4411220012,"skuOuterId":"TS-BLU-M","title":"短袖T恤 蓝 M","num":1,"price":"200.00","payment":"200.00","discountFee":"5.10"},{"oid":6920000000000000003,"sysItemId":4411220013,"skuOuterId":"PT-BLK-32","title":"休闲长裤 黑 32","num":1,"price":"350.00","payment":"350.00","discountFee":"10.00"},{"oid":6920000000000000004,"sysItemId":4411220014,"skuOuterId":"CP-WHT-F","title":"棒球帽 白 均码","num":2,"price":"175.00","payment":"350.00","discountFee":"10.00"}]}"#;

const RULES: &str = r#"
[fields]
code = "tid"
org_code = { const = "0518" }
vendor = "shopName"
vouchdate = { from = "created", type = "date" }
total = { from = "totalFee", type = "decimal", unit = "fen-to-yuan" }
paid = { from = "payment", type = "decimal" }
memo = { from = ["sellerMemo", "buyerMemo"], default = "" }
buyer = { from = "buyerNick", max_length = 4, cut = true }
city = "receiverCity"
warehouse = { from = "warehouseId", type = "text" }
status = { from = "sysStatus", values = { WAIT_SEND_GOODS = "open", FINISHED = "done" }, otherwise = "other" }
[fields.lines]
each = "orders"
fields.oid = "oid"
fields.sku = "skuOuterId"
fields.qty = "num"
fields.price = { from = "price", type = "decimal" }
fields.amount = { from = "payment", type = "decimal" }
fields.order = "$.tid"
"#;

const EXPRESSIONS: &str = r#"
[fields]
code = { expr = '.tid' }
org_code = { expr = '"0518"' }
vendor = { expr = '.shopName' }
vouchdate = { expr = '.created | date' }
total = { expr = '.totalFee | fen_to_yuan' }
paid = { expr = '.payment | tonumber' }
memo = { expr = 'first_non_empty(.sellerMemo, .buyerMemo)' }
buyer = { expr = '.buyerNick | cut(4)' }
city = { expr = '.receiverCity' }
warehouse = { expr = '.warehouseId | tostring' }
status = { expr = 'if .sysStatus == "WAIT_SEND_GOODS" then "open" elif .sysStatus == "FINISHED" then "done" else "other" end' }
[fields.lines]
each = "orders"
fields.oid = { expr = '.oid' }
fields.sku = { expr = '.skuOuterId' }
fields.qty = { expr = '.num' }
fields.price = { expr = '.price | tonumber' }
fields.amount = { expr = '.payment | tonumber' }
fields.order = { expr = '$record.tid' }
"#;

const TRANSFORM: &str = r#"
transform = '''
{
  code: .tid, org_code: "0518", vendor: .shopName, vouchdate: (.created | date),
  total: (.totalFee | fen_to_yuan), paid: (.payment | tonumber), memo: first_non_empty(.sellerMemo, .buyerMemo),
  buyer: (.buyerNick | cut(4)), city: .receiverCity, warehouse: (.warehouseId | tostring),
  status: (if .sysStatus == "WAIT_SEND_GOODS" then "open" elif .sysStatus == "FINISHED" then "done" else "other" end),
  lines: [.tid as $tid | .orders[] | {
    oid, sku: .skuOuterId, qty: .num, price: (.price | tonumber), amount: (.payment | tonumber), order: $tid
  }]
}
'''
"#;

/// The same by hand, as one would write it; money goes through floats, which is what is compared with and not copied.
fn by_hand(text: &str) -> Option<String> {
    let record: Value = serde_json::from_str(text).ok()?;
    let number = |value: &Value| value.as_str()?.parse::<f64>().ok();
    let created = jiff::Timestamp::from_millisecond(record["created"].as_i64()?).ok()?;
    let zone = jiff::tz::Offset::from_hours(8).ok()?;
    let fen = record["totalFee"].as_i64()?;
    let mut out = Map::new();
    out.insert("code".into(), record["tid"].clone());
    out.insert("org_code".into(), json!("0518"));
    out.insert("vendor".into(), record["shopName"].clone());
    out.insert("vouchdate".into(), json!(zone.to_datetime(created).date().to_string()));
    out.insert("total".into(), json!(format!("{}.{:02}", fen / 100, fen % 100).parse::<f64>().ok()?));
    out.insert("paid".into(), json!(number(&record["payment"])?));
    let memo = record.get("sellerMemo").or_else(|| record.get("buyerMemo"));
    out.insert("memo".into(), memo.cloned().unwrap_or_else(|| json!("")));
    out.insert("buyer".into(), json!(record["buyerNick"].as_str()?.chars().take(4).collect::<String>()));
    out.insert("city".into(), record["receiverCity"].clone());
    out.insert("warehouse".into(), json!(record["warehouseId"].to_string()));
    let status = match record["sysStatus"].as_str()? {
        "WAIT_SEND_GOODS" => "open",
        "FINISHED" => "done",
        _ => "other",
    };
    out.insert("status".into(), json!(status));
    let mut lines = Vec::new();
    for line in record["orders"].as_array()? {
        let mut to = Map::new();
        to.insert("oid".into(), line["oid"].clone());
        to.insert("sku".into(), line["skuOuterId"].clone());
        to.insert("qty".into(), line["num"].clone());
        to.insert("price".into(), json!(number(&line["price"])?));
        to.insert("amount".into(), json!(number(&line["payment"])?));
        to.insert("order".into(), record["tid"].clone());
        lines.push(Value::Object(to));
    }
    out.insert("lines".into(), Value::Array(lines));
    serde_json::to_string(&out).ok()
}

/// Nanoseconds that this thread has had the CPU.
fn cpu() -> Option<u64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    times.split(' ').next()?.parse().ok()
}

/// Records and rounds: enough that a round takes some tenths of a second.
const RECORDS: u32 = 4_000;
const ROUNDS: usize = 9;

fn main() -> Result<(), String> {
    let compile = |text: &str| Mapping::compile_str(text).map_err(|mistakes| format!("{mistakes:?}"));
    let mappings =
        [("rules", compile(RULES)?), ("expressions", compile(EXPRESSIONS)?), ("transform", compile(TRANSFORM)?)];
    let expected: Value = by_hand(ORDER).and_then(|text| serde_json::from_str(&text).ok()).ok_or("no document")?;
    let mut out = Output::new();
    let mut map = |mapping: &Mapping| {
        out.clear();
        let record = Record::parse(black_box(ORDER)).map_err(|e| e.to_string())?;
        mapping.apply(&record, &mut out).map_err(|e| e.to_string())?;
        Ok::<String, String>(black_box(out.text()).to_owned())
    };
    for (name, mapping) in &mappings {
        let found: Value = serde_json::from_str(&map(mapping)?).map_err(|e| e.to_string())?;
        if found != expected {
            return Err(format!("{name} and the mapper by hand made different documents: {found} and {expected}"));
        }
    }
    let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut measure = |name: &'static str, work: &mut dyn FnMut() -> Result<(), String>| {
        let start = cpu().ok_or("the time on the CPU is read from /proc, which is not there")?;
        for _ in 0..RECORDS {
            work()?;
        }
        let nanos = cpu().unwrap_or(start).saturating_sub(start).max(1);
        let seconds = Duration::from_nanos(nanos).as_secs_f64();
        figures.entry(name).or_default().push(f64::from(RECORDS) / seconds);
        Ok::<(), String>(())
    };
    for _ in 0..ROUNDS {
        measure("by-hand", &mut || {
            black_box(by_hand(black_box(ORDER))).map(drop).ok_or_else(|| "no document".to_owned())
        })?;
        for (name, mapping) in &mappings {
            measure(name, &mut || map(mapping).map(drop))?;
        }
    }
    println!("bytes {}", ORDER.len());
    for (name, mut all) in figures {
        all.sort_by(f64::total_cmp);
        println!("{name} {:.0}", all[all.len() / 2]);
    }
    Ok(())
}

//! Numbers arrive byte for byte, and times in Beijing time, whatever the machine's zone.

use std::collections::BTreeSet;
use std::fs;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use milkrun_core::Record;
use milkrun_sandbox::kuaimai::awkward;

use crate::installation::{Installation, flow, orders_flow};
use crate::vendor::{DAY, Vendor};

/// The line of the order that carries the awkward numbers.
fn awkward_line(file: &str, sid: &str) -> String {
    let lines: Vec<&str> = file.lines().filter(|line| line.contains(sid)).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].to_owned()
}

#[test]
fn awkward_numbers_arrive_byte_for_byte() {
    let vendor = Vendor::with_orders(150, DAY / 2);
    let installation = Installation::new(&vendor);
    installation.flow("orders", &orders_flow(&vendor, "", ""));
    let mapping = r#"
[mapping.fields]
sid = "sid"
sid_text = { from = "sid", type = "text" }
weight = "weight"
weight_decimal = { from = "weight", type = "decimal" }
weight_text = { from = "weight", type = "text" }
cost = "cost"
cost_decimal = { from = "cost", type = "decimal" }
cost_fen = { from = "cost", type = "integer", unit = "yuan-to-fen" }
profit = "grossProfit"
profit_text = { from = "grossProfit", type = "text" }
[mapping.fields.lines]
each = "orders"
fields.oid = "oid"
fields.oid_integer = { from = "oid", type = "integer" }
fields.oid_text = { from = "oid", type = "text" }
"#;
    let since = format!("since = \"{}\"", vendor.since());
    installation.flow("mapped", &flow("orders", "mapped", &since, mapping));
    installation.milkrun(&["run", "--all"]).with(0);

    let sid = awkward::SID.to_string();
    let as_it_came = awkward_line(&fs::read_to_string(installation.path("out/orders.jsonl")).unwrap(), &sid);
    let order = Record::parse(as_it_came.clone()).unwrap();
    let wanted = [
        ("weight", awkward::WEIGHT),
        ("cost", awkward::COST),
        ("grossProfit", awkward::GROSS_PROFIT),
        ("orders[0].oid", awkward::OID),
        ("orders[1].oid", awkward::LONG_OID),
    ];
    for (path, number) in wanted {
        assert_eq!(order.at(path).as_deref(), Some(number), "{path}");
    }
    // The journal has the page as the vendor sent it; the record in it is the line in the file.
    let traced = installation.milkrun(&["trace", &sid, "--flow", "orders", "--json"]).with(0).json();
    assert_eq!(traced["found"][0]["record"].as_str(), Some(&*as_it_came));

    let mapped = awkward_line(&fs::read_to_string(installation.path("out/mapped.jsonl")).unwrap(), &sid);
    let expected = r#"{"sid":5973932837000000,"sid_text":"5973932837000000","weight":0.10,"weight_decimal":0.10,"weight_text":"0.10","cost":1000000000000000.01,"cost_decimal":1000000000000000.01,"cost_fen":100000000000000001,"profit":1E+2,"profit_text":"1E+2","lines":[{"oid":6920000000000000001,"oid_integer":6920000000000000001,"oid_text":"6920000000000000001"},{"oid":1234567890123456789012,"oid_integer":1234567890123456789012,"oid_text":"1234567890123456789012"}]}"#;
    assert_eq!(mapped, expected);
}

#[test]
fn times_are_beijing_time_in_any_zone_of_the_machine() {
    let vendor = Vendor::with_orders(300, DAY);
    let beijing = TimeZone::fixed(jiff::tz::offset(8));
    let first_day = vendor.since().to_zoned(beijing.clone()).date();
    let mapping = "[mapping.fields]\nsid = \"sid\"\nms = \"created\"\n\
         created = { from = \"created\", type = \"datetime\" }\nday = { from = \"created\", type = \"date\" }\n\
         iso = { from = \"created\", type = \"datetime\", format = \"rfc3339\" }\n";
    let mut files = BTreeSet::new();
    for zone in ["UTC", "America/New_York", "Asia/Shanghai"] {
        let since = vendor.n_calls();
        let mut installation = Installation::new(&vendor);
        installation.set("TZ", zone);
        // A date alone is the start of that day in the stream's zone.
        let source = format!("since = \"{first_day}\"\nuntil = \"{}\"\nconcurrency = 1", vendor.control.now());
        installation.flow("orders", &flow("orders", "orders", &source, mapping));
        installation.milkrun(&["run", "orders"]).with(0);
        let windows: Vec<_> = vendor.control.calls(since).into_iter().filter_map(|call| call.window).collect();
        assert!(windows[0].starts_with(&format!("{first_day} 00:00:00 .. ")), "{zone}: {}", windows[0]);
        files.insert(fs::read_to_string(installation.path("out/orders.jsonl")).unwrap());
    }
    assert_eq!(files.len(), 1, "the machine's zone plays no part");
    let file = files.into_iter().next().unwrap();
    assert_eq!(file.lines().count(), 300);
    for line in file.lines() {
        let order = Record::parse(line.to_owned()).unwrap();
        let ms: i64 = order.get("ms").unwrap().parse().unwrap();
        let there = Timestamp::from_millisecond(ms).unwrap().to_zoned(beijing.clone());
        let expected = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f+08:00"];
        let expected = expected.map(|form| format!("\"{}\"", there.strftime(form)));
        let found = ["created", "day", "iso"].map(|field| order.get(field).unwrap().to_owned());
        assert_eq!(found, expected, "{line}");
    }
}

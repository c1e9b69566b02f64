//! The plain way: each page becomes a `serde_json::Value`, ten fields are renamed, and a line is written.

use milkrun_floors::ask::{self, Result};
use serde_json::{Map, Value};

const FIELDS: [(&str, &str); 10] = [
    ("order_id", "sid"),
    ("order_no", "tid"),
    ("shop", "shopName"),
    ("status", "unifiedStatus"),
    ("buyer", "buyerNick"),
    ("paid", "payment"),
    ("discount", "discountFee"),
    ("created_at", "created"),
    ("changed_at", "updTime"),
    ("lines", "orders"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    ask::all(|page, out| {
        let mut page: Value = serde_json::from_slice(page)?;
        let records = page["list"].as_array_mut().ok_or("the page has no list")?;
        for record in &mut *records {
            let record = record.as_object_mut().ok_or("a record is no object")?;
            let renamed: Map<String, Value> =
                FIELDS.into_iter().filter_map(|(name, from)| Some((name.to_owned(), record.remove(from)?))).collect();
            serde_json::to_writer(&mut *out, &renamed)?;
            out.write_all(b"\n")?;
        }
        Ok(records.len())
    })
    .await
}

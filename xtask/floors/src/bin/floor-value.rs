//! The plain way: each page becomes a `serde_json::Value`, ten fields are renamed, and a line is written.

use milkrun_floors::ask::{self, FIELDS, Result};
use serde_json::{Map, Value};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let whole = ask::whole();
    ask::all(|page, out| {
        let mut page: Value = serde_json::from_slice(page)?;
        let records = page["list"].as_array_mut().ok_or("the page has no list")?;
        for record in &mut *records {
            let record = record.as_object_mut().ok_or("a record is no object")?;
            let mut document = Map::new();
            for (name, from) in FIELDS {
                if let Some(value) = record.remove(from) {
                    document.insert(name.to_owned(), value);
                }
            }
            if whole {
                document.append(record);
            }
            serde_json::to_writer(&mut *out, &document)?;
            out.write_all(b"\n")?;
        }
        Ok(records.len())
    })
    .await
}

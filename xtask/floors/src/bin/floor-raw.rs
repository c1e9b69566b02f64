//! The least that keeps every byte: records are split into their fields, ten of them are renamed, and all values are
//! copied as text.

use std::fmt;

use milkrun_floors::ask::{self, FIELDS, Result};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    list: Vec<Fields<'a>>,
}

/// The fields of a record in the order in which they came.
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(48);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(V)
    }
}

/// Appends one field.
fn write(line: &mut Vec<u8>, name: &str, value: &RawValue) {
    line.push(if line.is_empty() { b'{' } else { b',' });
    line.push(b'"');
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
    line.extend_from_slice(value.get().as_bytes());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let whole = ask::whole();
    let mut line = Vec::new();
    ask::all(|page, out| {
        let page: Page<'_> = serde_json::from_str(str::from_utf8(page)?)?;
        for Fields(fields) in &page.list {
            line.clear();
            // Fields that keep their names come first, as the engine writes them.
            if whole {
                for (name, value) in fields.iter().filter(|(name, _)| FIELDS.iter().all(|(_, from)| from != name)) {
                    write(&mut line, name, value);
                }
            }
            for (name, from) in FIELDS {
                if let Some((_, value)) = fields.iter().find(|(known, _)| *known == from) {
                    write(&mut line, name, value);
                }
            }
            line.extend_from_slice(b"}\n");
            out.write_all(&line)?;
        }
        Ok(page.list.len())
    })
    .await
}

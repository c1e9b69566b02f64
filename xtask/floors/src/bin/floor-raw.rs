//! The least that keeps every byte: records are split, ten fields of each are copied as text, and a line is written.

use milkrun_floors::ask::{self, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    list: Vec<Order<'a>>,
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    sid: &'a RawValue,
    #[serde(borrow)]
    tid: &'a RawValue,
    #[serde(borrow, rename = "shopName")]
    shop: &'a RawValue,
    #[serde(borrow, rename = "unifiedStatus")]
    status: &'a RawValue,
    #[serde(borrow, rename = "buyerNick")]
    buyer: &'a RawValue,
    #[serde(borrow)]
    payment: &'a RawValue,
    #[serde(borrow, rename = "discountFee")]
    discount: &'a RawValue,
    #[serde(borrow)]
    created: &'a RawValue,
    #[serde(borrow, rename = "updTime")]
    changed: &'a RawValue,
    #[serde(borrow)]
    orders: &'a RawValue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let mut line = Vec::new();
    ask::all(|page, out| {
        let page: Page<'_> = serde_json::from_str(str::from_utf8(page)?)?;
        for order in &page.list {
            line.clear();
            let fields = [
                ("{\"order_id\":", order.sid),
                (",\"order_no\":", order.tid),
                (",\"shop\":", order.shop),
                (",\"status\":", order.status),
                (",\"buyer\":", order.buyer),
                (",\"paid\":", order.payment),
                (",\"discount\":", order.discount),
                (",\"created_at\":", order.created),
                (",\"changed_at\":", order.changed),
                (",\"lines\":", order.orders),
            ];
            for (name, value) in fields {
                line.extend_from_slice(name.as_bytes());
                line.extend_from_slice(value.get().as_bytes());
            }
            line.extend_from_slice(b"}\n");
            out.write_all(&line)?;
        }
        Ok(page.list.len())
    })
    .await
}

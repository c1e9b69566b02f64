//! The floor programs' way to the server: day by day, page after page, as plain as it can be written.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The result of a floor program.
pub type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Records of a page.
const SIZE: usize = 100;

/// The ten fields by the names that they are written under.
pub const FIELDS: [(&str, &str); 10] = [
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

/// Whether all fields of a record are written, ten of them under other names, instead of those ten alone.
pub fn whole() -> bool {
    std::env::args().nth(5).as_deref() == Some("whole")
}

/// Reads all orders of a span and gives each page's text to `take`, which writes what it makes of it and says how many
/// records there were.
///
/// Arguments of the process: the server's address, the first and the last instant in milliseconds, the file to write,
/// and `whole` if all fields are to be written.
///
/// # Errors
/// Whatever goes wrong: a floor keeps no state and repeats nothing.
pub async fn all(mut take: impl FnMut(&[u8], &mut dyn Write) -> Result<usize>) -> Result {
    let mut args = std::env::args().skip(1);
    let mut next = |what: &str| args.next().ok_or_else(|| format!("the argument `{what}` is missing"));
    let url = next("URL")?;
    let mut from: Timestamp = Timestamp::from_millisecond(next("FROM")?.parse()?)?;
    let until: Timestamp = Timestamp::from_millisecond(next("UNTIL")?.parse()?)?;
    let mut out = BufWriter::with_capacity(1 << 18, File::create(next("FILE")?)?);
    let zone = TimeZone::get("Asia/Shanghai")?;
    let write = |instant: Timestamp| instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let client = reqwest::Client::new();
    while from < until {
        let end = (from + SignedDuration::from_hours(24)).min(until);
        for number in 1.. {
            let (number, size) = (number.to_string(), SIZE.to_string());
            let (start, stop) = (write(from), write(end - SignedDuration::from_secs(1)));
            let form = format!(
                "method=erp.trade.list.query&timeType=upd_time&pageNo={number}&pageSize={size}&startTime={}&endTime={}",
                start.replace(' ', "+"),
                stop.replace(' ', "+"),
            );
            let request = client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
            let body = request.send().await?.error_for_status()?.bytes().await?;
            if take(&body, &mut out)? < SIZE {
                break;
            }
        }
        from = end;
    }
    out.flush()?;
    Ok(())
}

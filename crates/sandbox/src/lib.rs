//! Seeded vendor simulators with faults, drift and a clock that can be set.
//!
//! Each simulator is written from the vendor's wire reference alone and shares no code with the connectors or the
//! core: code in common would be wrong on both sides together.
//!
//! ```no_run
//! use milkrun_sandbox::{Fault, FaultRule, kuaimai};
//!
//! # async fn demo() -> std::io::Result<()> {
//! let sandbox = kuaimai::start(kuaimai::Settings { n_orders: 20_000, ..Default::default() }).await?;
//! println!("{}", sandbox.url());
//! sandbox.control().add_fault(FaultRule::new(Fault::drift(3)));
//! # Ok(())
//! # }
//! ```
//!
//! Each vendor also has `in_process`, which gives the same simulator without a socket; see [`InProcess`].
//!
//! # Shared parts
//! Transport, clock, call limits, faults and the log are the same for each vendor; a vendor is one more module with
//! its own settings. In the order in which a call meets them: half of the latency, the path, the call limits, the
//! faults, the vendor, the other half of the latency.
//!
//! - **Limits** are measured in every sliding window at the moment a call arrives, on the simulator's clock. A refused
//!   call takes no place in a window. While the clock is frozen no window slides.
//! - **Faults** strike always, at every n-th or at the next n calls, for one method or all; see [`Fault`]. Calls refused
//!   for the limits do not count. `reset`, `html`, `empty-body`, `http-status` and `vendor-code` come instead of the
//!   call; with `truncated`, `lost-answer`, `cut` and `slow` the call has had its effect.
//! - **Drift** modifies rows of the page just served, after it was rendered: they get the current time, leave each window
//!   that ends before it, and those behind them move up. A pager that only goes forward through 1,000 rows by 100 thus
//!   collects 973 of them with 3 rows of drift.
//! - **The clock** runs with the machine unless it is frozen. A change never gets an older time than the one before it on
//!   the same row, also when the clock is set back.
//!
//! # Control endpoints
//! On the vendor's port under `/_sandbox/`; no limit counts them and no fault strikes them. [`Control`] does the same in
//! the process.
//!
//! | call | does |
//! | --- | --- |
//! | `GET stats` | calls by method and outcome, refused calls, fullest windows, documents, refreshes, the last 20 calls |
//! | `GET calls?since=N` | the last 100,000 calls with method, page, window, key, outcome, rows and faults |
//! | `GET clock`, `POST clock` | `{"set": "2026-08-01 00:00:00", "advance_ms": 1000, "freeze": true}`, each optional |
//! | `GET faults`, `POST faults`, `DELETE faults` | one rule or a list: `{"fault": "html", "every": 7, "method": "…"}` |
//! | `GET session`, `POST session` | `{"kill": true}` or `{"revive": true}` |
//! | `POST change` | `{"entity": "orders", "n": 3}` modifies rows now and names them |
//! | `GET received/{target}` | what was written: each key with the documents it made, one JSON object a line |
//! | `POST pushes` | what the vendor sends by itself now, as it would arrive at a registered address |
//! | `GET truth/{entity}` | each document's key, time and version, one JSON object a line |
//!
//! # Jushuitan
//! What it is strict about and what was chosen where its page is silent: [`jushuitan`].
//!
//! # Chanjet T+
//! What it is strict about and what was chosen where its page is silent: [`chanjet`].
//!
//! # Kuaimai
//! Strict about: path, verb, content type, doubled and empty fields, method, version, app key, timestamp (10 minutes
//! either way, GMT+8), `format`, signature (three methods, any case), session, page numbers and sizes, required
//! dates, their form and order, one day of orders (`30077`), 90 days of archives, ten shops, twenty items. Misspelled
//! optional parameters (`page_no`) are ignored without a word, as the vendor does. A good answer has HTTP 200 and
//! `traceId`, a refused one HTTP 200 and `trace_id`; HTTP 404, 405, 413, 414 and 429 come with HTML.
//!
//! The data follow from seed and clock start. Times spread over [`Settings::history`](kuaimai::Settings::history) and end
//! [`quiet`](kuaimai::Settings::quiet) before the start. [`kuaimai::awkward`] names the numbers that the first order
//! carries. Each document says its version in a text (`sellerMemo` of orders, `remark` elsewhere): `v0`, `v1`, ….
//! The write methods, the Qimen gateway and printing are not simulated (`27`).
//!
//! What the page leaves open, and what was chosen; those with a setting are marked:
//!
//! - *Order of rows* (setting): newest first by the time asked by, ties by position; base data by key.
//! - *Ends of a window* (setting): both inclusive, and the end is an instant: a row at `12:00:00.001` lies after
//!   `12:00:00`.
//! - *`total`* (setting): on every page, on stock only on page 1; as text for purchase documents, receipts and returns.
//! - *An empty page* (setting) has neither list nor `total`, also past the end.
//! - *`expiresIn`* (setting) counts seconds; *a refresh* (setting) keeps both strings. A wrong refresh token is `33`, a
//!   missing one `32`. The first refresh may come at once.
//! - *Lines by `.get`* (setting): asked by `id`; `list` holds the lines. An unknown id is `400`.
//! - *Codes*: missing method `26`, unknown `27`, missing version `28`, unknown `29`; missing timestamp `32`, wrong one
//!   `33`; empty or doubled fields and foreign content types `50`; unknown warehouse of stock `20301`; an archive window
//!   above 90 days `33`.
//! - *Orders* need both dates unless `sid` or `tid` is given; the outstock query behaves alike. `queryType=1` serves
//!   what was created more than 90 days ago, and only that.
//! - *Sales-out documents*: `timeType` 1 created (default), 2 paid, 3 audited, 4 printed, 5 consigned, 6 finished.
//! - *Return receipts*: `timeType` is `modifyTime` or `createTime`; the row's fields are named the same.
//! - *Purchase documents*: `timeType` 1 created, 2 modified (default). `startModified`/`endModified` also for archives.
//! - *Items by id* take `sysItemIds`, separated by commas; `item.single.get` and the SKU list take `sysItemId` or
//!   `outerId`. Stock by warehouse gives all warehouses of one code on one page.
//! - *Page sizes* that the page does not name: outstock, return receipts, stock and shops 20 by default; return
//!   receipts, transfers and shops 200 at most.
//! - *Fields* without a sample on the page have plausible names and the page's units.
//! - Outstock rows share their `sid` with the orders but are modified on their own.
//!
//! # qeasy
//! What it is strict about and what was chosen where its page is silent: [`qeasy`].
//!
//! # Yonyou
//! What it is strict about and what was chosen where its page is silent: [`yonyou`].

mod arrival;
mod beijing;
pub mod chanjet;
mod clock;
mod control;
mod decimal;
mod dice;
mod faults;
mod fields;
mod form;
mod in_process;
mod json;
pub mod jushuitan;
pub mod kuaimai;
mod limits;
pub mod qeasy;
mod rows;
mod server;
mod start;
mod stats;
mod table;
mod tree;
mod vendor;
mod versioned;
mod wire;
mod written;
pub mod yonyou;

pub use control::Control;
pub use faults::{Fault, FaultRule, FaultState, When};
pub use in_process::{Carried, InProcess, InProcessAnswer, Outcome};
pub use limits::WindowStats;
pub use server::Sandbox;
pub use stats::{CallRecord, Stats};
pub use vendor::{Received, TruthRow};

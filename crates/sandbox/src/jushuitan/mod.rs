//! The Jushuitan (聚水潭) simulator, written from the wire reference of its open API alone.
//!
//! Both APIs share one merchant and one set of call limits: the new one under `/open/…` and `/openWeb/auth/…`, the old
//! one under `/api/open/query.aspx`. The log and the faults name methods of the new API by path and those of the old
//! one by their dotted name.
//!
//! # What it is strict about
//! - *New API*: POST only, urlencoded form, nothing in the query string, no field twice or empty, `app_key`, `charset`,
//!   `version`, `timestamp` in seconds, `sign` in lower-case hex, `access_token`, and `biz` that is a JSON object, for
//!   uploads of orders a list.
//! - *Queries*: page numbers from 1, each method's page size, both dates or none, their form and order, seven days (one
//!   for suppliers), `date_type`, numbers of ids, orders without any filter (`130`), other filters beside a row version
//!   where it must stand alone. Fields that no method knows are ignored without a word.
//! - *Tokens*: which app may use which grant, one use of a code, old refresh tokens, service providers (`150`).
//! - *Old API*: POST, system parameters in the query string, JSON body, the token's last week.
//! - *Uploads*: 50 orders, 500 lines, required fields, known shops, exact sums, leaf categories, known SKUs; each row
//!   for itself. Uploaded orders are unique by shop and `so_id`, SKUs by `sku_id`, adjustments by `so_id`.
//!
//! # Data
//! They follow from seed and clock start. Times spread over [`Settings::history`] and end [`Settings::quiet`] before
//! the start. Row versions ascend over all entities and cross 2^53; each change takes the newest. [`awkward`] names the
//! numbers that the first order and the first SKU carry. Each document says its version in `remark` (`remark1` of
//! warehouses): `v0`, `v1`, …. Warehouses are `10011`, `10012` and `10013`; their inventories are the entities
//! `inventory-10011` and so on, and `inventory` is their sum: a change of one changes the sum too.
//!
//! Written: the targets `orders` (key `shop_id/so_id`), `skus` and `inventory`. Uploaded orders are found by `so_ids`
//! and `o_ids`; windows and row versions serve the seeded ones only. Adjustments do not change inventory rows.
//!
//! # What the page leaves open, and what was chosen
//! Those with a setting are marked.
//!
//! - *Rotation* (setting): both tokens are replaced, and the old ones die. *Life of the refresh token* (setting): 30
//!   days. *`getInitToken` while the token lives* (setting): new tokens.
//! - *A dead access token* can be refreshed as long as the refresh token lives; killing the session kills the former
//!   only.
//! - *Refused refresh*: `140` with the vendor's message. *A code that is used, old or made up*: `140`.
//! - *The callback* of `/auth?…` is an HTML page with status 200 that shows the query string of the callback.
//! - *Timestamp* (setting): 10 minutes, `180`; or 15 minutes, `140`.
//! - *Codes*: missing or empty fields `130`; whatever else does not conform `140`; an unknown method or path, a method
//!   that is not simulated, and a grant of another kind of app `190`. Another verb is HTTP 405 with HTML, a path
//!   outside both APIs HTTP 404.
//! - *Order of a window* (setting): oldest first, ties by position; without window and row version by position. *End of
//!   a window* (setting): an instant, so that a row at `12:00:00.001` lies after `12:00:00`.
//! - *Row version with dates or numbers*: all of them hold, but for inventory, where dates are refused beside `ts`.
//! - *`has_next`* and *`ts`* (settings): boolean and number.
//! - *`date_type` 2*: the day the document was made out; 3: the day of sending. Orders that have not been sent are in
//!   no window of sending.
//! - *Page sizes above the greatest* are refused (`140`), not cut.
//! - *`so_ids`, `o_ids`, `io_ids`, `po_ids`* come as a list or as one text with commas, `sku_ids` as text only; `o_ids`
//!   have no greatest number. The filter by distributor is not simulated.
//! - *An order's discount* in the sum of an upload is `free_amount`, nothing if it is missing.
//! - *An inventory adjustment* is one object or a list of them, taken whole or not at all, answered by `{io_id, so_id,
//!   issuccess, msg}`. *The same `so_id` again* (setting): success with the id of the first. A row that fails never
//!   changes the envelope's code.
//! - *Old API*: the five confirmed methods and `refresh.token`, whose repeats within [`Settings::old_refresh_cache`]
//!   get the same answer; before the token's last week `140`; wrong signature `120`.
//! - *Fields* without a sample on the page have plausible names and the page's types.
//! - Not simulated: Qimen, pushed messages, and the other writes.

pub mod awkward;
mod data;
mod list;
mod methods;
mod protocol;
mod query;
mod render;
mod session;
mod settings;
mod sign;
mod uploads;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

pub use settings::{
    AppKind, HasNext, InitToken, Repeat, Rotation, Settings, SortOrder, TimestampRule, TsForm, WindowEnd,
};

use self::data::{Data, Entity};
use self::methods::{Action, List};
use self::protocol::{Generation, Problem, no_permission, refuse};
use self::session::Session;
use self::uploads::Uploads;
use crate::dice::Dice;
use crate::faults::Fault;
use crate::form::Form;
use crate::json::Json;
use crate::limits::Refusal;
use crate::rows::some_of;
use crate::start::starts;
use crate::vendor::{Answer, Call, Inbound, Moment, Received, TruthRow, Vendor};

/// The one path of the old API.
const OLD_PATH: &str = "/api/open/query.aspx";
/// Where a merchant's browser grants access.
const LINK_PATH: &str = "/auth";

starts!(Settings => Simulator);

/// The vendor behind the scaffolding.
#[derive(Debug)]
struct Simulator {
    data: Data,
    session: Session,
    uploads: Uploads,
    settings: Settings,
    /// The API of the call that is being answered, for answers that come without one.
    generation: Cell<Generation>,
}

/// What a good answer holds, and how many of its rows drifted.
#[derive(Default)]
struct Good {
    rows: usize,
    drifted: u32,
}

impl Simulator {
    fn new(settings: Settings, start_ms: i64) -> Self {
        Self {
            data: Data::new(&settings, start_ms),
            session: Session::new(&settings, start_ms),
            uploads: Uploads::new(settings.repeat),
            settings,
            generation: Cell::default(),
        }
    }

    /// Writes the fields of a good answer of the new API.
    fn act_new(&mut self, call: &Call, moment: Moment<'_>, out: &mut Json) -> Result<Good, Problem> {
        let action = methods::find(&call.method).ok_or_else(no_permission)?;
        let token_call = matches!(action, Action::Grant(_) | Action::Refresh);
        let session = (!token_call).then_some(&self.session);
        protocol::check_new(call.form.as_ref(), &call.query, &self.settings, session, moment.now_ms)?;
        let form = call.form.as_ref().ok_or_else(no_permission)?;
        match action {
            Action::Grant(init) => {
                self.session.grant(init, form, moment.now_ms, out)?;
                Ok(Good::default())
            }
            Action::Refresh => {
                let refused = moment.faults.iter().find_map(|fault| match fault {
                    Fault::RefreshRefused { code } => Some(code.as_deref().unwrap_or("140")),
                    _ => None,
                });
                if let Some(code) = refused {
                    return Err(refuse(code, session::DEAD_REFRESH));
                }
                self.session.renew(form, moment.now_ms, out)?;
                Ok(Good::default())
            }
            Action::List(spec) => self.list(&spec, form.get("biz").unwrap_or_default(), moment, out),
            Action::Upload(target) => {
                let biz = form.get("biz").unwrap_or_default();
                let rows = self.uploads.take(target, biz, &mut self.data, moment.now_ms, out)?;
                Ok(Good { rows, drifted: 0 })
            }
        }
    }

    /// Writes the fields of a good answer of the old API.
    fn act_old(&mut self, call: &Call, moment: Moment<'_>, out: &mut Json) -> Result<Good, Problem> {
        let query = Form::urlencoded(call.query.as_bytes());
        protocol::check_old(&query, &self.settings, moment.now_ms)?;
        self.session.check_old(query.get("token").unwrap_or_default(), moment.now_ms)?;
        let body = if call.body.trim().is_empty() { "{}" } else { &call.body };
        if call.method == "refresh.token" {
            if biz(body)?.keys().next().is_some() {
                return Err(refuse("140", "参数不符合规范：refresh.token 不接受业务参数"));
            }
            if moment.faults.iter().any(|fault| matches!(fault, Fault::RefreshRefused { .. })) {
                return Err(refuse("140", "参数不符合规范：token 无法刷新"));
            }
            self.session.renew_old(moment.now_ms)?;
            return Ok(Good::default());
        }
        match methods::find_old(&call.method) {
            Some(Action::List(spec)) => self.list(&spec, body, moment, out),
            _ => Err(no_permission()),
        }
    }

    fn list(&mut self, spec: &List, text: &str, moment: Moment<'_>, out: &mut Json) -> Result<Good, Problem> {
        let biz = biz(text)?;
        let asked = query::read(&biz, spec, &self.data, self.settings.window_end)?;
        let extra = if spec.entity == Entity::Orders { self.uploads.orders_asked(&biz) } else { Vec::new() };
        let served = list::list(&mut self.data, &self.settings, spec, &asked, moment, out, &extra);
        let rows = served.seqs.len();
        let mut drifted = 0;
        let mut dice = Dice::new(self.settings.seed, 4_000, moment.n);
        for fault in moment.faults {
            let Fault::Drift { rows, .. } = fault else { continue };
            for seq in some_of(&mut dice, served.seqs.clone(), *rows) {
                self.data.touch(served.entity, seq, moment.now_ms);
                drifted += 1;
            }
        }
        Ok(Good { rows, drifted })
    }

    /// What a merchant's browser gets for the link.
    fn link(&mut self, query: &str, now_ms: i64) -> Result<Answer, Problem> {
        let form = protocol::check_link(query, &self.settings, now_ms)?;
        let code = self.session.authorise(now_ms)?;
        let mut callback = form_urlencoded::Serializer::new(String::new());
        callback.append_pair("app_key", &self.settings.app_key).append_pair("code", &code);
        if let Some(state) = form.get("state") {
            callback.append_pair("state", state);
        }
        let body = format!("<html><body><p id=\"callback\">{}</p></body></html>\n", callback.finish());
        Ok(Answer { body, outcome: "ok".to_owned(), ..Answer::html(200, "") })
    }
}

/// The business parameters of a query.
fn biz(text: &str) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(text).map_err(|_| refuse("140", "参数不符合规范：业务参数须为 JSON 对象"))
}

fn json_answer(body: String, outcome: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "application/json; charset=utf-8",
        retry_after: None,
        body,
        outcome: outcome.to_owned(),
        rows: 0,
        drifted: 0,
    }
}

impl Vendor for Simulator {
    fn path(&self) -> &'static str {
        ""
    }

    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer> {
        let old = inbound.path == OLD_PATH;
        self.generation.set(if old { Generation::Old } else { Generation::New });
        let known = ["/open/", "/openWeb/auth/"].iter().any(|start| inbound.path.starts_with(start));
        let wanted = match inbound.path {
            LINK_PATH => "GET",
            _ if old || known => "POST",
            _ => return Err(Answer::html(404, "Not Found")),
        };
        if inbound.verb != wanted {
            return Err(Answer::html(405, "Method Not Allowed"));
        }
        let content_type = inbound.content_type.to_ascii_lowercase();
        let is_form = content_type.starts_with("application/x-www-form-urlencoded");
        let form = (known && is_form).then(|| Form::urlencoded(inbound.body));
        let query = Form::urlencoded(inbound.query.as_bytes());
        let body = inbound.text();
        let method = if old { query.get("method").map(short).unwrap_or_default() } else { inbound.path.to_owned() };
        let asked = if old { Some(body.as_str()) } else { form.as_ref().and_then(|form| form.get("biz")) };
        let asked = asked.and_then(|text| biz(text).ok()).unwrap_or_default();
        let field = |name: &str| match asked.get(name)? {
            Value::String(text) => Some(short(text)),
            Value::Null => None,
            other => Some(short(&other.to_string())),
        };
        let first = |names: &[&str]| names.iter().find_map(|name| field(name));
        let (from, until) = (field("modified_begin"), field("modified_end"));
        Ok(Call {
            method,
            page_no: field("page_index"),
            page_size: field("page_size"),
            window: (from.is_some() || until.is_some())
                .then(|| format!("{} .. {}", from.unwrap_or_default(), until.unwrap_or_default())),
            key: first(&["start_ts", "ts", "so_ids", "o_ids", "io_ids", "po_ids", "sku_ids", "so_id"]),
            form,
            query: inbound.query.to_owned(),
            body,
            ..Call::default()
        })
    }

    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer {
        if moment.faults.contains(&Fault::SessionDeath) {
            self.session.kill();
        }
        if call.method == LINK_PATH {
            let answer = self.link(&call.query, moment.now_ms);
            return answer.unwrap_or_else(|problem| self.envelope(&problem.code, &problem.message));
        }
        let generation = self.generation.get();
        let mut out = Json::with_capacity(4_096);
        protocol::open(generation, &mut out);
        let good = match generation {
            Generation::New => self.act_new(call, moment, &mut out),
            Generation::Old => self.act_old(call, moment, &mut out),
        };
        match good {
            Ok(good) => {
                protocol::close(generation, &mut out);
                let rows = u32::try_from(good.rows).unwrap_or(u32::MAX);
                Answer { rows, drifted: good.drifted, ..json_answer(out.into_string(), "ok") }
            }
            Err(problem) => self.envelope(&problem.code, &problem.message),
        }
    }

    fn throttled(&mut self, refusal: Refusal) -> Answer {
        if refusal.window <= Duration::from_secs(1) {
            self.envelope("199", "请求过于频繁，超过每秒调用次数限制")
        } else {
            self.envelope("200", "请求过于频繁，超过每分钟调用次数限制")
        }
    }

    fn envelope(&mut self, code: &str, message: &str) -> Answer {
        json_answer(protocol::refusal(self.generation.get(), code, message), code)
    }

    fn documents(&self) -> BTreeMap<&'static str, usize> {
        let seeded = Entity::ALL.into_iter().map(|entity| (entity.name(), self.data.rows(entity).len()));
        seeded.chain(self.uploads.counts()).collect()
    }

    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        let entity = Entity::parse(entity)?;
        let mut truth: Vec<TruthRow> = (0..)
            .zip(self.data.rows(entity))
            .map(|(seq, row)| TruthRow { key: self.data.key(entity, seq), modified: row.updated, version: row.version })
            .collect();
        // Numbers ascend with their position already, and texts do not.
        if truth.first().is_some_and(|row| row.key.parse::<i64>().is_err()) {
            truth.sort_by(|one, other| one.key.cmp(&other.key));
        }
        Some(truth)
    }

    fn change(&mut self, entity: &str, n: u32, now_ms: i64) -> Option<Vec<String>> {
        let entity = Entity::parse(entity)?;
        let n_rows = u32::try_from(self.data.rows(entity).len()).ok()?;
        let mut dice = Dice::new(self.settings.seed, 5_000, self.data.modified());
        let chosen = some_of(&mut dice, (0..n_rows).collect(), n);
        let touch = |seq: u32| {
            self.data.touch(entity, seq, now_ms);
            self.data.key(entity, seq)
        };
        Some(chosen.into_iter().map(touch).collect())
    }

    fn kill_session(&mut self) {
        self.session.kill();
    }

    fn revive_session(&mut self, now_ms: i64) {
        self.session.revive(now_ms);
    }

    fn session(&self, now_ms: i64) -> Value {
        self.session.describe(now_ms)
    }

    fn counts(&self) -> (u64, u64) {
        (self.session.refreshes(), self.data.modified())
    }

    fn received(&self, target: &str) -> Option<Vec<Received>> {
        self.uploads.received(target)
    }
}

/// At most 100 characters of a field, for the log.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

//! The Chanjet T+ (畅捷通 T+) simulator, written from the wire reference of its open API alone.
//!
//! The token service lies under `/auth/…` and `/v1/common/auth/…`, business calls under `/tplus/api/v2/…`. The log and
//! the faults name steps of the token service by path and business calls by what follows `/tplus/api/v2/`, as in
//! `inventory/Query`.
//!
//! # What it is strict about
//! - *Business calls*: POST, `application/json`, a path letter by letter, `appKey`, `appSecret`, `openToken`, the
//!   wrapper of each query, page numbers from 1, sizes up to 1000, dates, filters by type. Fields that no query knows
//!   are ignored without a word.
//! - *Body signature*, once there is [`Settings::sign_key`]: `signature` in lower-case hex and `timestamp`.
//! - *Tokens*: verbs, `grantType`, one use and ten minutes of a code, rotation: an old refresh token is `14002`, the
//!   old access token dead at once; only the newest app ticket; each link of the store application's chain; calls of a
//!   day.
//! - *On premise*, once there is [`Settings::on_premise`]: form body with `_args`, `Authorization` with a PS256 JWT
//!   that ends within five minutes, `datas`, the token of the login. The cloud's headers are not looked at then.
//! - *Creates*: `dto`, required fields, `VoucherDate`, lines, customers, warehouses and inventory records that are
//!   there (setting), equal sides of a voucher, `ExternalCode` and `Code` unique for each target.
//!
//! # Data
//! They follow from seed and clock start. Times spread over [`Settings::history`] and end [`Settings::quiet`] before
//! the start. Row versions ascend over all entities and cross 2^53; each change takes the newest. `ID` is short on the
//! first row of each entity and has 19 digits on the others. [`awkward`] names the values that the first rows carry.
//! Each row says its version in `Memo`: `v0`, `v1`, …. Current stock has no id; its key under the control endpoints is
//! `WarehouseCode/InventoryCode/Batch`.
//!
//! Written: each target under its name in the path (`saleDelivery`, `doc`, …), by `ExternalCode`, or by `Code` where
//! there is none. What was created is found by `ID`, `Code` and `ExternalCode`, also by `GetVoucherDTO`; other queries
//! serve the rows of the start only, which have no `ExternalCode`.
//!
//! Pushes: each time a new `APP_TICKET`, the first time and after `orgTempAuthCode/resend` also a `TEMP_AUTH_CODE`.
//!
//! # What the page leaves open, and what was chosen
//! Those with a setting are marked.
//!
//! - *Envelopes* (settings): a bare array for `*/Query`, JSON text under `result` for `warehouse/Query`, `Data` and
//!   `TotalCount` for `*/QueryPage`, code `"0"` for `FindVoucherList` and `GetVoucherDTO`, columns named as asked for.
//!   *Forms* (settings): ids and booleans as text, row versions as sixteen hex digits under `Ts`.
//! - *Ids, dates and row version together*: all of them hold, and `PageIndex` counts within what they leave. *The row
//!   version asked by* (setting) is excluded. *Order* (setting): by row version if one is given, else by id. Ends of a
//!   window are instants, both included; one end alone is allowed.
//! - *`QueryByTime`* takes `UpdateDateBegin` and `UpdateDateEnd` in `queryParam`. `GroupInfo` is not looked at: rows
//!   are by warehouse, inventory and batch.
//! - *`FindVoucherList`*: filters in `paramDic` with or without the voucher's name before them; fields in
//!   `selectFields` with it, or their column is `null`; 50 rows by default. `RDRecord` is the name of stock vouchers,
//!   also accepted for purchase arrivals. Other receives, other dispatches and sale dispatches have it under names made
//!   alike.
//! - *No fields selected*: all. *Fields unknown*: left out.
//! - *`GetVoucherDTO`* answers `{code,message,data}` with the lines; an unknown document is `999`.
//! - *`person`, `department` and `Project`* answer `999` to an empty `param`.
//! - *A create* answers (setting) `null` for deliveries and stock vouchers, the id as quoted text for archives, an
//!   object for orders and vouchers. *A duplicate* (setting): `999` in HTTP 200. Whatever else is wrong with a
//!   document: `999`.
//! - *Refresh*: GET, or POST with its parameters in the query string or in a JSON body; a refresh token that never was
//!   is `4003`, an old one `4008`, missing parameters `4001`, another `grantType` `4002`, all in HTTP 200. *Reuse*
//!   (setting) ends nothing else. Self-built and store tokens replace the token of the user like a refresh.
//! - *A dead access token* (setting) is HTTP 401 with `4007`. Killing the session leaves the refresh token alive.
//! - *Codes*: missing headers and a wrong secret `50000` with HTTP 401, another key `50112` with HTTP 403, a wrong body
//!   signature `50000` with HTTP 403, an unknown path `50003` with HTTP 404, another verb HTTP 405 and another content
//!   type HTTP 415 with HTML, both quotas `50112` with HTTP 401. The monthly quota counts business calls with a good
//!   token.
//! - *Too fast* (setting): HTTP 429; there are no limits by default, since the page names none.
//! - *The fault `vendor-code`* comes with HTTP 401 for `4007`, `50000`, `50003` and `50112`, else with HTTP 200.
//! - *On premise*: a login while the token lives gives the same token; whatever is wrong with `Authorization` is
//!   `50000` with HTTP 401; `access_token` may lie beside `datas` or among what it hashes; a refused login has the
//!   envelope of the self-built application. Only paths under `/tplus/api/v2/`, and `"type":"Asyn"` is not looked at.
//! - *The timestamp of a body signature* is not compared with the clock.
//! - *Fields* without a sample on the page have plausible names.
//! - Not simulated: the browser's authorisation page, the websocket of pushes, reports, `CreateBatch`, `bom/Create` and
//!   `bom/Audit`, API v1.

pub mod awkward;
mod data;
mod grants;
mod list;
mod methods;
mod on_premise;
mod protocol;
mod query;
mod record;
mod render;
mod seal;
mod session;
mod settings;
mod sign;
mod store;
mod writes;

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use settings::{
    BoolForm, Columns, CreateAnswer, DeadToken, IdForm, OkCode, OnPremise, PageEnvelope, QueryEnvelope, Reuse,
    Settings, SortOrder, Throttle, TokenNumbers, TsBound, TsForm, TsName,
};

use self::data::{Data, Entity};
use self::list::Served;
use self::methods::{Action, BUSINESS, Query, TokenStep};
use self::protocol::{Family, Problem, json_answer, refuse, unknown_path};
use self::query::Params;
use self::session::Session;
use self::store::Store;
use self::writes::Writes;
use crate::beijing;
use crate::dice::Dice;
use crate::faults::Fault;
use crate::form::Form;
use crate::limits::Refusal;
use crate::rows::some_of;
use crate::start::starts;
use crate::vendor::{Answer, Call, Inbound, Moment, Received, TruthRow, Vendor};

/// Rows of a page of `FindVoucherList` that does not say how many it wants.
const VOUCHERS_A_PAGE: usize = 50;

starts!(Settings => Simulator);

/// The vendor behind the scaffolding.
#[derive(Debug)]
struct Simulator {
    data: Data,
    session: Session,
    store: Store,
    writes: Writes,
    settings: Settings,
    /// Business calls by month.
    months: BTreeMap<String, u32>,
    /// The envelope of the call that is being answered, for answers that come without one.
    family: Cell<Family>,
    answered: u64,
}

/// A good answer: its body, its rows and those that drifted.
struct Good {
    body: String,
    rows: usize,
    drifted: u32,
}

impl Good {
    fn plain(body: String) -> Self {
        Self { body, rows: 0, drifted: 0 }
    }
}

impl Simulator {
    fn new(settings: Settings, start_ms: i64) -> Self {
        Self {
            data: Data::new(&settings, start_ms),
            session: Session::new(&settings, start_ms),
            store: Store::new(&settings),
            writes: Writes::default(),
            settings,
            months: BTreeMap::new(),
            family: Cell::default(),
            answered: 0,
        }
    }

    fn act(&mut self, call: &Call, moment: Moment<'_>) -> Result<Good, Problem> {
        let path = match call.method.strip_prefix('/') {
            Some(_) => call.method.clone(),
            None => [BUSINESS, &call.method].concat(),
        };
        let action = methods::find(&path).ok_or_else(unknown_path)?;
        if let Action::Token(step) = action {
            let body = match step {
                TokenStep::Login => self.login(call, moment.now_ms),
                step => self.token(step, call, moment),
            };
            return body.map(Good::plain);
        }
        match &self.settings.on_premise {
            None => protocol::check_business(call, &self.settings, &self.session, moment.now_ms)?,
            Some(premise) => {
                let header = call.header("authorization");
                on_premise::check(header, premise, &self.settings, Some(&self.session), moment.now_ms)?;
            }
        }
        self.count(moment.now_ms)?;
        if let Action::Create(target) = action {
            let body = self.writes.create(target, &call.body, &self.data, &self.settings)?;
            return Ok(Good { body, rows: 1, drifted: 0 });
        }
        let body: Params = serde_json::from_str(&call.body).map_err(|_| refuse("999", "请求体须为 JSON 对象"))?;
        let (entity, served) = match action {
            Action::Query(query) => (query.entity, self.query(query, &body, moment, false)?),
            Action::QueryPage(query) => (query.entity, self.query(query, &body, moment, true)?),
            Action::FindVouchers(entity) => (entity, self.vouchers(entity, &body, moment)?),
            Action::VoucherDto(entity) => return self.voucher(entity, &body).map(Good::plain),
            Action::Token(_) | Action::Create(_) => return Err(unknown_path()),
        };
        let drifted = self.drift(entity, &served.seqs, moment);
        Ok(Good { body: served.body, rows: served.rows, drifted })
    }

    /// Counts a business call against the quota of its month.
    fn count(&mut self, now_ms: i64) -> Result<(), Problem> {
        let mut month = beijing::format(now_ms);
        month.truncate("yyyy-MM".len());
        let used = self.months.entry(month).or_default();
        if self.settings.monthly_quota.is_some_and(|quota| *used >= quota) {
            return Err(refuse("50112", "调用次数已用完").status(401));
        }
        *used += 1;
        Ok(())
    }

    fn query(&self, query: Query, body: &Params, moment: Moment<'_>, paged: bool) -> Result<Served, Problem> {
        let Query { entity, wrapper, default_size } = query;
        let Some(Value::Object(params)) = body.get(wrapper) else {
            return Err(refuse("999", format!("查询失败：缺少 {wrapper}")));
        };
        let refuses_all = matches!(entity, Entity::Person | Entity::Department | Entity::Project);
        if refuses_all && params.is_empty() {
            return Err(refuse("999", "查询失败：缺少查询条件"));
        }
        let asked = query::read(params, ("PageIndex", "PageSize"), default_size, &[], &self.settings)?;
        let selected = query::selected(params)?;
        let written = self.writes.find(entity, &asked, &self.settings);
        let answer = if paged { list::page } else { list::rows };
        Ok(answer(&self.data, &self.settings, entity, &asked, selected.as_deref(), moment, written))
    }

    fn vouchers(&self, entity: Entity, body: &Params, moment: Moment<'_>) -> Result<Served, Problem> {
        let mut params = match body.get("paramDic") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(filters)) => filters.clone(),
            Some(_) => return Err(refuse("999", "查询失败：参数 paramDic 不正确")),
        };
        for name in ["selectFields", "pageIndex", "pageSize"] {
            params.remove(name);
            params.extend(body.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        let roots = methods::roots(entity);
        let asked = query::read(&params, ("pageIndex", "pageSize"), VOUCHERS_A_PAGE, roots, &self.settings)?;
        let written = self.writes.find(entity, &asked, &self.settings);
        list::vouchers(&self.data, &self.settings, entity, &asked, &params, moment, written)
    }

    /// One voucher with its lines.
    fn voucher(&self, entity: Entity, body: &Params) -> Result<String, Problem> {
        let Some(Value::Object(params)) = body.get("param") else {
            return Err(refuse("999", "查询失败：缺少 param"));
        };
        let named: Params = [("voucherID", "ID"), ("voucherCode", "Code")]
            .into_iter()
            .filter_map(|(sent, name)| Some((name.to_owned(), params.get(sent)?.clone())))
            .collect();
        let asked = query::read(&named, ("PageIndex", "PageSize"), 1, &[], &self.settings)?;
        if !asked.names_one() {
            return Err(refuse("999", "查询失败：缺少 voucherID 或 voucherCode"));
        }
        let seeded = query::find(&self.data, entity, &asked, &self.settings);
        let seeded = seeded.first().map(|&seq| render::record(&self.data, &self.settings, entity, seq));
        let found = seeded.or_else(|| self.writes.find(entity, &asked, &self.settings).pop());
        let record = found.ok_or_else(|| refuse("999", "查询失败：单据不存在"))?;
        Ok(list::envelope_c(&self.settings, &record.select(None)))
    }

    /// Modifies rows of the page just served.
    fn drift(&mut self, entity: Entity, seqs: &[u32], moment: Moment<'_>) -> u32 {
        let mut dice = Dice::new(self.settings.seed, 4_000, moment.n);
        let mut drifted = 0;
        for fault in moment.faults {
            let Fault::Drift { rows, .. } = fault else { continue };
            for seq in some_of(&mut dice, seqs.to_vec(), *rows) {
                self.data.touch(entity, seq, moment.now_ms);
                drifted += 1;
            }
        }
        drifted
    }
}

impl Vendor for Simulator {
    fn path(&self) -> &'static str {
        ""
    }

    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer> {
        let action = methods::find(inbound.path);
        self.family.set(match action {
            Some(Action::Token(TokenStep::SelfBuilt | TokenStep::Login)) => Family::B,
            Some(Action::Token(_)) => Family::A,
            _ => Family::Plain,
        });
        let Some(action) = action else {
            return Err(protocol::refusal(Family::Plain, &unknown_path(), 0));
        };
        let verbs = if let Action::Token(step) = action { step.verbs() } else { &["POST"] };
        if !verbs.contains(&inbound.verb) {
            return Err(Answer::html(405, "Method Not Allowed"));
        }
        let is_refresh = matches!(action, Action::Token(TokenStep::Refresh(_)));
        let on_premise = match action {
            Action::Token(step) => step == TokenStep::Login,
            _ => self.settings.on_premise.is_some(),
        };
        let kind = if on_premise { "application/x-www-form-urlencoded" } else { "application/json" };
        if inbound.verb == "POST" && !inbound.content_type.to_ascii_lowercase().starts_with(kind) && !is_refresh {
            return Err(Answer::html(415, "Unsupported Media Type"));
        }
        let body = if on_premise {
            Form::urlencoded(inbound.body).get("_args").unwrap_or_default().to_owned()
        } else {
            inbound.text()
        };
        let sent: Params = serde_json::from_str(&body).unwrap_or_default();
        let inner = ["param", "dto", "queryParam", "paramDic"].iter().find_map(|name| sent.get(*name)?.as_object());
        let field = |name: &str| match inner.and_then(|inner| inner.get(name)).or_else(|| sent.get(name))? {
            Value::String(text) => Some(short(text)),
            Value::Null => None,
            other => Some(short(&other.to_string())),
        };
        let first = |names: &[&str]| names.iter().find_map(|name| field(name));
        let (from, until) = (field("UpdateDateBegin"), field("UpdateDateEnd"));
        Ok(Call {
            method: inbound.path.strip_prefix(BUSINESS).unwrap_or(inbound.path).to_owned(),
            page_no: first(&["PageIndex", "pageIndex"]),
            page_size: first(&["PageSize", "pageSize"]),
            window: (from.is_some() || until.is_some())
                .then(|| format!("{} .. {}", from.unwrap_or_default(), until.unwrap_or_default())),
            key: first(&["Ts", "ExternalCode", "voucherID", "voucherCode", "Code", "ID"]),
            query: inbound.query.to_owned(),
            headers: inbound.headers.to_vec(),
            body,
            ..Call::default()
        })
    }

    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer {
        self.answered += 1;
        if moment.faults.contains(&Fault::SessionDeath) {
            self.session.kill();
        }
        match self.act(call, moment) {
            Ok(good) => {
                let rows = u32::try_from(good.rows).unwrap_or(u32::MAX);
                Answer { rows, drifted: good.drifted, ..json_answer(200, good.body, "ok") }
            }
            Err(problem) => protocol::refusal(self.family.get(), &problem, self.answered),
        }
    }

    fn throttled(&mut self, _refusal: Refusal) -> Answer {
        match self.settings.throttle {
            Throttle::TooManyRequests => json_answer(429, "{\"error\":\"too many requests\"}".to_owned(), "429"),
            Throttle::Conflict => json_answer(409, "{\"error\":\"系统保护，请稍后重试\"}".to_owned(), "409"),
            Throttle::Code => self.envelope("EXSV0011", "服务调用异常"),
        }
    }

    fn envelope(&mut self, code: &str, message: &str) -> Answer {
        self.answered += 1;
        let problem = refuse(code, message).status(protocol::usual_status(code));
        protocol::refusal(self.family.get(), &problem, self.answered)
    }

    fn documents(&self) -> BTreeMap<&'static str, usize> {
        let seeded = Entity::ALL.into_iter().map(|entity| (entity.name(), self.data.rows(entity).len()));
        seeded.chain(self.writes.counts()).collect()
    }

    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        let entity = Entity::parse(entity)?;
        let row = |(seq, row): (u32, &crate::table::Row)| TruthRow {
            key: self.data.key(entity, seq),
            modified: row.updated,
            version: row.version,
        };
        Some((0..).zip(self.data.rows(entity)).map(row).collect())
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
        let mut session = self.session.describe(now_ms);
        session["app_ticket"] = self.store.ticket().into();
        session
    }

    fn counts(&self) -> (u64, u64) {
        (self.session.refreshes(), self.data.modified())
    }

    fn received(&self, target: &str) -> Option<Vec<Received>> {
        self.writes.received(target)
    }

    fn pushes(&mut self, now_ms: i64) -> Vec<String> {
        self.store.pushes(now_ms)
    }
}

/// At most 100 characters of a field, for the log.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

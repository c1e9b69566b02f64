//! The Yonyou (用友 `YonBIP`/`YonSuite`) simulator, written from the wire reference of its open API alone.
//!
//! One server plays discovery (`/open-auth/dataCenter/…`), the token host (`/iuap-api-auth/open-auth/…`, also behind
//! `/iuap-api-gateway`) and the gateway (`/iuap-api-gateway/yonbip/…`).
//!
//! # Strict about
//! - Path first (`310404`, HTTP 404), then verb (`310405`), token (`310001`, `310036`), authorisation (`310037`), calls
//!   of the interface (`310046`), content type and JSON (`310002`; a key given twice in an object is refused too).
//! - The token stands in the query parameter, URL-encoded; it holds `+`, `/` and `=`. A header is not looked at.
//! - Token calls: application or suite, timestamp (13 digits), signature over every other parameter, encoded exactly
//!   once: a raw `+`, `/` or `=` in it is refused.
//! - Lists: `pageIndex` and `pageSize` are numbers within range; unknown operators, orders and fields give `999`.
//! - Saves: `_status`, the place of the key, its 32 characters, `id` and the current `pubts` of an update, the `id` of
//!   each line that is not new. A key in another place is ignored without a word, and so is one at an interface that is
//!   not marked MDD: doubles arise, and `received` shows them.
//!
//! # The key of an idempotent save
//! It counts within its interface. All times are the simulator's own.
//!
//! | the first call … | gives |
//! | --- | --- |
//! | is unknown, failed, or succeeded a month ago (`key_life`) | the call is made: a month later another document arises |
//! | still runs: its answer is under way (latency, jitter, fault `slow`) | `202` without `data` |
//! | succeeded within the hour (`cache_life`) | the same complete object, whatever the body says now |
//! | succeeded earlier | `100004` or `10004` (`duplicate_code`) with the id alone |
//!
//! While the clock is frozen, a call with any latency runs until the clock is moved past it.
//!
//! An answer that takes `gateway_timeout` or longer becomes `310504` after its effect; the fault `lost-answer` resets the
//! connection after it; the fault `vendor-code` with `310504` stands for a time-out without effect.
//!
//! # What the page leaves open, and what was chosen
//! Those with a setting are named in parentheses.
//!
//! - *After a gateway time-out* the back end answers with the id alone (`after_timeout`), since the gateway saw no
//!   success.
//! - *Arrays with some new and some used keys*: each element by its own key (`mixed_array`). If all are old enough, the
//!   code is the duplicate's and `data` a list of ids. The same key twice in one array is refused (`310008`).
//! - *An empty or `null` key* is none. `businessId` obeys the same rules.
//! - *Wrong signature* and missing parameters of a token call: `50000` (`wrong_signature_code`). *Drift* of the timestamp:
//!   5 minutes (`timestamp_tolerance`); a suite may send seconds.
//! - *Another token* kills the last one of the same application (`grant`).
//! - *`310002`* is a body that is no JSON, *`310003`* a missing parameter, *`310008`* a wrong one; what the back end finds
//!   wrong is `999`.
//! - *Success values*: `200` as a number for base data and receivables, as text elsewhere (`success_values`).
//! - *Quota*: a sliding minute for each interface, 60 calls, 40 for finance, without `Retry-After` (`quota`,
//!   `finance_quota`, `retry_after`). Refused calls take no place.
//! - *`非法token` as plain text*: only from the voucher query (`plain_token_answers`).
//! - *Pages count rows*, which are lines unless `isSum` is true, so that a document may be split over two pages. Without
//!   `isSum` rows are lines. The newest `pubts` comes first unless an order is asked for.
//! - *Line keys*: prefixed where the header has the same one (`line_keys`).
//! - *`leftlike`* means "begins with". `in` takes a list, or texts separated by commas. `null` passes `neq` and `nin`.
//! - *`pubts`* has whole seconds and moves by at least one with each save, so that the lock always sees it.
//! - *Required fields* are those of the page's sample that nothing else could stand for: organisation, supplier, date and
//!   lines of a purchase order, lines elsewhere.
//! - *Codes*: documents may share one; a row of a batch save may not. *`sourceUnique`* is not remembered
//!   (`remember_source`).
//! - *Names of lines* that the page does not give: `deliveryDetails`, `saleInvoiceDetails`, `purInRecords`, `details`,
//!   `othInRecords`, `othOutRecords`. Any list in a saved document is taken as lines.
//! - *Interfaces* whose path the page does not give are not registered (`310404`): delete, submit, audit, the lists of
//!   payables, transfers and bills of material.
//!
//! Each document says its version in `memo`: `v0` at the start, `v1`, … once it was modified by drift or by hand.
//! [`awkward`] names the numbers that the first purchase order carries.

pub mod awkward;
mod condition;
mod entity;
mod list;
mod mdd;
mod problem;
mod save;
mod settings;
mod sign;
mod store;
mod token;
mod world;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use settings::{
    AfterTimeout, BatchShape, Counter, DuplicateCode, Grant, IdForm, Infos, KeyPlace, LineKeys, Messages, MixedArray,
    Settings, TokenShape,
};

use self::entity::{Action, Entity, INTERFACES, Interface};
use self::list::Served;
use self::mdd::Keys;
use self::problem::{Problem, good, refuse, refused};
use self::save::Desk;
use self::store::Store;
use self::token::{Client, Tokens};
use crate::dice::Dice;
use crate::faults::Fault;
use crate::form::Form;
use crate::limits::{Limiter, Refusal};
use crate::start::starts;
use crate::tree::Tree;
use crate::vendor::{Answer, Call, Inbound, Moment, Received, TruthRow, Vendor};

const GATEWAY: &str = "/iuap-api-gateway";
const AUTH: &str = "/iuap-api-auth";
const DISCOVERY: &str = "/open-auth/dataCenter/getGatewayAddress";

starts!(Settings => Simulator);

/// The vendor behind the scaffolding.
#[derive(Debug)]
struct Simulator {
    store: Store,
    keys: Keys,
    tokens: Tokens,
    quotas: BTreeMap<String, Limiter>,
    settings: Arc<Settings>,
    start_ms: i64,
    answered: u64,
}

/// What a good business call gives.
struct Good {
    data: Tree,
    rows: usize,
    drifted: u32,
}

impl Simulator {
    fn new(settings: Settings, start_ms: i64) -> Self {
        let settings = Arc::new(settings);
        Self {
            store: Store::new(settings.clone(), start_ms),
            keys: Keys::default(),
            tokens: Tokens::new(settings.seed),
            quotas: BTreeMap::new(),
            settings,
            start_ms,
            answered: 0,
        }
    }

    fn trace(&mut self) -> u64 {
        self.answered += 1;
        self.answered
    }

    /// Names the gateway and the token host to the tenant.
    fn discover(&self, call: &Call) -> Result<Tree, Problem> {
        let form = Form::urlencoded(call.query.as_bytes());
        if form.get("tenantId") != Some(self.settings.tenant_id.as_str()) {
            return Err(refuse("500", "根据租户id获取网关地址出现异常"));
        }
        let own = || format!("http://{}", call.header("host").unwrap_or("yonyou.sandbox"));
        let address = self.settings.public_address.clone().unwrap_or_else(own);
        let data = Tree::object([
            ("gatewayUrl", Tree::text(format!("{address}{GATEWAY}"))),
            ("tokenUrl", Tree::text(format!("{address}{AUTH}"))),
        ]);
        Ok(Tree::object([("code", Tree::text("00000")), ("message", Tree::text("成功！")), ("data", data)]))
    }

    fn grant(&mut self, client: Client, call: &Call, moment: Moment<'_>) -> Result<Tree, Problem> {
        for fault in moment.faults {
            if let Fault::RefreshRefused { code } = fault {
                return Err(refuse(code.as_deref().unwrap_or("10018"), "refused"));
            }
        }
        self.tokens.grant(&self.settings, client, &call.query, moment.now_ms)
    }

    /// Judges a business call up to its token.
    fn admit(&mut self, path: &str, call: &Call, moment: Moment<'_>) -> Result<(), Problem> {
        let form = Form::urlencoded(call.query.as_bytes());
        self.tokens.check(form.get("access_token"), moment.now_ms)?;
        if self.settings.unauthorised.iter().any(|known| known == path) {
            return Err(refuse("310037", "应用未获得接口授权"));
        }
        let finance = path.starts_with("/yonbip/fi/") || path.starts_with("/yonbip/EFI/");
        let quota = if finance { self.settings.finance_quota } else { self.settings.quota };
        let Some(quota) = quota else { return Ok(()) };
        let elapsed = Duration::from_millis((moment.now_ms - self.start_ms).max(0).unsigned_abs());
        let limiter = self.quotas.entry(path.to_owned()).or_insert_with(|| Limiter::new(&[quota]));
        limiter.admit(elapsed).map_err(|refusal| {
            let retry_after = self.settings.retry_after.then(|| seconds(refusal));
            Problem { retry_after, ..refuse("310046", "接口调用超出限流") }
        })
    }

    /// Answers a business call.
    fn business(&mut self, interface: &Interface<'_>, call: &Call, moment: Moment<'_>) -> Result<Good, Problem> {
        self.admit(interface.path, call, moment)?;
        if interface.action == Action::Detail {
            let form = Form::urlencoded(call.query.as_bytes());
            let id = form.get("id").ok_or_else(|| refuse("310003", "id missing"))?;
            let doc = self.store.find(interface.entity, id);
            let doc = doc.ok_or_else(|| refuse("1002", format!("单据[{id}]不存在")))?;
            return Ok(Good { data: doc.tree.clone(), rows: 1, drifted: 0 });
        }
        let json = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let body = Tree::parse(&call.body).filter(|_| json);
        let body = body.ok_or_else(|| refuse("310002", "请求体不是合法的JSON"))?;
        let settings = self.settings.clone();
        let saved = |data| Ok(Good { data, rows: 0, drifted: 0 });
        let served = match interface.action {
            Action::List => list::list(&self.store, &settings, interface.entity, &body, moment)?,
            Action::QueryByPage => list::query_by_page(&self.store, &settings, interface.entity, &body, moment)?,
            Action::Stock => list::stock(&self.store, &body),
            Action::Mdd(place) => return saved(self.desk(&settings, moment).mdd(interface, place, &body)?),
            Action::Plain => return saved(self.desk(&settings, moment).plain(interface, &body)?),
            Action::Batch => return saved(self.desk(&settings, moment).batch(interface, &body)?),
            Action::Detail => return Err(refuse("310405", "method")),
        };
        let Served { data, rows, places } = served;
        let drifted = self.drift(interface.entity, places, moment);
        Ok(Good { data, rows, drifted })
    }

    fn desk<'a>(&'a mut self, settings: &'a Settings, moment: Moment<'a>) -> Desk<'a> {
        Desk { store: &mut self.store, keys: &mut self.keys, settings, moment }
    }

    /// Modifies documents of the page just served.
    fn drift(&mut self, entity: Entity, mut places: Vec<usize>, moment: Moment<'_>) -> u32 {
        let mut dice = Dice::new(self.settings.seed, 4_000, moment.n);
        let drawn = (0..moment.drift()).map_while(|_| dice.draw(&mut places));
        let drifted: Vec<usize> = drawn.collect();
        for &place in &drifted {
            self.store.touch(entity, place, moment.now_ms);
        }
        u32::try_from(drifted.len()).unwrap_or(u32::MAX)
    }

    /// The interface at a path from `/yonbip` on.
    fn interface<'a>(settings: &'a Settings, path: &str) -> Option<Interface<'a>> {
        let known = INTERFACES.iter().find(|interface| interface.path == path).copied();
        known.or_else(|| save::more(settings, path))
    }
}

/// What a path leads to.
enum Route {
    Discovery,
    Token,
    /// A path from `/yonbip` on.
    Business,
}

fn route(path: &str) -> Option<(Route, &str)> {
    if path == DISCOVERY {
        return Some((Route::Discovery, "getGatewayAddress"));
    }
    let rest = path.strip_prefix(AUTH).or_else(|| path.strip_prefix(GATEWAY))?;
    match rest {
        "/open-auth/selfAppAuth/base/v1/getAccessToken" | "/open-auth/selfAppAuth/getAccessToken" => {
            Some((Route::Token, "getAccessToken"))
        }
        "/open-auth/suiteApp/base/v1/getAccessToken" | "/open-auth/suiteApp/getAccessToken" => {
            Some((Route::Token, "suiteApp/getAccessToken"))
        }
        _ if path.starts_with(GATEWAY) && rest.starts_with("/yonbip/") => Some((Route::Business, rest)),
        _ => None,
    }
}

impl Vendor for Simulator {
    /// All addresses hang below the root.
    fn path(&self) -> &'static str {
        ""
    }

    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer> {
        let unknown = || Answer { status: 404, ..refused(&refuse("310404", "请求路径未注册"), 0) };
        let (route, method) = route(inbound.path).ok_or_else(unknown)?;
        let verb = match route {
            Route::Discovery | Route::Token => "GET",
            Route::Business => Self::interface(&self.settings, method).ok_or_else(unknown)?.verb(),
        };
        if inbound.verb != verb {
            return Err(refused(&refuse("310405", "请求方法不支持"), 0));
        }
        let mut call = Call {
            method: method.to_owned(),
            query: inbound.query.to_owned(),
            headers: inbound.headers.to_vec(),
            body: inbound.text(),
            ..Call::default()
        };
        let body = Tree::parse(&call.body);
        describe(&mut call, body.as_ref());
        Ok(call)
    }

    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer {
        if moment.faults.contains(&Fault::SessionDeath) {
            self.tokens.kill();
        }
        let trace = self.trace();
        let own = |result: Result<Tree, Problem>| match result {
            Ok(tree) => problem::json(&tree, "ok"),
            Err(problem) => refused(&problem, trace),
        };
        match call.method.as_str() {
            "getGatewayAddress" => return own(self.discover(call)),
            "getAccessToken" => return own(self.grant(Client::Own, call, moment)),
            "suiteApp/getAccessToken" => return own(self.grant(Client::Suite, call, moment)),
            _ => {}
        }
        let settings = self.settings.clone();
        let Some(interface) = Self::interface(&settings, &call.method) else {
            return refused(&refuse("310404", "请求路径未注册"), trace);
        };
        let mut result = self.business(&interface, call, moment);
        let drifted = result.as_ref().map_or(0, |good| good.drifted);
        if moment.hold >= settings.gateway_timeout {
            result = Err(refuse("310504", "后端服务超时"));
        }
        match result {
            Ok(Good { data, rows, drifted }) => {
                let rows = u32::try_from(rows).unwrap_or(u32::MAX);
                Answer { rows, drifted, ..good(&settings, interface.path, data, trace) }
            }
            Err(problem) if problem.code == "310036" && settings.plain_token_answers.contains(&call.method) => Answer {
                content_type: "text/plain;charset=UTF-8",
                body: problem.message.clone(),
                ..refused(&problem, trace)
            },
            Err(problem) => Answer { drifted, ..refused(&problem, trace) },
        }
    }

    fn throttled(&mut self, refusal: Refusal) -> Answer {
        let seconds = u64::try_from(refusal.wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        let code = self.settings.throttle_code.clone();
        Answer {
            retry_after: self.settings.retry_after.then_some(seconds), ..self.envelope(&code, "调用超出限流")
        }
    }

    fn envelope(&mut self, code: &str, message: &str) -> Answer {
        let trace = self.trace();
        refused(&refuse(code, message), trace)
    }

    fn documents(&self) -> BTreeMap<&'static str, usize> {
        Entity::ALL.into_iter().map(|entity| (entity.facts().name, self.store.count(entity))).collect()
    }

    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        let docs = self.store.docs(Entity::parse(entity)?);
        let row = |doc: &store::Doc| TruthRow { key: doc.id.to_string(), modified: doc.modified, version: doc.version };
        let mut rows: Vec<TruthRow> = docs.iter().map(row).collect();
        rows.sort_by(|left, right| left.key.cmp(&right.key));
        Some(rows)
    }

    fn change(&mut self, entity: &str, n: u32, now_ms: i64) -> Option<Vec<String>> {
        let entity = Entity::parse(entity)?;
        let mut dice = Dice::new(self.settings.seed, 5_000, self.store.modified());
        let mut left: Vec<usize> = (0..self.store.docs(entity).len()).collect();
        let drawn: Vec<usize> = (0..n).map_while(|_| dice.draw(&mut left)).collect();
        Some(drawn.into_iter().filter_map(|place| self.store.touch(entity, place, now_ms)).collect())
    }

    fn kill_session(&mut self) {
        self.tokens.kill();
    }

    fn revive_session(&mut self, now_ms: i64) {
        self.tokens.revive(&self.settings, now_ms);
    }

    fn session(&self, now_ms: i64) -> Value {
        self.tokens.describe(now_ms)
    }

    fn counts(&self) -> (u64, u64) {
        (self.tokens.grants(), self.store.modified())
    }

    fn received(&self, target: &str) -> Option<Vec<Received>> {
        Some(self.store.received(Entity::parse(target)?))
    }
}

/// The wait in whole seconds, rounded up.
fn seconds(refusal: Refusal) -> u64 {
    u64::try_from(refusal.wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// Notes for the log what a call asks for.
fn describe(call: &mut Call, body: Option<&Tree>) {
    let form = Form::urlencoded(call.query.as_bytes());
    call.key = form.get("id").map(str::to_owned);
    let Some(body) = body else { return };
    let paging = body.get("page").unwrap_or(body);
    let scalar = |tree: &Tree, key: &str| tree.get(key).and_then(Tree::scalar).map(short);
    call.page_no = scalar(paging, "pageIndex");
    call.page_size = scalar(paging, "pageSize");
    let filters = body.get("condition").unwrap_or(body).get("simpleVOs").and_then(Tree::as_list).unwrap_or_default();
    let mut parts: Vec<String> = filters.iter().map(ToString::to_string).collect();
    for (key, value) in body.members().unwrap_or_default() {
        if key.starts_with("open_") || key == "beginTime" || key == "endTime" {
            parts.push(format!("{key}={value}"));
        }
    }
    call.window = (!parts.is_empty()).then(|| parts.iter().flat_map(|part| part.chars()).take(200).collect());
    let data = body.get("data").unwrap_or(body);
    let rows = data.as_list().unwrap_or(std::slice::from_ref(data));
    let names = ["resubmitCheckKey", "businessId", "sourceUnique", "id", "code"];
    let name = |row: &Tree| names.iter().find_map(|name| scalar(row, name));
    let keys: Vec<String> = rows.iter().filter_map(name).collect();
    if !keys.is_empty() {
        call.key = Some(short(&keys.join(",")));
    }
}

/// At most 100 characters, for the log.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

//! The simulator of the qeasy (轻易云) platform's own API, written from its wire reference alone.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /v2/oauth` | grants an access token |
//! | `POST /v2/open-api/business/{scheme}/query?access_token=` | a page of records |
//! | `POST …/{scheme}/store?access_token=`, `…/store-dispatch` | stores records; the second also sends them on |
//! | `GET …/{scheme}/find-one/{id}?access_token=` | one record |
//! | `POST /api/open/operation/{scheme}` | stores records and sends them on (v1) |
//! | `POST /api/open/operation/{scheme}/query` | a page of records (v1, a form) |
//!
//! There are two schemes: `source` has records from the start, `sink` has none; both take records. `received` names the
//! records that each id made, `dispatched` how often each id was sent on by the sink scheme.
//!
//! # Strict about
//! Path and verb (HTTP 404 and 405), content type, JSON without a key given twice, token, scheme, page and `pageSize` (1
//! to 100), Unix seconds, the order of a window's ends, `id`, `multiple` and `idCheck` of a push, an `id` in each record.
//! 60 calls of v2 in a minute, then five minutes in which every one is refused ([`Settings::quota`],
//! [`Settings::pause`]); calls within the pause do not lengthen it.
//!
//! # `idCheck`
//! With it (the default) a record whose id is known is kept as a duplicate, changes nothing and is not sent on. Without
//! it the record is overwritten and sent on again. Either way an id has one record, so that `ids` of `received` has one
//! entry; `calls` says how often it came.
//!
//! # What the page leaves open, and what was chosen
//! Those with a setting are named in parentheses.
//!
//! - *Codes*: the page gives their range; which is which is a setting (`codes`). `50000` comes by fault alone. All of
//!   them come with HTTP 200.
//! - *Bodies* of v2 queries may be JSON or a form. `store` takes the body of a push, of which `content` alone is needed.
//! - *Answers* to stores and pushes: the envelope of queries, `content` with `count` (records stored) and `duplicates`.
//! - *Rows* are the records as they were pushed (`row`); duplicates are not among them (`show_duplicates`). Newest first
//!   (`oldest_first`), both ends of a window inclusive, by the time a record was stored or modified last.
//! - *A record without `id`* is refused with its whole call (`generate_ids`).
//! - *Operators* of v1 conditions: `$eq $ne $gt $gte $lt $lte $in $like`; `CONTENT_<field>` of v2 compares for equality.
//! - *The token of a v1 query* is a fixed one (`v1_token`) or an access token; a push needs none, as its page names none.
//! - *Another access token* kills the last one (`old_token_dies`).
//! - `data-link` is not simulated, since the page does not say what it does.
//!
//! Each record says its version in `remark`: `v0` at the start, `v1`, … once it was modified by drift or by hand.
//! [`awkward`] names the numbers that the first record carries.

pub mod awkward;
mod protocol;
mod query;
mod settings;
mod store;
mod token;

use std::collections::BTreeMap;

use serde_json::Value;

pub use settings::{Codes, RowShape, Settings};

use self::protocol::{Problem, good, refuse, refused};
use self::query::Query;
use self::store::{Manner, Scheme};
use self::token::{Quota, Tokens};
use crate::dice::Dice;
use crate::faults::Fault;
use crate::form::Form;
use crate::limits::Refusal;
use crate::start::starts;
use crate::tree::Tree;
use crate::vendor::{Answer, Call, Inbound, Moment, Received, TruthRow, Vendor};

starts!(Settings => Simulator);

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Token,
    Push { scheme: &'a str },
    QueryV1 { scheme: &'a str },
    QueryV2 { scheme: &'a str },
    Store { scheme: &'a str, dispatch: bool },
    FindOne { scheme: &'a str, id: &'a str },
}

impl<'a> Route<'a> {
    /// The route of a path.
    fn of(path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["v2", "oauth"] => Some(Self::Token),
            ["api", "open", "operation", scheme] => Some(Self::Push { scheme }),
            ["api", "open", "operation", scheme, "query"] => Some(Self::QueryV1 { scheme }),
            ["v2", "open-api", "business", scheme, "query"] => Some(Self::QueryV2 { scheme }),
            ["v2", "open-api", "business", scheme, "store"] => Some(Self::Store { scheme, dispatch: false }),
            ["v2", "open-api", "business", scheme, "store-dispatch"] => Some(Self::Store { scheme, dispatch: true }),
            ["v2", "open-api", "business", scheme, "find-one", id] => Some(Self::FindOne { scheme, id }),
            _ => None,
        }
    }

    /// The name of the method, for faults and the log.
    fn method(self) -> &'static str {
        match self {
            Self::Token => "oauth",
            Self::Push { .. } => "push",
            Self::QueryV1 { .. } => "query-v1",
            Self::QueryV2 { .. } => "query",
            Self::Store { dispatch: false, .. } => "store",
            Self::Store { dispatch: true, .. } => "store-dispatch",
            Self::FindOne { .. } => "find-one",
        }
    }
}

/// The platform behind the scaffolding.
#[derive(Debug)]
struct Simulator {
    settings: Settings,
    source: Scheme,
    sink: Scheme,
    tokens: Tokens,
    quota: Quota,
    dice: Dice,
}

/// What a good call gives.
struct Good {
    content: Tree,
    rows: usize,
    drifted: u32,
}

impl From<Tree> for Good {
    fn from(content: Tree) -> Self {
        Self { content, rows: 0, drifted: 0 }
    }
}

impl Simulator {
    fn new(settings: Settings, start_ms: i64) -> Self {
        Self {
            source: Scheme::seeded(&settings, start_ms),
            sink: Scheme::default(),
            tokens: Tokens::new(settings.seed),
            quota: Quota::new(&settings, start_ms),
            dice: Dice::new(settings.seed, u64::MAX - 1, 2),
            settings,
        }
    }

    fn scheme(&mut self, name: &str) -> Result<&mut Scheme, Problem> {
        if name == self.settings.source_scheme {
            Ok(&mut self.source)
        } else if name == self.settings.sink_scheme {
            Ok(&mut self.sink)
        } else {
            Err(refuse(self.settings.codes.scheme, "方案不存在"))
        }
    }

    /// The scheme known under a name of the control endpoints, or under its own.
    fn named(&self, name: &str) -> Option<&Scheme> {
        match name {
            "source" => Some(&self.source),
            "sink" => Some(&self.sink),
            _ if name == self.settings.source_scheme => Some(&self.source),
            _ if name == self.settings.sink_scheme => Some(&self.sink),
            _ => None,
        }
    }

    fn grant(&mut self, call: &Call, moment: Moment<'_>) -> Result<Tree, Problem> {
        let codes = self.settings.codes;
        for fault in moment.faults {
            if let Fault::RefreshRefused { code } = fault {
                let problem = refuse(codes.credentials, "refused");
                return Err(Problem { code: code.clone().unwrap_or(problem.code), ..problem });
            }
        }
        let body = self.json(call)?;
        let field = |name: &str| {
            let value = body.get(name).and_then(Tree::as_text).filter(|text| !text.is_empty());
            value.ok_or_else(|| refuse(codes.parameter, format!("{name} missing")))
        };
        if field("app_key")? != self.settings.app_key || field("app_secret")? != self.settings.app_secret {
            return Err(refuse(codes.credentials, "app_key或app_secret错误"));
        }
        let token = self.tokens.grant(&self.settings, moment.now_ms);
        Ok(Tree::object([
            ("access_token", Tree::text(token)),
            ("expires_in", Tree::int(self.settings.token_life.as_secs())),
        ]))
    }

    /// Judges token and quota of a v2 call.
    fn admit(&mut self, call: &Call, now_ms: i64) -> Result<(), Problem> {
        let codes = self.settings.codes;
        let form = Form::urlencoded(call.query.as_bytes());
        let token = form.get("access_token").filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| refuse(codes.token_missing, "access_token不能为空"))?;
        if !self.tokens.alive(token, now_ms) {
            return Err(refuse(codes.token_invalid, "access_token无效或已过期"));
        }
        self.quota.admit(&self.settings, now_ms)
    }

    /// The body as JSON.
    fn json(&self, call: &Call) -> Result<Tree, Problem> {
        let json = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let body = Tree::parse(&call.body).filter(|body| json && body.members().is_some());
        body.ok_or_else(|| refuse(self.settings.codes.parameter, "请求体不是合法的JSON"))
    }

    fn act(&mut self, route: Route<'_>, call: &Call, moment: Moment<'_>) -> Result<Good, Problem> {
        let now_ms = moment.now_ms;
        match route {
            Route::Token => Ok(self.grant(call, moment)?.into()),
            Route::Push { scheme } => {
                let body = self.json(call)?;
                let number = matches!(body.get("id"), Some(Tree::Number(_)));
                if !number || !matches!(body.get("multiple"), Some(Tree::Bool(_))) {
                    return Err(refuse(self.settings.codes.parameter, "id or multiple missing or wrong"));
                }
                Ok(self.store(scheme, &body, true, now_ms)?.into())
            }
            Route::Store { scheme, dispatch } => {
                self.admit(call, now_ms)?;
                let body = self.json(call)?;
                Ok(self.store(scheme, &body, dispatch, now_ms)?.into())
            }
            Route::QueryV1 { scheme } => {
                let form = call.form.clone();
                let form = form.ok_or_else(|| refuse(self.settings.codes.parameter, "请求体不是表单"))?;
                let codes = self.settings.codes;
                let token = form.get("token").ok_or_else(|| refuse(codes.token_missing, "token不能为空"))?;
                if token != self.settings.v1_token && !self.tokens.alive(token, now_ms) {
                    return Err(refuse(codes.token_invalid, "token无效"));
                }
                let query = Query::v1(&form, &self.settings)?;
                self.page(scheme, &query, moment)
            }
            Route::QueryV2 { scheme } => {
                self.admit(call, now_ms)?;
                let members = match &call.form {
                    Some(form) => {
                        form.fields().iter().map(|(name, value)| (name.clone(), Tree::text(value.as_str()))).collect()
                    }
                    None => self.json(call)?.members().unwrap_or_default().to_vec(),
                };
                let query = Query::v2(&members, &self.settings)?;
                self.page(scheme, &query, moment)
            }
            Route::FindOne { scheme, id } => {
                self.admit(call, now_ms)?;
                let (shape, codes) = (self.settings.row, self.settings.codes);
                let record = self.scheme(scheme)?.find(id);
                let record = record.ok_or_else(|| refuse(codes.record, "记录不存在"))?;
                Ok(Good { content: record.render(shape), rows: 1, drifted: 0 })
            }
        }
    }

    /// Stores the records of a body, all or none.
    fn store(&mut self, scheme: &str, body: &Tree, dispatch: bool, now_ms: i64) -> Result<Tree, Problem> {
        let codes = self.settings.codes;
        let wrong = |message: &str| refuse(codes.parameter, message);
        self.scheme(scheme)?;
        let id_check = match body.get("idCheck") {
            None | Some(Tree::Bool(true)) => true,
            Some(Tree::Bool(false)) => false,
            Some(_) => return Err(wrong("idCheck is neither true nor false")),
        };
        let (rows, is_list) = match body.get("content") {
            Some(Tree::List(rows)) => (rows.as_slice(), true),
            Some(row @ Tree::Object(_)) => (std::slice::from_ref(row), false),
            _ => return Err(wrong("content missing")),
        };
        if let Some(multiple) = body.get("multiple")
            && *multiple != Tree::Bool(is_list)
        {
            return Err(wrong("multiple does not fit content"));
        }
        let mut records = Vec::new();
        for row in rows {
            let mut row = row.clone();
            if row.members().is_none() {
                return Err(wrong("a record is no object"));
            }
            let id = match row.get("id").and_then(Tree::scalar).filter(|id| !id.is_empty()) {
                Some(id) => id.to_owned(),
                None if self.settings.generate_ids => {
                    let id = format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll());
                    row.set("id", Tree::text(id.as_str()));
                    id
                }
                None => return Err(wrong("a record has no id")),
            };
            records.push((id, row));
        }
        let manner = Manner { id_check, dispatch };
        let target = self.scheme(scheme)?;
        let stored = records.iter().filter(|(id, row)| target.store(id, row, manner, now_ms.div_euclid(1_000))).count();
        Ok(Tree::object([("count", Tree::int(stored)), ("duplicates", Tree::int(records.len() - stored))]))
    }

    fn page(&mut self, scheme: &str, query: &Query, moment: Moment<'_>) -> Result<Good, Problem> {
        let settings = self.settings.clone();
        let scheme = self.scheme(scheme)?;
        let mut served = query.serve(scheme, &settings, moment);
        let rows = served.places.len();
        let mut dice = Dice::new(settings.seed, 4_000, moment.n);
        let drawn: Vec<usize> = (0..moment.drift()).map_while(|_| dice.draw(&mut served.places)).collect();
        for &place in &drawn {
            scheme.touch(place, moment.now_ms.div_euclid(1_000));
        }
        let drifted = u32::try_from(drawn.len()).unwrap_or(u32::MAX);
        Ok(Good { content: served.content, rows, drifted })
    }
}

impl Vendor for Simulator {
    /// All addresses hang below the root.
    fn path(&self) -> &'static str {
        ""
    }

    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer> {
        let route = Route::of(inbound.path).ok_or_else(|| Answer::html(404, "Not Found"))?;
        let verb = if matches!(route, Route::FindOne { .. }) { "GET" } else { "POST" };
        if inbound.verb != verb {
            return Err(Answer::html(405, "Method Not Allowed"));
        }
        let kind = inbound.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let form = if kind.starts_with("application/x-www-form-urlencoded") {
            Some(Form::urlencoded(inbound.body))
        } else if kind.starts_with("multipart/form-data") {
            Form::multipart(inbound.content_type, inbound.body)
        } else {
            None
        };
        let body = inbound.text();
        let tree = Tree::parse(&body);
        let asked = |name: &str| {
            let in_form = form.as_ref().and_then(|form| form.get(name));
            in_form.or_else(|| tree.as_ref().and_then(|tree| tree.get(name)).and_then(Tree::scalar)).map(short)
        };
        let (begin, end) = (asked("begin_at"), asked("end_at"));
        let window = (begin.is_some() || end.is_some())
            .then(|| format!("{} .. {}", begin.unwrap_or_default(), end.unwrap_or_default()));
        let content = tree.as_ref().and_then(|tree| tree.get("content"));
        let rows = content.map_or(&[][..], |content| content.as_list().unwrap_or(std::slice::from_ref(content)));
        let ids: Vec<&str> = rows.iter().filter_map(|row| row.get("id").and_then(Tree::scalar)).collect();
        let key = match route {
            Route::FindOne { id, .. } => Some(short(id)),
            _ => (!ids.is_empty()).then(|| short(&ids.join(","))),
        };
        Ok(Call {
            method: route.method().to_owned(),
            page_no: asked("page"),
            page_size: asked("pageSize"),
            window,
            key,
            query: inbound.query.to_owned(),
            path: inbound.path.to_owned(),
            headers: inbound.headers.to_vec(),
            form,
            body,
        })
    }

    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer {
        if moment.faults.contains(&Fault::SessionDeath) {
            self.tokens.kill();
        }
        let Some(route) = Route::of(&call.path) else { return Answer::html(404, "Not Found") };
        match self.act(route, call, moment) {
            Ok(Good { content, rows, drifted }) => {
                Answer { rows: u32::try_from(rows).unwrap_or(u32::MAX), drifted, ..good(content) }
            }
            Err(problem) => refused(&problem),
        }
    }

    fn throttled(&mut self, refusal: Refusal) -> Answer {
        let seconds = u64::try_from(refusal.wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        let retry_after = self.settings.retry_after.then_some(seconds);
        refused(&Problem { retry_after, ..refuse(self.settings.codes.throttled, "调用过于频繁") })
    }

    fn envelope(&mut self, code: &str, message: &str) -> Answer {
        refused(&Problem { code: code.to_owned(), message: message.to_owned(), retry_after: None })
    }

    fn documents(&self) -> BTreeMap<&'static str, usize> {
        let count = |scheme: &Scheme| scheme.originals().count();
        BTreeMap::from([("sink", count(&self.sink)), ("source", count(&self.source))])
    }

    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        let mut rows: Vec<TruthRow> = self
            .named(entity)?
            .originals()
            .map(|(_, record)| TruthRow {
                key: record.id.clone(),
                modified: record.updated * 1_000,
                version: record.version,
            })
            .collect();
        rows.sort_by(|left, right| left.key.cmp(&right.key));
        Some(rows)
    }

    fn change(&mut self, entity: &str, n: u32, now_ms: i64) -> Option<Vec<String>> {
        let mut left: Vec<usize> = self.named(entity)?.originals().map(|(place, _)| place).collect();
        let mut dice = Dice::new(self.settings.seed, 5_000, self.source.modified() + self.sink.modified());
        let source = entity == "source" || entity == self.settings.source_scheme;
        let scheme = if source { &mut self.source } else { &mut self.sink };
        let drawn: Vec<usize> = (0..n).map_while(|_| dice.draw(&mut left)).collect();
        Some(drawn.into_iter().filter_map(|place| scheme.touch(place, now_ms.div_euclid(1_000))).collect())
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
        (self.tokens.grants(), self.source.modified() + self.sink.modified())
    }

    fn received(&self, target: &str) -> Option<Vec<Received>> {
        if target == "dispatched" {
            return Some(self.sink.dispatched());
        }
        self.named(target).map(Scheme::received)
    }
}

/// At most 100 characters, for the log.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

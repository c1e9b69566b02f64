//! The Kuaimai (快麦) simulator, written from the wire reference of its open API alone.

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

use std::collections::BTreeMap;

use serde_json::Value;

pub use settings::{DetailShape, EmptyResult, Envelope, ExpiresIn, Rotation, Settings, SortOrder, TotalOn, WindowEnd};

use self::data::{Data, Entity};
use self::methods::Action;
use self::protocol::{Problem, refuse};
use self::session::Session;
use crate::beijing;
use crate::dice::Dice;
use crate::faults::Fault;
use crate::form::Form;
use crate::json::Json;
use crate::limits::Refusal;
use crate::start::starts;
use crate::vendor::{Answer, Call, Inbound, Moment, TruthRow, Vendor};

/// The one path of the interface.
const PATH: &str = "/router";
/// Longest address of a GET call.
const LONGEST_URL: usize = 1_024;
/// `traceId` of the first answer.
const FIRST_TRACE: u64 = 1_876_936_694_781_585_001;
/// Most items of one `erp.item.list.get`.
const MOST_ITEMS: usize = 20;

starts!(Settings => Simulator);

/// The vendor behind the scaffolding.
#[derive(Debug)]
struct Simulator {
    data: Data,
    session: Session,
    settings: Settings,
    answered: u64,
}

/// A good answer under construction, with the rows it holds and those that drifted.
#[derive(Default)]
struct Good {
    rows: usize,
    drifted: u32,
}

impl Simulator {
    fn new(settings: Settings, start_ms: i64) -> Self {
        Self { data: Data::new(&settings, start_ms), session: Session::new(&settings, start_ms), settings, answered: 0 }
    }

    fn trace(&mut self) -> u64 {
        self.answered += 1;
        FIRST_TRACE + self.answered - 1
    }

    /// Writes the fields of a good answer.
    fn act(&mut self, call: &Call, moment: Moment<'_>, out: &mut Json) -> Result<Good, Problem> {
        if moment.faults.contains(&Fault::SessionDeath) {
            self.session.kill();
        }
        let known = |method: &str| methods::find(method).is_some();
        protocol::check(call.form.as_ref(), &self.settings, &self.session, known, moment.now_ms)?;
        let (Some(form), Some(action)) = (&call.form, methods::find(&call.method)) else {
            return Err(refuse("27", "unknown method"));
        };
        match action {
            Action::Time => {
                out.text("time", &beijing::format(moment.now_ms));
                Ok(Good::default())
            }
            Action::Refresh => {
                let refused = moment.faults.iter().find_map(|fault| match fault {
                    Fault::RefreshRefused { code } => Some(code.as_deref().unwrap_or("refresh_frequently")),
                    _ => None,
                });
                if let Some(code) = refused {
                    return Err(refuse(code, "refresh refused"));
                }
                self.session.renew(form.get("refreshToken"), moment.now_ms, out)?;
                Ok(Good::default())
            }
            Action::List(spec) => {
                let served = list::list(&mut self.data, &self.settings, &spec, form, moment, out)?;
                let drifted = self.drift(served.entity, served.seqs, moment);
                Ok(Good { rows: served.rows, drifted })
            }
            Action::Get(entity) => self.get(entity, form, out),
            Action::Item => {
                let item = self.item(form)?;
                out.key("item");
                render::element(&self.data, Entity::Items, item, out);
                Ok(Good { rows: 1, drifted: 0 })
            }
            Action::ItemSkus => {
                let skus = self.data.world.skus_of(self.item(form)?);
                out.begin_list("itemSkus");
                let rows = skus.len();
                skus.for_each(|sku| render::sku(&self.data, sku, out));
                out.end_list();
                Ok(Good { rows, drifted: 0 })
            }
            Action::ItemsById => self.items_by_id(form, out),
            Action::StockByCode => self.stock_by_code(form, out),
        }
    }

    /// Modifies rows of the page just served.
    fn drift(&mut self, entity: Entity, mut seqs: Vec<u32>, moment: Moment<'_>) -> u32 {
        let mut dice = Dice::new(self.settings.seed, 4_000, moment.n);
        let drawn: Vec<u32> = (0..moment.drift()).map_while(|_| dice.draw(&mut seqs)).collect();
        for &seq in &drawn {
            self.data.touch(entity, seq, moment.now_ms);
        }
        u32::try_from(drawn.len()).unwrap_or(u32::MAX)
    }

    /// One document with its lines.
    fn get(&self, entity: Entity, form: &Form, out: &mut Json) -> Result<Good, Problem> {
        let id = form.get("id").ok_or_else(|| refuse("32", "id missing"))?;
        let n_rows = self.data.table(entity).rows().len();
        let seq = entity.seq_of_id(id).filter(|&seq| (seq as usize) < n_rows);
        let seq = seq.ok_or_else(|| refuse("400", format!("no document {id}")))?;
        match self.settings.detail {
            DetailShape::Lines => {
                out.begin_list("list");
                render::lines(&self.data, entity, seq, out);
                out.end_list();
            }
            DetailShape::Document => {
                out.begin_list("list");
                out.begin();
                render::head_and_lines(&self.data, entity, seq, out);
                out.end();
                out.end_list();
            }
        }
        Ok(Good { rows: 1, drifted: 0 })
    }

    /// The item that a call names.
    fn item(&self, form: &Form) -> Result<u32, Problem> {
        let named = match (form.get("sysItemId"), form.get("outerId")) {
            (Some(id), _) => Entity::Items.seq_of_id(id),
            (None, Some(code)) => Entity::Items.seq_of_code(code),
            (None, None) => return Err(refuse("32", "sysItemId or outerId missing")),
        };
        named.filter(|&item| item < self.data.world.n_items()).ok_or_else(|| refuse("400", "no such item"))
    }

    fn items_by_id(&self, form: &Form, out: &mut Json) -> Result<Good, Problem> {
        let ids = form.get("sysItemIds").ok_or_else(|| refuse("32", "sysItemIds missing"))?;
        let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
        if ids.len() > MOST_ITEMS {
            return Err(refuse("33", "more than 20 sysItemIds"));
        }
        let found = ids.into_iter().filter_map(|id| Entity::Items.seq_of_id(id));
        let found: Vec<u32> = found.filter(|&item| item < self.data.world.n_items()).collect();
        if !found.is_empty() || self.settings.empty == EmptyResult::EmptyList {
            out.begin_list("items");
            for &item in &found {
                render::element(&self.data, Entity::Items, item, out);
            }
            out.end_list();
        }
        Ok(Good { rows: found.len(), drifted: 0 })
    }

    fn stock_by_code(&self, form: &Form, out: &mut Json) -> Result<Good, Problem> {
        let world = &self.data.world;
        let (code, skus) = match (form.get("skuOuterId"), form.get("outerId")) {
            (Some(code), _) => {
                let sku = Entity::Stock.seq_of_code(code).filter(|&sku| sku < world.n_skus());
                (code, sku.map_or(0..0, |sku| sku..sku + 1))
            }
            (None, Some(code)) => {
                let item = Entity::Items.seq_of_code(code).filter(|&item| item < world.n_items());
                (code, item.map_or(0..0, |item| world.skus_of(item)))
            }
            (None, None) => return Err(refuse("32", "outerId or skuOuterId missing")),
        };
        if code.contains(',') {
            return Err(refuse("33", "one code a call"));
        }
        let rows = skus.len();
        if rows > 0 || self.settings.empty == EmptyResult::EmptyList {
            out.begin_list("skus");
            skus.for_each(|sku| render::sku_by_warehouse(&self.data, sku, out));
            out.end_list();
        }
        Ok(Good { rows, drifted: 0 })
    }
}

fn json_answer(body: Json, outcome: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "application/json;charset=UTF-8",
        retry_after: None,
        body: body.into_string(),
        outcome: outcome.to_owned(),
        rows: 0,
        drifted: 0,
    }
}

impl Vendor for Simulator {
    fn path(&self) -> &'static str {
        PATH
    }

    fn understand(&self, inbound: &Inbound<'_>) -> Result<Call, Answer> {
        if inbound.path != PATH {
            return Err(Answer::html(404, "Not Found"));
        }
        let content_type = inbound.content_type.to_ascii_lowercase();
        let form = match inbound.verb {
            "GET" if PATH.len() + 1 + inbound.query.len() >= LONGEST_URL => {
                return Err(Answer::html(414, "URI Too Long"));
            }
            "GET" => Some(Form::urlencoded(inbound.query.as_bytes())),
            "POST" if content_type.starts_with("application/x-www-form-urlencoded") => {
                Some(Form::urlencoded(inbound.body))
            }
            "POST" if content_type.starts_with("multipart/form-data") => {
                Form::multipart(inbound.content_type, inbound.body)
            }
            "POST" => None,
            _ => return Err(Answer::html(405, "Method Not Allowed")),
        };
        let field = |name: &str| form.as_ref().and_then(|form| form.get(name)).map(short);
        let first = |names: &[&str]| names.iter().find_map(|name| field(name));
        let from = first(&["startTime", "startModified", "startStockModified", "timeBegin"]);
        let until = first(&["endTime", "endModified", "endStockModified", "timeEnd"]);
        Ok(Call {
            method: field("method").unwrap_or_default(),
            page_no: field("pageNo"),
            page_size: field("pageSize"),
            window: (from.is_some() || until.is_some())
                .then(|| format!("{} .. {}", from.unwrap_or_default(), until.unwrap_or_default())),
            key: first(&["cursor", "id", "sid", "tid", "code", "sysItemId", "sysItemIds", "skuOuterId", "outerId"]),
            form,
            ..Call::default()
        })
    }

    fn answer(&mut self, call: &Call, moment: Moment<'_>) -> Answer {
        let mut out = Json::with_capacity(if moment.faults.is_empty() { 4_096 } else { 1_024 });
        let trace = self.trace();
        out.begin();
        match self.settings.envelope {
            Envelope::Bare => {}
            Envelope::Success => out.literal("success", "true"),
            Envelope::WithCode => {
                out.literal("success", "true");
                out.text("code", "0");
                out.text("msg", "success");
            }
        }
        out.format("traceId", format_args!("{trace}"));
        match self.act(call, moment, &mut out) {
            Ok(good) => {
                out.end();
                let rows = u32::try_from(good.rows).unwrap_or(u32::MAX);
                Answer { rows, drifted: good.drifted, ..json_answer(out, "ok") }
            }
            Err(problem) => self.envelope(&problem.code, &problem.message),
        }
    }

    fn throttled(&mut self, refusal: Refusal) -> Answer {
        let seconds = u64::try_from(refusal.wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        Answer { retry_after: self.settings.retry_after.then_some(seconds), ..Answer::html(429, "Too Many Requests") }
    }

    fn envelope(&mut self, code: &str, message: &str) -> Answer {
        let trace = self.trace();
        let mut out = Json::with_capacity(160);
        out.begin();
        out.literal("success", "false");
        out.text("code", code);
        out.text("msg", message);
        out.format("trace_id", format_args!("{trace}"));
        out.end();
        json_answer(out, code)
    }

    fn documents(&self) -> BTreeMap<&'static str, usize> {
        Entity::ALL.into_iter().map(|entity| (entity.name(), self.data.table(entity).rows().len())).collect()
    }

    fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        let entity = Entity::parse(entity)?;
        let row = |(seq, row): (u32, &crate::table::Row)| TruthRow {
            key: entity.id(seq).to_string(),
            modified: row.updated,
            version: row.version,
        };
        Some((0..).zip(self.data.table(entity).rows()).map(row).collect())
    }

    fn change(&mut self, entity: &str, n: u32, now_ms: i64) -> Option<Vec<String>> {
        let entity = Entity::parse(entity)?;
        let n_rows = u32::try_from(self.data.table(entity).rows().len()).ok()?;
        let mut dice = Dice::new(self.settings.seed, 5_000, self.data.modified());
        let mut left: Vec<u32> = (0..n_rows).collect();
        let drawn: Vec<u32> = (0..n).map_while(|_| dice.draw(&mut left)).collect();
        for &seq in &drawn {
            self.data.touch(entity, seq, now_ms);
        }
        Some(drawn.into_iter().map(|seq| entity.id(seq).to_string()).collect())
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
}

/// At most 100 characters of a field, for the log.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

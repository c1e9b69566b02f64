//! The control handle and its HTTP form under `/_sandbox/`, which the vendor's limits do not count.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shares};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arrival::Shared;
use crate::beijing;
use crate::faults::{FaultRule, FaultState};
use crate::stats::{CallRecord, Stats};
use crate::vendor::{Received, TruthRow};

/// Looks at a running simulator and changes it.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// What happened since the start.
    pub fn stats(&self) -> Stats {
        let state = self.0.state();
        let (refreshes, modified) = state.vendor.counts();
        Stats {
            now_ms: state.clock.now_ms(),
            rejected_for_limits: state.limiter.refused(),
            windows: state.limiter.stats(),
            documents: state.vendor.documents(),
            refreshes,
            modified,
            ..state.log.stats()
        }
    }

    /// The last 100,000 calls, oldest first, as far as their number is above `since` (0: all).
    pub fn calls(&self, since: u64) -> Vec<CallRecord> {
        self.0.state().log.since(since)
    }

    /// The simulator's time.
    pub fn now(&self) -> Timestamp {
        self.0.state().clock.now()
    }

    /// Sets the clock, forwards or backwards.
    pub fn set_clock(&self, to: Timestamp) {
        self.0.state().clock.set(to);
    }

    /// Moves the clock forwards.
    pub fn advance_clock(&self, by: Duration) {
        self.0.state().clock.advance(by);
    }

    /// Stops the clock or lets it run on.
    pub fn freeze_clock(&self, frozen: bool) {
        self.0.state().clock.freeze(frozen);
    }

    /// Switches a fault on, beside those in force.
    pub fn add_fault(&self, rule: FaultRule) {
        self.0.state().faults.add(rule);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.0.state().faults.clear();
    }

    /// The faults in force and what they did.
    pub fn faults(&self) -> Vec<FaultState> {
        self.0.state().faults.states().to_vec()
    }

    /// Ends the session, as when it expires.
    pub fn kill_session(&self) {
        self.0.state().vendor.kill_session();
    }

    /// Makes the session good again, as the vendor's support does by hand.
    pub fn revive_session(&self) {
        let mut state = self.0.state();
        let now_ms = state.clock.now_ms();
        state.vendor.revive_session(now_ms);
    }

    /// The session as JSON: tokens (made up, so no secrets), its end and whether it is alive.
    pub fn session(&self) -> Value {
        let state = self.0.state();
        state.vendor.session(state.clock.now_ms())
    }

    /// Modifies `n` documents of an entity now; gives their keys, or `None` for an unknown entity.
    pub fn change(&self, entity: &str, n: u32) -> Option<Vec<String>> {
        let mut state = self.0.state();
        let now_ms = state.clock.now_ms();
        state.vendor.change(entity, n, now_ms)
    }

    /// All documents of an entity as they stand now, in key order; `None` for an unknown entity.
    pub fn truth(&self, entity: &str) -> Option<Vec<TruthRow>> {
        self.0.state().vendor.truth(entity)
    }

    /// What was written to a target, in key order; `None` for an unknown target.
    pub fn received(&self, target: &str) -> Option<Vec<Received>> {
        self.0.state().vendor.received(target)
    }

    /// What the vendor sends by itself now, as it would arrive at a registered address: bodies, oldest first.
    pub fn pushes(&self) -> Vec<String> {
        let mut state = self.0.state();
        let now_ms = state.clock.now_ms();
        state.vendor.pushes(now_ms)
    }
}

/// The endpoints under `/_sandbox/`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/stats", get(async |shares: Handle| Json(control(&shares).stats())))
        .route("/_sandbox/calls", get(calls))
        .route("/_sandbox/clock", get(async |shares: Handle| clock_json(&control(&shares))).post(clock))
        .route(
            "/_sandbox/faults",
            get(async |shares: Handle| Json(control(&shares).faults())).post(add_faults).delete(
                async |shares: Handle| {
                    control(&shares).clear_faults();
                    StatusCode::NO_CONTENT
                },
            ),
        )
        .route("/_sandbox/session", get(async |shares: Handle| Json(control(&shares).session())).post(session))
        .route("/_sandbox/change", post(change))
        .route("/_sandbox/truth/{entity}", get(truth))
        .route("/_sandbox/received/{target}", get(received))
        .route("/_sandbox/pushes", post(async |shares: Handle| Json(control(&shares).pushes())))
        .route("/_sandbox/{*rest}", any(async || (StatusCode::NOT_FOUND, "no such control endpoint\n")))
}

type Handle = Shares<Arc<Shared>>;

fn control(Shares(shared): &Handle) -> Control {
    Control(shared.clone())
}

/// Reads a JSON body, whatever its content type says.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn calls(shares: Handle, Query(query): Query<Since>) -> Json<Vec<CallRecord>> {
    Json(control(&shares).calls(query.since))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    set: Option<String>,
    advance_ms: Option<u64>,
    freeze: Option<bool>,
}

fn clock_json(control: &Control) -> Json<Value> {
    let state = control.0.state();
    let now_ms = state.clock.now_ms();
    Json(json!({ "now_ms": now_ms, "now": beijing::format(now_ms), "frozen": state.clock.is_frozen() }))
}

async fn clock(shares: Handle, body: Bytes) -> Result<Json<Value>, (StatusCode, String)> {
    let order: ClockOrder = read(&body)?;
    let control = control(&shares);
    if let Some(text) = order.set {
        let beijing = beijing::parse(&text).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let Some(to) = beijing.or_else(|| text.parse().ok()) else {
            let message =
                format!("`{text}` is neither `yyyy-MM-dd HH:mm:ss` (Beijing time) nor a time with its offset\n");
            return Err((StatusCode::BAD_REQUEST, message));
        };
        control.set_clock(to);
    }
    if let Some(ms) = order.advance_ms {
        control.advance_clock(Duration::from_millis(ms));
    }
    if let Some(frozen) = order.freeze {
        control.freeze_clock(frozen);
    }
    Ok(clock_json(&control))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FaultOrder {
    Many(Vec<Value>),
    One(Value),
}

async fn add_faults(shares: Handle, body: Bytes) -> Result<Json<Vec<FaultState>>, (StatusCode, String)> {
    let rules = match read(&body)? {
        FaultOrder::Many(rules) => rules,
        FaultOrder::One(rule) => vec![rule],
    };
    let rules: Result<Vec<FaultRule>, _> = rules.into_iter().map(serde_json::from_value).collect();
    let rules = rules.map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))?;
    let control = control(&shares);
    for rule in rules {
        control.add_fault(rule);
    }
    Ok(Json(control.faults()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionOrder {
    #[serde(default)]
    kill: bool,
    #[serde(default)]
    revive: bool,
}

async fn session(shares: Handle, body: Bytes) -> Result<Json<Value>, (StatusCode, String)> {
    let order: SessionOrder = read(&body)?;
    let control = control(&shares);
    if order.kill {
        control.kill_session();
    }
    if order.revive {
        control.revive_session();
    }
    Ok(Json(control.session()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeOrder {
    entity: String,
    n: u32,
}

async fn change(shares: Handle, body: Bytes) -> Result<Json<Value>, (StatusCode, String)> {
    let order: ChangeOrder = read(&body)?;
    match control(&shares).change(&order.entity, order.n) {
        Some(keys) => Ok(Json(json!({ "changed": keys }))),
        None => Err(unknown_entity(&order.entity)),
    }
}

async fn truth(shares: Handle, Path(entity): Path<String>) -> Response {
    control(&shares).truth(&entity).map_or_else(|| unknown_entity(&entity).into_response(), |rows| lines(&rows))
}

async fn received(shares: Handle, Path(target): Path<String>) -> Response {
    let unknown = || (StatusCode::NOT_FOUND, format!("no target `{target}` takes documents here\n")).into_response();
    control(&shares).received(&target).map_or_else(unknown, |rows| lines(&rows))
}

/// One JSON object a line.
fn lines<T: Serialize>(rows: &[T]) -> Response {
    let mut text = String::with_capacity(rows.len() * 64);
    for row in rows {
        text.push_str(&serde_json::to_string(row).expect("a plain struct is JSON"));
        text.push('\n');
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
}

fn unknown_entity(entity: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("no entity `{entity}`; `/_sandbox/stats` lists them under `documents`\n"))
}

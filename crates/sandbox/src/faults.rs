//! Faults that can be switched on: what goes wrong, when, and for which method.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// After each page served, `rows` rows of that page are modified now, with new content.
    ///
    /// They thereby leave every window that ends before now, and those behind them move forward.
    Drift {
        /// Rows to modify after each page, 3 by default.
        rows: u32,
        /// The rule falls silent after this many modifications; `None`: never.
        stop_after: Option<u32>,
    },
    /// The vendor's own error envelope, in HTTP 200. Nothing is done.
    VendorCode {
        /// The vendor's code, `1` by default.
        code: String,
        /// The message beside it.
        message: String,
    },
    /// A plain HTTP error with a short HTML body. Nothing is done.
    HttpStatus {
        /// The status, 503 by default.
        status: u16,
    },
    /// An HTML page with HTTP 200. Nothing is done.
    Html,
    /// HTTP 200 without a body. Nothing is done.
    EmptyBody,
    /// The call is done, and the first half of its JSON arrives as if it were all.
    Truncated,
    /// The connection is reset before any answer. Nothing is done.
    Reset,
    /// The call is done, and the connection is reset instead of its answer.
    LostAnswer,
    /// The call is done, and the connection ends in the middle of the body.
    Cut,
    /// The call is done, and its answer takes this much longer (`delay_ms`, 30 seconds by default).
    Slow {
        /// How long the answer is held back.
        delay: Duration,
    },
    /// The session dies before the call is judged, and stays dead.
    SessionDeath,
    /// A refresh is refused.
    RefreshRefused {
        /// The vendor's code; each vendor has its own default.
        code: Option<String>,
    },
    /// Page answers carry no `total`.
    TotalMissing,
    /// The first page for ever: whatever page is asked for, page 1 comes and claims that more follow.
    SamePage,
    /// The page parameter is ignored, as after a misspelling; the rest of the answer is honest.
    PageIgnored,
}

impl Fault {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drift { .. } => "drift",
            Self::VendorCode { .. } => "vendor-code",
            Self::HttpStatus { .. } => "http-status",
            Self::Html => "html",
            Self::EmptyBody => "empty-body",
            Self::Truncated => "truncated",
            Self::Reset => "reset",
            Self::LostAnswer => "lost-answer",
            Self::Cut => "cut",
            Self::Slow { .. } => "slow",
            Self::SessionDeath => "session-death",
            Self::RefreshRefused { .. } => "refresh-refused",
            Self::TotalMissing => "total-missing",
            Self::SamePage => "same-page",
            Self::PageIgnored => "page-ignored",
        }
    }

    /// Drift of `rows` rows a page, without an end.
    pub fn drift(rows: u32) -> Self {
        Self::Drift { rows, stop_after: None }
    }

    /// An error envelope with this code.
    pub fn vendor_code(code: &str) -> Self {
        Self::VendorCode { code: code.to_owned(), message: "fault".to_owned() }
    }
}

/// When a fault strikes, counted over the calls it applies to.
///
/// Calls refused for the call limits do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At each call.
    Always,
    /// At every n-th call: `Every(7)` leaves six calls alone and strikes the seventh.
    Every(u32),
    /// At the next n calls.
    Next(u32),
}

/// One fault with its schedule.
///
/// In JSON it is flat: `{"fault": "html", "every": 7}`, `{"fault": "truncated", "next": 3}`,
/// `{"fault": "drift", "rows": 3, "stop_after": 60, "method": "erp.trade.list.query"}`. One of `always`, `every` and
/// `next` may be given; none means always. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FlatRule", into = "FlatRule")]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub when: When,
    /// The only method it applies to; `None`: all.
    pub method: Option<String>,
}

impl FaultRule {
    /// The fault at each call.
    pub fn new(fault: Fault) -> Self {
        Self { fault, when: When::Always, method: None }
    }

    /// The same at every n-th call only.
    #[must_use]
    pub fn every(self, n: u32) -> Self {
        Self { when: When::Every(n), ..self }
    }

    /// The same at the next n calls only.
    #[must_use]
    pub fn next(self, n: u32) -> Self {
        Self { when: When::Next(n), ..self }
    }

    /// The same for one method only.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }
}

/// The JSON form of [`FaultRule`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatRule {
    fault: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    always: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop_after: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
}

impl TryFrom<FlatRule> for FaultRule {
    type Error = String;

    fn try_from(flat: FlatRule) -> Result<Self, String> {
        let fault = match flat.fault.as_str() {
            "drift" => Fault::Drift { rows: flat.rows.unwrap_or(3), stop_after: flat.stop_after },
            "vendor-code" => Fault::VendorCode {
                code: flat.code.unwrap_or_else(|| "1".to_owned()),
                message: flat.message.unwrap_or_else(|| "fault".to_owned()),
            },
            "http-status" => match flat.status.unwrap_or(503) {
                status @ 400..=599 => Fault::HttpStatus { status },
                status => return Err(format!("status {status} is no error status")),
            },
            "html" => Fault::Html,
            "empty-body" => Fault::EmptyBody,
            "truncated" => Fault::Truncated,
            "reset" => Fault::Reset,
            "lost-answer" => Fault::LostAnswer,
            "cut" => Fault::Cut,
            "slow" => Fault::Slow { delay: Duration::from_millis(flat.delay_ms.unwrap_or(30_000)) },
            "session-death" => Fault::SessionDeath,
            "refresh-refused" => Fault::RefreshRefused { code: flat.code },
            "total-missing" => Fault::TotalMissing,
            "same-page" => Fault::SamePage,
            "page-ignored" => Fault::PageIgnored,
            other => return Err(format!("unknown fault `{other}`")),
        };
        let when = match (flat.always, flat.every, flat.next) {
            (None | Some(true), None, None) => When::Always,
            (None, Some(1..), None) => When::Every(flat.every.unwrap_or(1)),
            (None, None, Some(n)) => When::Next(n),
            _ => return Err("give one of `always: true`, `every` (1 or more) and `next`".to_owned()),
        };
        Ok(Self { fault, when, method: flat.method })
    }
}

impl From<FaultRule> for FlatRule {
    fn from(rule: FaultRule) -> Self {
        let mut flat = Self { fault: rule.fault.name().to_owned(), method: rule.method, ..Self::default() };
        match rule.when {
            When::Always => flat.always = Some(true),
            When::Every(n) => flat.every = Some(n),
            When::Next(n) => flat.next = Some(n),
        }
        match rule.fault {
            Fault::Drift { rows, stop_after } => (flat.rows, flat.stop_after) = (Some(rows), stop_after),
            Fault::VendorCode { code, message } => (flat.code, flat.message) = (Some(code), Some(message)),
            Fault::HttpStatus { status } => flat.status = Some(status),
            Fault::Slow { delay } => flat.delay_ms = u64::try_from(delay.as_millis()).ok(),
            Fault::RefreshRefused { code } => flat.code = code,
            _ => {}
        }
        flat
    }
}

/// One rule and what it did so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultState {
    /// The rule as it was given.
    pub rule: FaultRule,
    /// Calls it applied to.
    pub seen: u32,
    /// Calls it struck.
    pub struck: u32,
    /// Rows it modified (drift only).
    pub modified: u32,
}

/// All rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultState>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(FaultState { rule, seen: 0, struck: 0, modified: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn states(&self) -> &[FaultState] {
        &self.rules
    }

    /// The faults that strike this call, in the order in which the rules were added.
    pub(crate) fn strike(&mut self, method: &str) -> Vec<Fault> {
        let mut struck = Vec::new();
        for state in &mut self.rules {
            if state.rule.method.as_deref().is_some_and(|only| only != method) {
                continue;
            }
            state.seen += 1;
            let strikes = match state.rule.when {
                When::Always => true,
                When::Every(n) => state.seen.is_multiple_of(n.max(1)),
                When::Next(n) => state.seen <= n,
            };
            let mut fault = state.rule.fault.clone();
            if let Fault::Drift { rows, stop_after: Some(limit) } = &mut fault {
                *rows = (*rows).min(limit.saturating_sub(state.modified));
            }
            if strikes && !matches!(fault, Fault::Drift { rows: 0, .. }) {
                state.struck += 1;
                struck.push(fault);
            }
        }
        struck
    }

    /// Notes that a call of `method` drifted by `rows`, on account of the first drift rule that has room for them.
    pub(crate) fn note_drift(&mut self, method: &str, mut rows: u32) {
        for state in &mut self.rules {
            let applies = state.rule.method.as_deref().is_none_or(|only| only == method);
            if let (Fault::Drift { stop_after, .. }, true) = (&state.rule.fault, applies) {
                let room = stop_after.map_or(rows, |limit| limit.saturating_sub(state.modified)).min(rows);
                state.modified += room;
                rows -= room;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(rule: FaultRule, calls: usize) -> Vec<usize> {
        let mut faults = Faults::default();
        faults.add(rule);
        (1..=calls).filter(|_| !faults.strike("m").is_empty()).collect()
    }

    #[test]
    fn schedules() {
        let html = FaultRule::new(Fault::Html);
        assert_eq!(strikes(html.clone(), 3), [1, 2, 3]);
        assert_eq!(strikes(html.clone().every(3), 7), [3, 6]);
        assert_eq!(strikes(html.clone().next(2), 5), [1, 2]);
        assert_eq!(strikes(html.clone().method("m").next(1), 3), [1]);
        assert_eq!(strikes(html.method("other"), 3), [0; 0]);
    }

    #[test]
    fn drift_stops_after_its_modifications() {
        let mut faults = Faults::default();
        faults.add(FaultRule::new(Fault::Drift { rows: 3, stop_after: Some(5) }));
        assert_eq!(faults.strike("m"), [Fault::Drift { rows: 3, stop_after: Some(5) }]);
        faults.note_drift("m", 3);
        assert_eq!(faults.strike("m"), [Fault::Drift { rows: 2, stop_after: Some(5) }]);
        faults.note_drift("m", 2);
        assert_eq!(faults.strike("m"), []);
    }

    #[test]
    fn json_forms_survive_a_round_trip() {
        for text in [
            r#"{"fault":"html","every":7}"#,
            r#"{"fault":"truncated","next":3}"#,
            r#"{"fault":"reset","always":true,"method":"a.b"}"#,
            r#"{"fault":"drift","always":true,"rows":3,"stop_after":60}"#,
            r#"{"fault":"vendor-code","next":1,"code":"30077","message":"m"}"#,
            r#"{"fault":"http-status","always":true,"status":502}"#,
            r#"{"fault":"slow","always":true,"delay_ms":5}"#,
            r#"{"fault":"refresh-refused","always":true,"code":"9"}"#,
        ] {
            let rule: FaultRule = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&rule).unwrap(), text);
        }
    }

    #[test]
    fn wrong_rules_are_refused() {
        for text in [
            r#"{"fault":"htm"}"#,
            r#"{"fault":"html","evry":7}"#,
            r#"{"fault":"html","every":0}"#,
            r#"{"fault":"html","every":2,"next":1}"#,
            r#"{"fault":"html","always":false}"#,
            r#"{"fault":"http-status","status":200}"#,
        ] {
            assert!(serde_json::from_str::<FaultRule>(text).is_err(), "{text}");
        }
    }
}

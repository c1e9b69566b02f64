//! Refused calls and the vendor's envelope, section 3 of the page.

use super::settings::Settings;
use crate::tree::Tree;
use crate::vendor::Answer;

/// A call refused with one of the vendor's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) data: Option<Tree>,
    /// `Retry-After` in seconds.
    pub(crate) retry_after: Option<u64>,
}

/// A problem with this code.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> Problem {
    Problem { code: code.to_owned(), message: message.into(), data: None, retry_after: None }
}

/// The answer to a problem.
pub(crate) fn refused(problem: &Problem, trace: u64) -> Answer {
    let mut tree =
        Tree::object([("code", Tree::text(problem.code.as_str())), ("message", Tree::text(problem.message.as_str()))]);
    if let Some(data) = &problem.data {
        tree.set("data", data.clone());
    }
    tree.set("traceId", Tree::text(format!("{trace:016x}")));
    Answer { retry_after: problem.retry_after, ..json(&tree, &problem.code) }
}

/// A good answer with the interface's own success value.
pub(crate) fn good(settings: &Settings, path: &str, data: Tree, trace: u64) -> Answer {
    let tree = Tree::object([
        ("code", success_value(settings, path)),
        ("message", Tree::text("操作成功")),
        ("data", data),
        ("traceId", Tree::text(format!("{trace:016x}"))),
    ]);
    json(&tree, "ok")
}

/// A JSON answer with HTTP 200.
pub(crate) fn json(tree: &Tree, outcome: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "application/json;charset=UTF-8",
        retry_after: None,
        body: tree.to_string(),
        outcome: outcome.to_owned(),
        rows: 0,
        drifted: 0,
    }
}

/// What `code` says of success at an interface: the settings' value, a number for base data and receivables, else text.
fn success_value(settings: &Settings, path: &str) -> Tree {
    let chosen = settings.success_values.iter().find(|(of, _)| of == path);
    match chosen {
        Some((_, literal)) => Tree::parse(literal).unwrap_or_else(|| Tree::text(literal.as_str())),
        None if path.starts_with("/yonbip/digitalModel/") || path.starts_with("/yonbip/EFI/") => Tree::int(200),
        None => Tree::text("200"),
    }
}

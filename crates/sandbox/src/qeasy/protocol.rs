//! The envelope of both versions, and refused calls.

use crate::tree::Tree;
use crate::vendor::Answer;

/// A call refused with one of the platform's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
    /// `Retry-After` in seconds.
    pub(crate) retry_after: Option<u64>,
}

/// A problem with this code.
pub(crate) fn refuse(code: u32, message: impl Into<String>) -> Problem {
    Problem { code: code.to_string(), message: message.into(), retry_after: None }
}

/// The answer to a problem.
pub(crate) fn refused(problem: &Problem) -> Answer {
    let plain = !problem.code.is_empty() && problem.code.bytes().all(|byte| byte.is_ascii_digit());
    let code = if plain { Tree::int(&problem.code) } else { Tree::text(problem.code.as_str()) };
    let tree = Tree::object([
        ("success", Tree::Bool(false)),
        ("code", code),
        ("message", Tree::text(problem.message.as_str())),
        ("content", Tree::Null),
    ]);
    Answer { retry_after: problem.retry_after, ..json(&tree, &problem.code) }
}

/// A good answer.
pub(crate) fn good(content: Tree) -> Answer {
    let tree = Tree::object([
        ("success", Tree::Bool(true)),
        ("code", Tree::int(0)),
        ("message", Tree::text("success")),
        ("content", content),
    ]);
    json(&tree, "ok")
}

fn json(tree: &Tree, outcome: &str) -> Answer {
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

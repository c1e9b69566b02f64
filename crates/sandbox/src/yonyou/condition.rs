//! The filters of lists: `simpleVOs`, groups, and the short forms of older lists, section 4 of the page.

use std::cmp::Ordering;

use super::problem::{Problem, refuse};
use crate::decimal::compare;
use crate::tree::Tree;

/// A filter as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// One field.
    Field { field: String, op: Op, values: Vec<String> },
}

/// How a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Neq,
    Lt,
    Gt,
    Egt,
    Elt,
    Between,
    In,
    Nin,
    Like,
    LeftLike,
    RightLike,
    IsNull,
    IsNotNull,
}

impl Op {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "eq" => Self::Eq,
            "neq" => Self::Neq,
            "lt" => Self::Lt,
            "gt" => Self::Gt,
            "egt" => Self::Egt,
            "elt" => Self::Elt,
            "between" => Self::Between,
            "in" => Self::In,
            "nin" => Self::Nin,
            "like" => Self::Like,
            "leftlike" => Self::LeftLike,
            "rightlike" => Self::RightLike,
            "is_null" => Self::IsNull,
            "is_not_null" => Self::IsNotNull,
            _ => return None,
        })
    }
}

/// Reads `simpleVOs`; a missing or `null` list asks for everything.
///
/// # Errors
/// `999` for whatever is not a condition, above all an unknown `op`.
pub(crate) fn read(list: Option<&Tree>) -> Result<Condition, Problem> {
    match list {
        None | Some(Tree::Null) => Ok(Condition::All(Vec::new())),
        Some(Tree::List(items)) => Ok(Condition::All(items.iter().map(one).collect::<Result<_, _>>()?)),
        Some(_) => Err(refuse("999", "simpleVOs is no list")),
    }
}

fn one(item: &Tree) -> Result<Condition, Problem> {
    if let Some(parts) = item.get("conditions").filter(|parts| !parts.is_null()) {
        let parts = parts.as_list().ok_or_else(|| refuse("999", "conditions is no list"))?;
        let parts = parts.iter().map(one).collect::<Result<_, _>>()?;
        return match item.get("logicOp").and_then(Tree::as_text) {
            Some("and") => Ok(Condition::All(parts)),
            Some("or") => Ok(Condition::Any(parts)),
            _ => Err(refuse("999", "logicOp invalid")),
        };
    }
    let text = |key: &str| item.get(key).and_then(Tree::as_text);
    let field = text("field").ok_or_else(|| refuse("999", "condition without field"))?.to_owned();
    let op = text("op").and_then(Op::parse).ok_or_else(|| refuse("999", format!("op of {field} invalid")))?;
    let scalar = |key: &str| item.get(key).and_then(Tree::scalar).map(str::to_owned);
    let missing = |key: &str| refuse("999", format!("{key} of {field} missing"));
    let values = match op {
        Op::IsNull | Op::IsNotNull => Vec::new(),
        Op::Between => {
            vec![scalar("value1").ok_or_else(|| missing("value1"))?, scalar("value2").ok_or_else(|| missing("value2"))?]
        }
        Op::In | Op::Nin => match item.get("value1") {
            Some(Tree::List(items)) => items.iter().filter_map(Tree::scalar).map(str::to_owned).collect(),
            Some(value) => value.scalar().into_iter().flat_map(|text| text.split(',')).map(str::to_owned).collect(),
            None => return Err(missing("value1")),
        },
        _ => vec![scalar("value1").ok_or_else(|| missing("value1"))?],
    };
    Ok(Condition::Field { field, op, values })
}

/// Reads the short filters at the top of a body: `open_<field>_begin`, `open_<field>_end`, `beginTime`, `endTime`.
///
/// Both ends are inclusive; `null` and empty texts ask for nothing.
pub(crate) fn short(body: &Tree) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (key, value) in body.members().unwrap_or_default() {
        let Some(value) = value.scalar().filter(|value| !value.is_empty()) else { continue };
        let open = key.strip_prefix("open_");
        let (field, op) = match key.as_str() {
            "beginTime" => ("pubts", Op::Egt),
            "endTime" => ("pubts", Op::Elt),
            _ => match (open.and_then(|key| key.strip_suffix("_begin")), open.and_then(|key| key.strip_suffix("_end")))
            {
                (Some(field), _) => (field, Op::Egt),
                (_, Some(field)) => (field, Op::Elt),
                _ => continue,
            },
        };
        conditions.push(Condition::Field { field: field.to_owned(), op, values: vec![value.to_owned()] });
    }
    conditions
}

impl Condition {
    /// Whether a row passes; `field` gives the row's value of a field, `None` if it has none.
    pub(crate) fn holds<'a>(&self, field: &impl Fn(&str) -> Option<&'a Tree>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(field)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(field)),
            Self::Field { field: name, op, values } => {
                let Some(value) = field(name).and_then(literal) else {
                    return matches!(op, Op::IsNull | Op::Neq | Op::Nin);
                };
                let first = values.first().map(String::as_str).unwrap_or_default();
                let to_first = compare(&value, first);
                let among = || values.iter().any(|other| compare(&value, other) == Ordering::Equal);
                match op {
                    Op::Eq => to_first == Ordering::Equal,
                    Op::Neq => to_first != Ordering::Equal,
                    Op::Lt => to_first == Ordering::Less,
                    Op::Gt => to_first == Ordering::Greater,
                    Op::Egt => to_first != Ordering::Less,
                    Op::Elt => to_first != Ordering::Greater,
                    Op::Between => {
                        let second = values.get(1).map(String::as_str).unwrap_or_default();
                        to_first != Ordering::Less && compare(&value, second) != Ordering::Greater
                    }
                    Op::In => among(),
                    Op::Nin => !among(),
                    Op::Like => value.contains(first),
                    Op::LeftLike => value.starts_with(first),
                    Op::RightLike => value.ends_with(first),
                    Op::IsNull => false,
                    Op::IsNotNull => true,
                }
            }
        }
    }

    /// All fields it names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Field { field, .. } => vec![field],
        }
    }
}

/// The value as it compares; `None` for `null`, lists and objects.
fn literal(tree: &Tree) -> Option<String> {
    match tree {
        Tree::Bool(value) => Some(value.to_string()),
        other => other.scalar().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(condition: &str, row: &str) -> bool {
        let row = Tree::parse(row).unwrap();
        let list = Tree::parse(&format!("[{condition}]")).unwrap();
        read(Some(&list)).unwrap().holds(&|field: &str| row.get(field))
    }

    #[test]
    fn operators() {
        let row = r#"{"id":2006712890913456134,"qty":20.890,"code":"CGA-1","memo":null,"pubts":"2026-01-05 11:34:02","ok":true}"#;
        for (condition, expected) in [
            (r#"{"field":"id","op":"eq","value1":"2006712890913456134"}"#, true),
            (r#"{"field":"id","op":"eq","value1":2006712890913456135}"#, false),
            (r#"{"field":"qty","op":"eq","value1":20.89}"#, true),
            (r#"{"field":"qty","op":"gt","value1":9}"#, true),
            (r#"{"field":"qty","op":"lt","value1":"20.9"}"#, true),
            (r#"{"field":"qty","op":"elt","value1":20.89}"#, true),
            (r#"{"field":"qty","op":"neq","value1":-20.89}"#, true),
            (r#"{"field":"pubts","op":"egt","value1":"2026-01-05 11:34:02"}"#, true),
            (r#"{"field":"pubts","op":"between","value1":"2026-01-05 00:00:00","value2":"2026-01-05 11:34:02"}"#, true),
            (
                r#"{"field":"pubts","op":"between","value1":"2026-01-05 00:00:00","value2":"2026-01-05 11:34:01"}"#,
                false,
            ),
            (r#"{"field":"code","op":"in","value1":["x","CGA-1"]}"#, true),
            (r#"{"field":"code","op":"nin","value1":"x,CGA-1"}"#, false),
            (r#"{"field":"code","op":"like","value1":"GA"}"#, true),
            (r#"{"field":"code","op":"leftlike","value1":"CGA"}"#, true),
            (r#"{"field":"code","op":"rightlike","value1":"CGA"}"#, false),
            (r#"{"field":"memo","op":"is_null"}"#, true),
            (r#"{"field":"code","op":"is_not_null"}"#, true),
            (r#"{"field":"ok","op":"eq","value1":"true"}"#, true),
            (
                r#"{"logicOp":"or","conditions":[{"field":"qty","op":"eq","value1":1},{"field":"ok","op":"eq","value1":"true"}]}"#,
                true,
            ),
            (
                r#"{"logicOp":"and","conditions":[{"field":"qty","op":"eq","value1":1},{"field":"ok","op":"eq","value1":"true"}]}"#,
                false,
            ),
        ] {
            assert_eq!(passes(condition, row), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for list in [
            r#"{"field":"id"}"#,
            r#"[{"field":"id","op":"equals","value1":1}]"#,
            r#"[{"op":"eq","value1":1}]"#,
            r#"[{"field":"id","op":"eq"}]"#,
            r#"[{"field":"id","op":"between","value1":1}]"#,
            r#"[{"logicOp":"xor","conditions":[]}]"#,
        ] {
            assert_eq!(read(Tree::parse(list).as_ref()).unwrap_err().code, "999", "{list}");
        }
    }
}

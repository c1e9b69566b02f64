//! `condition`: what is filtered after reading, as conditions of a mapping.

use milkrun_core::stream::Title;

use super::jq;
use crate::json::{Node, Value};
use crate::report::Ledger;
use crate::toml;

/// What a `condition` becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    /// The conditions on records, as TOML.
    pub(crate) record: Option<String>,
    /// The conditions on the lines of lists: the list's path, and the conditions as TOML.
    pub(crate) lines: Vec<(String, String)>,
}

/// Reads `[[c1, c2], [c3]]`: (c1 and c2) or c3.
///
/// A condition on a field of a line (`items.name`; `lists` are the paths of lists) deletes the lines that fail, unless it
/// is strict: then one line that fails drops the document.
pub(crate) fn read(node: &Node, lists: &[String], ledger: &mut Ledger) -> Filters {
    let path = "condition";
    let wrong = |ledger: &mut Ledger| {
        let note = Title::new("it is no list of lists of conditions", "它不是条件列表的列表");
        let instead = Title::new(
            "write it as `[[{field, logic, value}]]`, or as `filter` in the flow",
            "请写成 `[[{field, logic, value}]]`，或在流程中写 `filter`",
        );
        ledger.decide(path, &node.span, note, instead);
        Filters::default()
    };
    let Some(groups) = node.elements() else {
        return if node.value == Value::Null { Filters::default() } else { wrong(ledger) };
    };
    let mut filters = Filters::default();
    let mut alternatives = Vec::new();
    let several = groups.len() > 1;
    for (g, group) in groups.iter().enumerate() {
        let Some(conditions) = group.elements() else { return wrong(ledger) };
        let mut all = Vec::new();
        for (c, condition) in conditions.iter().enumerate() {
            let at = format!("{path}[{g}][{c}]");
            let Some(one) = one(condition, &at, ledger) else { continue };
            let list = lists.iter().find(|list| one.field.starts_with(&format!("{list}.")));
            match list {
                Some(list) if !one.strict && !several => {
                    let inside = one.toml(&one.field[list.len() + 1..]);
                    filters.lines.push((list.clone(), inside));
                    ledger.translated(
                        &at,
                        &condition.span,
                        "lines that fail are left out by the filter of their list",
                        "不满足条件的行由其列表的过滤条件剔除",
                    );
                }
                Some(list) => {
                    let note = Title::new(
                        format!(
                            "it asks about lines of `{list}`{}",
                            if one.strict { " and drops the whole document" } else { " beside other alternatives" }
                        ),
                        format!(
                            "它针对 `{list}` 的明细行{}",
                            if one.strict { "，并会丢弃整张单据" } else { "，且与其他条件并列" }
                        ),
                    );
                    let instead = Title::new(
                        "write an expression in `filter` that looks at all lines",
                        "请在 `filter` 中用表达式检查全部明细行",
                    );
                    ledger.decide(&at, &condition.span, note, instead);
                }
                None => {
                    all.push(one.toml(&one.field));
                    ledger.translated(
                        &at,
                        &condition.span,
                        "a condition of `filter`; records that fail are counted as filtered",
                        "转为 `filter` 条件；不满足的记录计为已过滤",
                    );
                }
            }
        }
        match all.as_slice() {
            [] => {}
            [only] => alternatives.push(only.clone()),
            several => alternatives.push(format!("{{ all = [{}] }}", several.join(", "))),
        }
    }
    filters.record = match alternatives.as_slice() {
        [] => None,
        [only] => {
            Some(format!("[{}]", only.strip_prefix("{ all = [").and_then(|s| s.strip_suffix("] }")).unwrap_or(only)))
        }
        several => Some(format!("[{{ any = [{}] }}]", several.join(", "))),
    };
    filters
}

/// One condition.
struct One {
    field: String,
    /// Its keys beside `field`, with their values as TOML.
    keys: Vec<(&'static str, String)>,
    strict: bool,
    /// The text that must not be a part of the value: there is no key for it.
    without: Option<String>,
}

impl One {
    fn toml(&self, field: &str) -> String {
        if let Some(without) = &self.without {
            let expr = format!("{} | {} | contains({}) | not", jq::path(field), jq::AS_TEXT, jq::text(without));
            return toml::inline(&[("expr".to_owned(), toml::text(&expr))]);
        }
        let first = ("field".to_owned(), toml::text(field));
        let rest = self.keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        toml::inline(&[first].into_iter().chain(rest).collect::<Vec<_>>())
    }
}

fn one(node: &Node, path: &str, ledger: &mut Ledger) -> Option<One> {
    let (field, logic) = (node.text("field"), node.text("logic"));
    let (Some(field), Some(logic)) = (field, logic) else {
        let note = Title::new("a condition needs `field` and `logic`", "条件需要 `field` 和 `logic`");
        ledger.decide(path, &node.span, note, Title::new("add what is missing, or remove it", "请补全，或删除"));
        return None;
    };
    for member in node.members().unwrap_or_default() {
        if !["field", "logic", "value", "strictMode"].contains(&member.name.as_str()) {
            super::item::unknown(&format!("{path}.{}", member.name), &member.name_span, ledger);
        }
    }
    let strict = node.get("strictMode").and_then(Node::is_true).unwrap_or(false);
    let value = node.get("value").and_then(Node::plain).unwrap_or_default();
    if value.starts_with("timestamp:") || value.starts_with("timestamp") && value.len() > 9 {
        let note = Title::new("it compares a time", "它比较的是时间");
        let instead = Title::new(
            "bound the times in `[source]` (`since`, `until`), or write an expression in `filter`",
            "请在 `[source]` 中限定时间（`since`、`until`），或在 `filter` 中写表达式",
        );
        ledger.decide(path, &node.span, note, instead);
        return None;
    }
    let keys = match logic.as_str() {
        "eq" => vec![("one_of", both(&value))],
        "neq" => vec![("not_one_of", both(&value))],
        "gt" => vec![("more_than", number(&value))],
        "egt" => vec![("at_least", number(&value))],
        "lt" => vec![("less_than", number(&value))],
        "elt" => vec![("at_most", number(&value))],
        "like" => vec![("contains", toml::text(&value))],
        "notlike" => return Some(One { without: Some(value), keys: Vec::new(), field, strict }),
        "between" => {
            let (least, most) = value.split_once(',').unwrap_or((&value, ""));
            vec![("at_least", number(least)), ("at_most", number(most))]
        }
        "isnull" => vec![("missing", "true".to_owned())],
        "notnull" => vec![("missing", "false".to_owned())],
        other => {
            let note = Title::new(
                format!("nobody outside the platform has documented the comparison `{other}`"),
                format!("平台之外没有关于比较方式 `{other}` 的公开说明"),
            );
            let instead = Title::new(
                "write the condition with `is`, `one_of`, `at_least` … in `filter`",
                "请在 `filter` 中用 `is`、`one_of`、`at_least` 等写出条件",
            );
            ledger.decide(path, &node.span, note, instead);
            return None;
        }
    };
    if keys.iter().any(|(_, value)| value.is_empty()) {
        let note = Title::new("its value is no number", "其值不是数字");
        ledger.decide(path, &node.span, note, Title::new("give a number", "请给出数字"));
        return None;
    }
    Some(One { field, keys, strict, without: None })
}

/// A value as text, and as a number too where it is one: the platform does not tell them apart.
fn both(value: &str) -> String {
    let is_whole = value.len() <= 18 && !leading_zero(value) && value.parse::<i64>().is_ok();
    if is_whole || matches!(value, "true" | "false") {
        return format!("[{}, {value}]", toml::text(value));
    }
    toml::texts(&[value])
}

fn leading_zero(value: &str) -> bool {
    let digits = value.trim_start_matches('-');
    digits.len() > 1 && digits.starts_with('0')
}

/// A number in quotes, as conditions take it; empty if it is none.
fn number(value: &str) -> String {
    let value = value.trim();
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.matches('.').count() <= 1
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit());
    if is { toml::text(value) } else { String::new() }
}

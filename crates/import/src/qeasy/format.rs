//! Parsers of items and formats of `formatResponse`: what they make of a value, as rules.

use milkrun_core::stream::Title;

use super::jq;
use super::rule::Rule;
use crate::json::Node;
use crate::report::Ledger;
use crate::toml;

/// A field that `formatResponse` adds: a formatted copy of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The new name.
    pub(crate) new: String,
    /// The field that is copied.
    pub(crate) old: String,
    /// The keys that the rule of the copy has beside `from`.
    pub(crate) keys: Vec<(&'static str, String)>,
    /// What becomes of the value in an expression.
    pub(crate) expr: String,
}

/// Reads `formatResponse`: a list of `{old, new, format}`.
pub(crate) fn copies(node: &Node, ledger: &mut Ledger) -> Vec<Copy> {
    let mut all = Vec::new();
    for (i, entry) in node.elements().unwrap_or_default().iter().enumerate() {
        let path = format!("formatResponse[{i}]");
        let (Some(old), Some(format)) = (entry.text("old"), entry.text("format")) else {
            let note = Title::new("a format needs `old` and `format`", "格式需要 `old` 和 `format`");
            ledger.decide(&path, &entry.span, note, Title::new("add what is missing", "请补全"));
            continue;
        };
        let new = entry.text("new").unwrap_or_else(|| old.clone());
        if let Some((keys, expr)) = format_of(&format) {
            let en = format!("`{new}` is `{old}` with the keys of its format wherever it is used");
            let zh = format!("凡使用 `{new}` 之处，即为带格式的 `{old}`");
            ledger.translated(&path, &entry.span, &en, &zh);
            all.push(Copy { new, old, keys, expr });
        } else {
            let note = Title::new(
                format!("the format `{format}` has no counterpart; `{new}` stays as `{old}` is"),
                format!("格式 `{format}` 没有对应写法；`{new}` 与 `{old}` 相同"),
            );
            let instead = Title::new("write an expression in the rules that use it", "请在使用它的规则中写表达式");
            ledger.decide(&path, &entry.span, note, instead);
            all.push(Copy { new, old, keys: Vec::new(), expr: ".".to_owned() });
        }
    }
    all
}

type Keys = Vec<(&'static str, String)>;

/// The keys of a rule, and the expression, that do what a format does.
fn format_of(format: &str) -> Option<(Keys, String)> {
    let (name, argument) = match format.split_once('(') {
        Some((name, rest)) => (name, rest.trim_end_matches(')')),
        None => (format, ""),
    };
    let time = |form: &str| {
        let keys = vec![("type", toml::text("datetime")), ("format", toml::text(form))];
        (keys, jq::time(form))
    };
    Some(match name.trim() {
        "date" => time("%Y-%m-%d"),
        "time" => time("%H:%M:%S"),
        "dateTime" => time("%Y-%m-%d %H:%M"),
        "shortDate" => time("%m-%d"),
        "shortTime" => time("%H:%M"),
        "shortDateTime" => time("%m-%d %H:%M"),
        "longText" => {
            let n: u32 = if argument.is_empty() { 15 } else { argument.trim().parse().ok()? };
            (vec![("max_length", n.to_string()), ("cut", "true".to_owned())], jq::cut(n))
        }
        "intval" => (rounded(0, "down"), jq::round(0, "down")),
        "round" => {
            let n: u32 = if argument.is_empty() { 0 } else { argument.trim().parse().ok()? };
            (rounded(n, "half-up"), jq::round(n, "half-up"))
        }
        "implode" => (vec![("expr", jq::join(argument))], jq::join(argument)),
        _ => return None,
    })
}

fn rounded(scale: u32, rule: &str) -> Keys {
    let round = format!("{{ scale = {scale}, rule = {} }}", toml::text(rule));
    let mut keys = vec![("type", toml::text("decimal")), ("round", round)];
    if scale > 0 {
        keys.push(("scale", scale.to_string()));
    }
    keys.push(("write_as", toml::text("text")));
    keys
}

/// What a parser makes of a rule.
///
/// `list` is the jq path of the value where it is a field of the record as it is.
pub(crate) fn parsed(rule: Rule, parser: &Node, list: Option<&str>, path: &str, ledger: &mut Ledger) -> Rule {
    let name = parser.text("name").unwrap_or_default();
    let params = parser.text("params").unwrap_or_default();
    let span = &parser.span;
    match (name.as_str(), list) {
        ("ArrayToString", Some(list)) => {
            ledger.translated(path, span, "an expression joins the list", "转为连接列表的表达式");
            Rule::expression(&format!("{list} | {}", jq::join(&params)))
        }
        ("StringToArray", Some(list)) => {
            ledger.translated(
                path,
                span,
                "an expression splits the text; blank gives an empty list",
                "转为拆分文本的表达式；空白得到空列表",
            );
            Rule::expression(&format!("{list} | {}", jq::split(&params)))
        }
        ("ConvertObjectParser", _) if !params.is_empty() => {
            ledger.translated(path, span, "an object with one field", "转为含一个字段的对象");
            Rule::Fields(vec![(params, rule)])
        }
        ("ConvertTwoStageObjectParser", _) => {
            let (first, second) = (parser.text("params1"), parser.text("params2"));
            let (Some(first), Some(second)) = (first, second) else {
                let note = Title::new("it needs `params1` and `params2`", "需要 `params1` 和 `params2`");
                ledger.decide(path, span, note, Title::new("add them", "请补全"));
                return rule;
            };
            ledger.translated(path, span, "an object within an object", "转为嵌套对象");
            Rule::Fields(vec![(first, Rule::Fields(vec![(second, rule)]))])
        }
        _ => {
            let note = Title::new(
                format!("the parser `{name}` would have changed the value; it stays as it is"),
                format!("解析器 `{name}` 会改变该值；现保持原样"),
            );
            let instead = Title::new(
                "write the wanted form with `fields`, `each` or `expr`",
                "请用 `fields`、`each` 或 `expr` 写出所需形式",
            );
            ledger.decide(path, span, note, instead);
            rule
        }
    }
}

//! The side that is written: `request` becomes the fields of a mapping.

use milkrun_core::stream::Title;

use super::format::{self, Copy};
use super::item::Item;
use super::jq;
use super::rule::Rule;
use super::template::{self, Form, Part, Slot};
use super::{find, function};
use crate::json::Node;
use crate::report::Ledger;
use crate::toml;

/// What templates can name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// The list that lines are made of, if there are lines.
    pub(crate) each: Option<String>,
    /// Lists that were flattened: `details_list_goods` is `goods` of a line of `details_list`.
    pub(crate) exploded: Option<String>,
    /// Fields that `formatResponse` adds.
    pub(crate) copies: Vec<Copy>,
}

/// A field as rules and expressions call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The path in a rule.
    pub(crate) path: String,
    /// The path in an expression, with its format.
    pub(crate) jq: String,
    /// The path in an expression, without its format.
    bare: String,
    /// The keys that a rule has beside it.
    keys: Vec<(&'static str, String)>,
}

impl Scope {
    /// The scope of the lines of a list.
    fn inside(&self, list: &str) -> Self {
        Self { each: Some(list.to_owned()), ..self.clone() }
    }

    /// The field that a template names.
    pub(crate) fn field(&self, name: &str) -> Field {
        if let Some(copy) = self.copies.iter().find(|copy| copy.new == name) {
            let original = Self { copies: Vec::new(), ..self.clone() }.field(&copy.old);
            let bare = original.bare;
            let jq = if copy.expr == "." { bare.clone() } else { format!("({bare} | {})", copy.expr) };
            return Field { path: original.path, jq, bare, keys: copy.keys.clone() };
        }
        let plain = |path: String, jq: String| Field { path, bare: jq.clone(), jq, keys: Vec::new() };
        if let Some(list) = &self.each {
            return match name.strip_prefix(list.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                Some(rest) => plain(steps(rest), jq::path(rest)),
                None => plain(format!("$.{}", steps(name)), jq::record_path(name)),
            };
        }
        let flat = self.exploded.as_ref().and_then(|list| {
            let rest = name.strip_prefix(list.as_str())?;
            Some((list, rest.strip_prefix('_').or_else(|| rest.strip_prefix('.'))?))
        });
        match flat {
            Some((list, rest)) => plain(steps(&format!("{list}.{rest}")), jq::element_path(rest)),
            None => plain(steps(name), jq::path(name)),
        }
    }
}

/// A path with those of its names in quotes that need them.
fn steps(path: &str) -> String {
    let step = |name: &str| {
        let plain =
            !name.is_empty() && !name.starts_with(['$', '@']) && !name.contains(['[', ']', '"', ' ', '\\', '*']);
        if plain { name.to_owned() } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
    };
    path.split('.').map(step).collect::<Vec<_>>().join(".")
}

/// The rules of items; `lines` are filters on the lines of lists, as TOML conditions.
pub(crate) fn rules(
    items: &[Item],
    scope: &Scope,
    lines: &[(String, String)],
    ledger: &mut Ledger,
) -> Vec<(String, Rule)> {
    items.iter().filter_map(|item| Some((item.field.clone(), rule(item, scope, lines, ledger)?))).collect()
}

fn rule(item: &Item, scope: &Scope, lines: &[(String, String)], ledger: &mut Ledger) -> Option<Rule> {
    let at = format!("{}.value", item.path);
    let rule = match (&item.value, item.children.as_slice()) {
        (None, []) => {
            ledger.translated(
                &item.path,
                &item.span,
                "it has no value, so the field is left out",
                "没有值，省略该字段",
            );
            return None;
        }
        (Some((list, span)), children @ [_, ..]) if item.kind == "array" => {
            let bare = list.trim().trim_start_matches("{{").trim_end_matches("}}").trim().to_owned();
            ledger.carried(&at, span);
            let filters: Vec<_> =
                lines.iter().filter(|(of, _)| *of == bare).map(|(_, filter)| filter.as_str()).collect();
            let filter = (!filters.is_empty()).then(|| format!("[{}]", filters.join(", ")));
            let list = scope.field(&bare).path;
            Rule::Each { list, filter, fields: rules(children, &scope.inside(&bare), &[], ledger) }
        }
        (None, children) if item.kind == "array" => {
            // A list of one line, made of the record's own fields.
            ledger.translated(&item.path, &item.span, "a list with one line", "只有一行的列表");
            let fields = rules(children, scope, lines, ledger);
            let Some(object) = jq::object(&fields) else {
                let note = Title::new(
                    "its lines are made of no list and hold lists themselves",
                    "其明细行没有来源列表，且自身又包含列表",
                );
                let instead = Title::new("name the list of the source in `each`", "请在 `each` 中写明来源列表");
                ledger.decide(&at, &item.span, note, instead);
                return None;
            };
            Rule::expression(&format!("[{object}]"))
        }
        (_, children @ [_, ..]) => Rule::Fields(rules(children, scope, lines, ledger)),
        (Some((text, span)), []) => {
            let node = Node { span: span.clone(), value: crate::json::Value::Text(text.clone()) };
            value(text, &at, &node, scope, ledger)?
        }
    };
    let rule = match &item.mapping {
        Some(map) => mapped(rule, map, &format!("{}.mapping", item.path), ledger),
        None => rule,
    };
    let list = item.value.as_ref().map(|(text, _)| text.trim().trim_start_matches("{{").trim_end_matches("}}").trim());
    let rule = match (&item.parser, list) {
        (Some(parser), list) => {
            let list = list.map(|name| scope.field(name).jq);
            format::parsed(rule, parser, list.as_deref(), &format!("{}.parser", item.path), ledger)
        }
        (None, _) => rule,
    };
    Some(match item.required {
        // Empty text is not enough for a required field.
        Some(_) if rule.has("from") => rule.without("default").with("required", "true".to_owned()),
        _ => rule,
    })
}

/// A static value map, whose JSON form no public sample shows: an object of plain values is taken as one.
fn mapped(rule: Rule, map: &Node, path: &str, ledger: &mut Ledger) -> Rule {
    // The last of two members of one name holds, as everywhere in JSON.
    let pairs: Option<Vec<_>> = map.members().map(|members| {
        let last =
            members.iter().enumerate().filter(|(i, member)| members[i + 1..].iter().all(|m| m.name != member.name));
        last.filter_map(|(_, member)| Some((member.name.clone(), toml::text(&member.node.plain()?)))).collect()
    });
    let note = Title::new(
        "no public material shows the form of a static map, nor what becomes of values that are not in it",
        "没有公开资料说明静态映射的格式，以及表外的值如何处理",
    );
    let instead = Title::new(
        "look at `values` of the rule: which side is the source's, and `otherwise` for all other values",
        "请检查规则中的 `values`：哪一侧为来源值，以及用 `otherwise` 指定其他值",
    );
    ledger.decide(path, &map.span, note, instead);
    match pairs {
        Some(pairs) if !pairs.is_empty() => rule.with("values", toml::inline(&pairs)),
        _ => rule,
    }
}

/// The rule of one value; `None` if nothing can be written for it.
fn value(text: &str, path: &str, node: &Node, scope: &Scope, ledger: &mut Ledger) -> Option<Rule> {
    let span = &node.span;
    let rewrite =
        || Title::new("write the rule by hand: `from`, `const` or `expr`", "请手工编写规则：`from`、`const` 或 `expr`");
    if let Some(expr) = text.strip_prefix("_function ") {
        let translated = function::parse(expr).and_then(|tree| jq::expression(&tree, scope));
        return match translated {
            Ok(jq) => {
                let en = "an expression; where the platform would leave the text unchanged after an error, the record is refused";
                ledger.translated(path, span, en, "转为表达式；平台出错时原样返回文本，这里则拒绝该记录");
                Some(Rule::expression(&jq))
            }
            Err(why) => {
                let note =
                    Title::new(format!("the expression was not understood: {why}"), format!("无法理解该表达式：{why}"));
                ledger.decide(path, span, note, rewrite());
                None
            }
        };
    }
    if let Some(rest) = text.strip_prefix("_findCollection ") {
        return match find::parse(rest).and_then(|find| jq::lookup(&find, scope)) {
            Ok(jq) => {
                let en = "a look-up in a table; declare it under `[tables]` (the report names the scheme)";
                ledger.translated(path, span, en, "转为查表；请在 `[tables]` 中声明该表");
                Some(Rule::expression(&jq))
            }
            Err(why) => {
                let note =
                    Title::new(format!("the look-up was not understood: {why}"), format!("无法理解该查找：{why}"));
                ledger.decide(path, span, note, rewrite());
                None
            }
        };
    }
    let parts = match template::parse(text) {
        Ok(parts) => parts,
        Err(mistake) => {
            let (en, zh) = match &mistake {
                template::Mistake::Braces => ("its braces do not match".to_owned(), "花括号不匹配".to_owned()),
                template::Mistake::Pipe(pipe) => {
                    (format!("the form `{pipe}` is not known"), format!("不认识格式 `{pipe}`"))
                }
            };
            ledger.decide(path, span, Title::new(en, zh), rewrite());
            return None;
        }
    };
    for part in &parts {
        let Part::Slot(slot) = part else { continue };
        let (en, zh, en_instead, zh_instead) = match slot {
            Slot::Field(..) => continue,
            Slot::Time(..) => (
                "a mapping has no clock: the same record has to give the same document for ever",
                "映射没有时钟：同一记录必须始终得到同一单据",
                "take a time of the record",
                "请使用记录中的时间",
            ),
            Slot::Paging(_) => ("paging has no meaning in a document", "分页在单据中没有意义", "remove it", "请删除"),
            Slot::Writeback(_) => (
                "the answer of the last write is not part of a record",
                "上次写入的结果不属于记录",
                "look the id up in the flow that wrote it, with a table of `[tables]`",
                "请用 `[tables]` 在写入它的流程中查找该 id",
            ),
        };
        ledger.decide(path, span, Title::new(en, zh), Title::new(en_instead, zh_instead));
        return None;
    }
    match (template::only_slot(&parts), parts.as_slice()) {
        (Some(Slot::Field(name, form)), _) => {
            ledger.carried(path, span);
            let field = scope.field(name);
            Some(formed(Rule::from(&field.path), &field, *form))
        }
        (None, [] | [Part::Text(_)]) => {
            ledger.carried(path, span);
            Some(Rule::constant(text))
        }
        _ => {
            ledger.translated(path, span, "an expression puts the text together", "转为拼接文本的表达式");
            Some(Rule::expression(&jq::concat(&parts, scope)))
        }
    }
}

/// The rule of a field with the keys of its format and of its pipe.
fn formed(rule: Rule, field: &Field, form: Option<Form>) -> Rule {
    let mut rule = rule;
    for (key, value) in &field.keys {
        if *key == "expr" {
            return Rule::expression(&format!("{} | {value}", field.bare));
        }
        rule = rule.with(key, value.clone());
    }
    let times =
        [(Form::Date, "date", None), (Form::DateTime, "datetime", None), (Form::Time, "datetime", Some("%H:%M:%S"))];
    if let Some((_, kind, format)) = times.into_iter().find(|(known, ..)| form == Some(*known)) {
        rule = rule.with("type", toml::text(kind));
        if let Some(format) = format {
            rule = rule.with("format", toml::text(format));
        }
    }
    rule
}

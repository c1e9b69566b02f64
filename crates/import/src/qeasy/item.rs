//! The items of `request`, `otherRequest`, `response` and their like: read with their places, every key accounted for.

use std::ops::Range;

use milkrun_core::stream::Title;

use crate::json::{Node, Value};
use crate::report::Ledger;

/// One item.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its path in the text, such as `request[2]`.
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    /// The key of the output.
    pub(crate) field: String,
    /// `string`, `array`, …, in lower case.
    pub(crate) kind: String,
    /// The value with its place, unless it is missing or null.
    pub(crate) value: Option<(String, Range<usize>)>,
    pub(crate) children: Vec<Item>,
    pub(crate) required: Option<Range<usize>>,
    pub(crate) parser: Option<Node>,
    pub(crate) mapping: Option<Node>,
}

/// Keys that only describe an item.
const DESCRIBING: [&str; 6] = ["label", "describe", "id", "parent", "parent_id", "is_filter"];

/// How deep items may be nested.
const DEEPEST: usize = 16;

/// Reads a list of items; `path` is that of the list.
pub(crate) fn read_all(list: &Node, path: &str, ledger: &mut Ledger) -> Vec<Item> {
    read_list(list, path, 0, ledger)
}

fn read_list(list: &Node, path: &str, depth: usize, ledger: &mut Ledger) -> Vec<Item> {
    let Some(elements) = list.elements() else {
        if list.value != Value::Null {
            let note =
                Title::new("it is no list of items, so nothing could be read from it", "它不是条目列表，无法读取");
            let instead = Title::new(
                "write a list of objects with `field` and `value`",
                "请写成含 `field` 和 `value` 的对象列表",
            );
            ledger.decide(path, &list.span, note, instead);
        }
        return Vec::new();
    };
    let mut items: Vec<Item> = Vec::new();
    for (i, element) in elements.iter().enumerate() {
        let Some(item) = read(element, &format!("{path}[{i}]"), depth, ledger) else { continue };
        if let Some(at) = items.iter().position(|earlier| earlier.field == item.field) {
            let earlier = items.remove(at);
            let note = Title::new(
                "the field is given again further down, and the last one is taken",
                "该字段在下文再次出现，以最后一个为准",
            );
            let instead = Title::new("remove the one that is wrong", "请删除错误的那个");
            ledger.decide(&earlier.path, &earlier.span, note, instead);
        }
        items.push(item);
    }
    items
}

fn read(node: &Node, path: &str, depth: usize, ledger: &mut Ledger) -> Option<Item> {
    let lost = |ledger: &mut Ledger, en: &str, zh: &str| {
        let instead = Title::new("give it a `field`, or remove it", "请给出 `field`，或删除该条目");
        ledger.decide(path, &node.span, Title::new(en, zh), instead);
        None
    };
    let Some(members) = node.members() else {
        return lost(ledger, "an item has to be an object", "条目应为对象");
    };
    if depth >= DEEPEST {
        return lost(ledger, "items are nested too deep", "条目嵌套过深");
    }
    let Some(field) = node.text("field") else {
        return lost(ledger, "an item without `field` names no field", "没有 `field` 的条目未指明字段");
    };
    let mut item = Item {
        path: path.to_owned(),
        span: node.span.clone(),
        field,
        kind: node.text("type").unwrap_or_default().to_lowercase(),
        value: None,
        children: Vec::new(),
        required: None,
        parser: None,
        mapping: None,
    };
    for member in members {
        let at = format!("{path}.{}", member.name);
        let span = &member.name_span;
        match member.name.as_str() {
            "field" | "type" => ledger.carried(&at, span),
            "value" => match (&member.node.value, member.node.plain()) {
                (Value::Null, _) => ledger.carried(&at, span),
                (_, Some(text)) => item.value = Some((text, span.clone())),
                (_, None) => {
                    let note = Title::new(
                        "the value is a list or an object, which no template can be",
                        "值为列表或对象，无法作为模板",
                    );
                    let instead = Title::new("describe it with `children`", "请用 `children` 描述");
                    ledger.decide(&at, span, note, instead);
                }
            },
            "children" => {
                ledger.carried(&at, span);
                item.children = read_list(&member.node, &at, depth + 1, ledger);
            }
            "is_required" => {
                ledger.carried(&at, span);
                item.required = member.node.is_true().filter(|is| *is).map(|_| span.clone());
            }
            "parser" if member.node.value == Value::Null => ledger.carried(&at, span),
            "parser" => item.parser = Some(Node { span: span.clone(), ..member.node.clone() }),
            "mapping" if is_nothing(&member.node) => ledger.carried(&at, span),
            "mapping" => item.mapping = Some(Node { span: span.clone(), ..member.node.clone() }),
            name if DESCRIBING.contains(&name) => ledger.carried(&at, span),
            _ => unknown(&at, span, ledger),
        }
    }
    Some(item)
}

fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Boolean(_) | Value::Number(_) => false,
    }
}

/// A key that no public material shows.
pub(crate) fn unknown(path: &str, span: &Range<usize>, ledger: &mut Ledger) {
    let note = Title::new(
        "the importer does not know this key, so what it did is not in the flow",
        "导入工具不认识此键，其作用未体现在流程中",
    );
    let instead = Title::new(
        "if it only describes, leave it; otherwise write in the flow what it does",
        "若仅为说明可忽略；否则请在流程中写明其作用",
    );
    ledger.decide(path, span, note, instead);
}

//! The side that is read: `request` and its like become a declared stream.

use milkrun_core::stream::Title;

use super::item::Item;
use super::template::{self, Paging, Part, Slot};
use super::when::{self, Bound, Written};
use crate::json::Node;
use crate::report::Ledger;

/// What is asked for, whatever the connector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The path or the vendor's method.
    pub(crate) api: String,
    /// `get` or `post`.
    pub(crate) verb: String,
    /// The field that the whole request stands under.
    pub(crate) wrapper: Option<String>,
    /// Fixed parameters by their paths, as text, in the order of the file.
    pub(crate) fixed: Vec<(String, String)>,
    /// The parameter that says which page is wanted, and the first one.
    pub(crate) page: Option<(String, u64)>,
    /// The parameter that says how many records to skip.
    pub(crate) skip: Option<String>,
    /// The parameter that says how many records a page may have.
    pub(crate) size: Option<String>,
    /// How many records a page may have.
    pub(crate) page_size: Option<u32>,
    /// The parameters of the span.
    pub(crate) start: Option<(String, Bound)>,
    pub(crate) end: Option<(String, Bound)>,
    /// A second pass over older times: every so many hours, so many hours back.
    pub(crate) late: Option<(u32, u32)>,
    /// Where the list of records stands.
    pub(crate) list: Option<String>,
    /// Where success stands, and its value.
    pub(crate) success: Option<(String, String)>,
}

/// Parameters that say which page is wanted, in lower case without separators.
const PAGE: [&str; 7] = ["pageindex", "pageno", "page", "pagenum", "pagenumber", "currentpage", "startpage"];
/// Parameters that say how many records a page may have.
const SIZE: [&str; 4] = ["pagesize", "limit", "size", "pagecount"];

/// A parameter's name as all spellings have it.
fn folded(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase().replace(['_', '-'], "")
}

/// Sorts the items of `request` into parameters.
pub(crate) fn read(items: &[Item], request: &mut Request, ledger: &mut Ledger) {
    for item in items {
        parameter(item, "", request, ledger);
    }
}

fn parameter(item: &Item, above: &str, request: &mut Request, ledger: &mut Ledger) {
    let name = if above.is_empty() { item.field.clone() } else { format!("{above}.{}", item.field) };
    let at = format!("{}.value", item.path);
    for (node, key) in [(&item.parser, "parser"), (&item.mapping, "mapping")] {
        if let Some(node) = node {
            let note = Title::new("it would change a parameter of the request", "它会改变请求参数");
            let instead = Title::new("write the parameter as it has to be sent", "请直接写成需要发送的形式");
            ledger.decide(&format!("{}.{key}", item.path), &node.span, note, instead);
        }
    }
    if !item.children.is_empty() {
        if let (Some((value, span)), true) = (&item.value, item.kind == "array") {
            let note =
                Title::new(format!("a list of parameters made from `{value}`"), format!("由 `{value}` 生成的参数列表"));
            let instead = Title::new("write the list into the declared stream", "请在声明的数据流中写出该列表");
            ledger.decide(&at, span, note, instead);
        }
        for child in &item.children {
            parameter(child, &name, request, ledger);
        }
        return;
    }
    let Some((value, span)) = &item.value else {
        // A parameter without a value is not sent: what an empty one means, nobody knows.
        ledger.translated(&item.path, &item.span, "it has no value, so it is not sent", "没有值，不发送");
        return;
    };
    if let Some(bound) = when::bound(value) {
        let slot = if bound.lower { &mut request.start } else { &mut request.end };
        if slot.is_none() {
            let (en, zh) = if bound.lower { ("lower", "起点") } else { ("upper", "终点") };
            let back = if bound.back > 0 { format!(", {} back", when::span(bound.back)) } else { String::new() };
            let en =
                format!("the {en} end of the window{back}; Milkrun remembers what is proved, not when it last ran");
            ledger.translated(
                &at,
                span,
                &en,
                &format!("时间窗口的{zh}；Milkrun 记住的是已证明完整的时刻，而非上次运行时间"),
            );
            *slot = Some((name, bound));
            return;
        }
    }
    let Ok(parts) = template::parse(value) else {
        let note = Title::new("its braces do not match", "花括号不匹配");
        ledger.decide(&at, span, note, Title::new("write the parameter by hand", "请手工编写该参数"));
        return;
    };
    match template::only_slot(&parts) {
        Some(Slot::Paging(Paging::Size)) => {
            ledger.carried(&at, span);
            request.size = Some(name);
            return;
        }
        Some(Slot::Paging(Paging::StartPage)) => {
            ledger.carried(&at, span);
            request.page = Some((name, 1));
            return;
        }
        Some(Slot::Paging(Paging::StartRow)) => {
            ledger.carried(&at, span);
            request.skip = Some(name);
            return;
        }
        _ => {}
    }
    let number = value.trim().parse::<u64>().ok();
    match (folded(&name), number) {
        (word, Some(first @ (0 | 1))) if PAGE.contains(&word.as_str()) && request.page.is_none() => {
            ledger.translated(&at, span, "the engine counts the pages", "由引擎翻页");
            request.page = Some((name, first));
        }
        (word, Some(n)) if SIZE.contains(&word.as_str()) && request.size.is_none() => {
            ledger.translated(&at, span, "the usual page size", "通常的每页条数");
            request.size = Some(name);
            request.page_size = u32::try_from(n).ok().filter(|n| *n > 0);
        }
        _ if parts.iter().all(|part| matches!(part, Part::Text(_))) && !value.starts_with('_') => {
            ledger.carried(&at, span);
            request.fixed.push((name, value.clone()));
        }
        _ => {
            let (en, zh) = if template::is_of_the_run(&parts) || value.contains("SYNC_TIME") {
                (
                    "a time of the run within a text, or a second bound of the same side",
                    "文本中的运行时间，或同侧的第二个边界",
                )
            } else {
                ("it is reckoned anew for each call", "每次调用时重新计算")
            };
            let instead = Title::new(
                "filter in `[mapping]`, or declare a parameter that the vendor offers for it",
                "请在 `[mapping]` 中过滤，或声明厂商为此提供的参数",
            );
            ledger.decide(&at, span, Title::new(en, zh), instead);
        }
    }
}

/// Takes what the engine needs from `otherRequest`.
pub(crate) fn other_request(items: &[Item], request: &mut Request, ledger: &mut Ledger) {
    for item in items {
        let at = format!("{}.value", item.path);
        let Some((value, span)) = &item.value else { continue };
        match item.field.as_str() {
            "dataKey" => {
                ledger.carried(&at, span);
                request.wrapper = Some(value.clone()).filter(|value| !value.is_empty());
            }
            "limit" => {
                ledger.translated(&at, span, "the usual page size", "通常的每页条数");
                request.page_size = value.trim().parse().ok().filter(|n| *n > 0).or(request.page_size);
            }
            other => {
                let note = Title::new(
                    format!("`{other}` spoke to the platform's adapter"),
                    format!("`{other}` 由平台的适配器处理"),
                );
                let instead = Title::new(
                    "look what the vendor's interface needs, and add it to the declared stream",
                    "请查看厂商接口所需，并加入声明的数据流",
                );
                ledger.decide(&at, span, note, instead);
            }
        }
    }
}

/// Takes what the engine needs from `otherResponse`.
pub(crate) fn other_response(items: &[Item], request: &mut Request, ledger: &mut Ledger) {
    let mut key = None;
    let mut good = None;
    for item in items {
        let at = format!("{}.value", item.path);
        let Some((value, span)) = &item.value else { continue };
        match item.field.as_str() {
            "dataKey" => request.list = Some(value.clone()),
            "statusKey" => key = Some(value.clone()),
            "statusValue" => good = Some(value.clone()),
            "islist" | "isList" => {}
            "pageKey" => {
                let en = "the engine knows the last page by the page itself";
                ledger.translated(&at, span, en, "引擎根据页面本身判断最后一页");
                continue;
            }
            other => {
                let note = Title::new(
                    format!("`{other}` spoke to the platform's adapter"),
                    format!("`{other}` 由平台的适配器处理"),
                );
                ledger.decide(&at, span, note, Title::new("see whether it is still needed", "请确认是否仍需要"));
                continue;
            }
        }
        ledger.carried(&at, span);
    }
    if let (Some(key), Some(good)) = (key, good) {
        request.success = Some((key, good));
    }
}

/// `omissionRemedy`: a second timetable that reads an older span again.
pub(crate) fn remedy(node: &Node, items: &[Item], request: &mut Request, ledger: &mut Ledger) {
    let path = "omissionRemedy";
    let crontab = node.text("crontab");
    let reach = items.iter().filter_map(|item| when::bound(&item.value.as_ref()?.0)).find(|bound| bound.lower);
    for item in items {
        if let Some((_, span)) = &item.value {
            ledger.carried(&format!("{}.value", item.path), span);
        }
    }
    match (crontab, reach) {
        (Some(crontab), Some(bound)) if bound.back > 0 && request.start.is_some() => {
            let hours = u32::try_from((bound.back + 3_599) / 3_600).unwrap_or(u32::MAX);
            let every = when::hours_between(&crontab);
            request.late = Some((every, hours));
            let en = format!(
                "a slower pass every {every} h over the last {hours} h, which only asks again and doubles nothing"
            );
            let zh = format!("每 {every} 小时对最近 {hours} 小时补查一次；只会再次读取，不会重复写入");
            ledger.translated(path, &node.span, &en, &zh);
        }
        _ => {
            let note = Title::new(
                "a second pass over an older span, of which the timetable or the lower end is missing",
                "对更早时间段的补漏，但缺少计划或起始时间",
            );
            let instead = Title::new(
                "declare `late = [{ axis, every_hours, reach_hours }]` in the window of the stream",
                "请在数据流的窗口中声明 `late = [{ axis, every_hours, reach_hours }]`",
            );
            ledger.decide(path, &node.span, note, instead);
        }
    }
}

impl Written {
    /// The form's name where connectors tell four of them apart.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DateTime => "date-time",
            Self::Date => "date",
            Self::EpochSecs => "epoch-secs",
            Self::EpochMs => "epoch-ms",
        }
    }
}

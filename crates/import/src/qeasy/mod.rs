//! 轻易云 (qeasy) metadata: one JSON text for the side that is read, one for the side that is written.
//!
//! | file | answers |
//! | --- | --- |
//! | `item` | what is one entry of `request` and its like? |
//! | `template`, `function`, `find` | what do `{{…}}`, `_function` and `_findCollection` say? |
//! | `when` | which parameter is a bound of the span, and when does it run? |
//! | `source`, `target` | what do the two sides become? |
//! | `condition`, `format` | what do filters, formats and parsers become? |
//! | `jq`, `rule`, `flow` | how is it written? |

mod condition;
mod find;
mod flow;
mod format;
mod function;
mod item;
mod jq;
mod rule;
mod source;
mod target;
mod template;
mod when;

use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::stream::Title;

use self::flow::{Mapping, Platform, Sink, Source};
use self::item::Item;
use self::source::Request;
use self::target::Scope;
use crate::json::{self, Member, Node, Value};
use crate::report::{Ledger, Report, Side};
use crate::toml;

/// What the flow file needs beyond the metadata.
#[derive(Clone, Debug)]
pub struct Options {
    /// The flow's name, for a target that has none.
    pub name: String,
    /// From when on the flow reads: a date.
    pub since: String,
    /// The account that is read, in place of a made-up name.
    pub source_account: Option<String>,
    /// The account that is written to.
    pub sink_account: Option<String>,
    /// Whether a text is a timetable that a flow may have, in Beijing time. Timetables are read by another part.
    pub is_timetable: fn(&str) -> bool,
}

/// A flow made of metadata.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The text of the flow file.
    pub flow: String,
    /// The connectors of the accounts that the flow names: the account and its connector.
    pub accounts: Vec<(String, &'static str)>,
    /// What became of every key.
    pub report: Report,
}

/// Turns the metadata of a scheme into a flow. Without a target the records go into a file as they are.
///
/// # Errors
/// Where a text is no JSON object.
pub fn import(source: &str, target: Option<&str>, options: &Options) -> Result<Imported, (Side, Diagnostic)> {
    let object = |side, text| {
        let node = json::parse(text).map_err(|mistake| (side, mistake))?;
        match node.value {
            Value::Object(_) => Ok(node),
            _ => Err((side, Diagnostic::new(node.span, "the metadata has to be one JSON object"))),
        }
    };
    let source_node = object(Side::Source, source)?;
    let target_node = target.map(|text| object(Side::Target, text)).transpose()?;
    let mut read = SourceSide::read(&source_node, options.is_timetable);
    let mut written = target_node.as_ref().map(|node| TargetSide::read(node, &mut read));
    read.filter_by(&[]);
    let platform = Platform::of(&read.request.api);
    let account = options.source_account.clone().unwrap_or_else(|| platform.account().to_owned());
    let mut accounts = vec![(account.clone(), platform.connector())];
    let from = Source {
        account,
        request: read.request.clone(),
        key: read.key.clone(),
        number: read.number.clone(),
        since: options.since.clone(),
    };
    let mut sink = written.as_ref().map(|written| written.sink.clone()).unwrap_or_default();
    let connector = if let Some(written) = &written {
        Platform::of(&written.api).connector()
    } else {
        "files".clone_into(&mut sink.account);
        sink.target.clone_from(&options.name);
        "file"
    };
    sink.skip_changes = read.skip_changes;
    if let Some(name) = &options.sink_account {
        sink.account.clone_from(name);
    }
    accounts.push((sink.account.clone(), connector));
    let fields = written.as_mut().map(|written| std::mem::take(&mut written.fields)).unwrap_or_default();
    let mapping = Mapping { filter: read.filter.take(), explode: read.explode.take(), fields };
    let mut report = Report::default();
    report.findings.extend(read.ledger.into_findings());
    report.findings.extend(written.map(|written| written.ledger.into_findings()).unwrap_or_default());
    report.sort();
    let n = report.decisions().count();
    let head = format!("Imported from qeasy metadata; keys that need a decision: {n}. `milkrun check` proves it.");
    let flow = flow::write(&head, read.schedule.as_deref(), &from, &sink, &mapping);
    Ok(Imported { flow, accounts, report })
}

/// Keys that only describe, or that speak of the platform itself.
const DESCRIBING: [&str; 7] = ["name", "autoFillResponse", "response", "condition_bk", "describe", "label", "title"];

/// What the source side says.
struct SourceSide {
    request: Request,
    key: Vec<String>,
    number: Option<String>,
    schedule: Option<String>,
    is_timetable: fn(&str) -> bool,
    filter: Option<String>,
    lines: Vec<(String, String)>,
    explode: Option<String>,
    scope: Scope,
    skip_changes: bool,
    /// `condition`, which is understood once the lists of the target are known.
    condition: Option<Node>,
    ledger: Ledger,
}

impl SourceSide {
    fn read(node: &Node, is_timetable: fn(&str) -> bool) -> Self {
        let mut ledger = Ledger::new(Side::Source);
        let mut request = Request {
            api: node.text("api").unwrap_or_default(),
            verb: node.text("method").unwrap_or_else(|| "POST".to_owned()).to_lowercase(),
            ..Request::default()
        };
        let items = |name: &str, ledger: &mut Ledger| {
            node.get(name).map(|list| item::read_all(list, name, ledger)).unwrap_or_default()
        };
        let (own, other) = (items("request", &mut ledger), items("otherRequest", &mut ledger));
        source::read(&own, &mut request, &mut ledger);
        source::other_request(&other, &mut request, &mut ledger);
        let answer = items("otherResponse", &mut ledger);
        source::other_response(&answer, &mut request, &mut ledger);
        let copies = node.get("formatResponse").map(|list| format::copies(list, &mut ledger)).unwrap_or_default();
        let mut side = Self {
            request,
            key: Vec::new(),
            number: None,
            schedule: None,
            is_timetable,
            filter: None,
            lines: Vec::new(),
            explode: None,
            scope: Scope { copies, ..Scope::default() },
            // Missing means true.
            skip_changes: node.get("idCheck").and_then(Node::is_true).unwrap_or(true),
            condition: None,
            ledger,
        };
        for member in node.members().unwrap_or_default() {
            side.take(member);
        }
        if side.key.is_empty() {
            side.key.push("id".to_owned());
            let note = Title::new(
                "no `id` says which field tells one record from another; `id` was taken",
                "没有 `id` 说明唯一键，暂取 `id`",
            );
            let instead =
                Title::new("name the field in `key` of the declared stream", "请在声明的数据流中用 `key` 指明");
            side.ledger.decide("id", &(node.span.start..node.span.start + 1), note, instead);
        }
        if let Some((start, _)) = &side.request.start
            && side.request.end.is_none()
            && flow::end_of(start).is_none()
        {
            let note = Title::new(
                format!("the span that begins at `{start}` has no end, so that nothing could be proved complete"),
                format!("以 `{start}` 为起点的时间段没有终点，无法证明完整"),
            );
            let instead = Title::new(
                "declare a window with the vendor's parameter for the upper end",
                "请用厂商的终点参数声明窗口",
            );
            side.ledger.decide("request", &(node.span.start..node.span.start + 1), note, instead);
        }
        side
    }

    /// Takes one key of the text.
    fn take(&mut self, member: &Member) {
        let (name, span, node) = (member.name.as_str(), &member.name_span, &member.node);
        let ledger = &mut self.ledger;
        match name {
            "api" | "method" | "request" | "otherRequest" | "otherResponse" | "formatResponse" => {
                ledger.carried(name, span);
            }
            "effect" | "type" => direction(name, node, span, "EXECUTE", ledger),
            "id" => {
                ledger.translated(name, span, "the key of the stream", "数据流的主键");
                self.key = node.plain().filter(|id| !id.is_empty()).into_iter().collect();
            }
            "number" => {
                ledger.carried(name, span);
                self.number = node.plain().filter(|number| !number.is_empty() && !number.contains('{'));
            }
            "idCheck" => {
                let en = if self.skip_changes {
                    "records that were delivered and have changed are left alone"
                } else {
                    "records that have changed are sent again"
                };
                ledger.translated(
                    name,
                    span,
                    en,
                    if self.skip_changes {
                        "已投递后又变化的记录不再处理"
                    } else {
                        "变化的记录会再次发送"
                    },
                );
            }
            "pagination" => {
                self.request.page_size = node
                    .get("pageSize")
                    .and_then(Node::plain)
                    .and_then(|n| n.trim().parse().ok())
                    .filter(|n| *n > 0)
                    .or(self.request.page_size);
                ledger.translated(name, span, "the usual page size", "通常的每页条数");
                unknown_members(node, name, &["pageSize"], ledger);
            }
            "condition" => self.condition = Some(Node { span: span.clone(), ..node.clone() }),
            "beatFlat" => {
                let lists: Vec<String> = node.elements().unwrap_or_default().iter().filter_map(Node::plain).collect();
                self.explode_by(&lists, name, span);
            }
            "operation" => {
                let split = node.text("method").as_deref() == Some("splitArray");
                match node.text("arrayKey") {
                    Some(list) if split => self.explode_by(&[list], name, span),
                    _ => operation(node, span, &mut self.ledger),
                }
            }
            "omissionRemedy" => {
                let items = node
                    .get("takeOverRequest")
                    .map(|list| item::read_all(list, "omissionRemedy.takeOverRequest", ledger))
                    .unwrap_or_default();
                let at = Node { span: span.clone(), ..node.clone() };
                source::remedy(&at, &items, &mut self.request, ledger);
                unknown_members(node, name, &["crontab", "takeOverRequest", "adapter"], ledger);
            }
            "crontab" => self.schedule = crontab(name, node, span, self.is_timetable, ledger),
            "groupCalculate" => group_calculate(span, ledger),
            name if DESCRIBING.contains(&name) => ledger.carried(name, span),
            _ => item::unknown(name, span, ledger),
        }
    }

    /// Understands `condition`; `lists` are the source's lists that the target has lines of.
    fn filter_by(&mut self, lists: &[String]) {
        if let Some(condition) = self.condition.take() {
            let filters = condition::read(&condition, lists, &mut self.ledger);
            self.filter = filters.record;
            self.lines = filters.lines;
        }
    }

    fn explode_by(&mut self, lists: &[String], path: &str, span: &std::ops::Range<usize>) {
        match lists {
            [list] if self.explode.is_none() => {
                self.ledger.translated(
                    path,
                    span,
                    "one document for each line; keys get `#0`, `#1`, …",
                    "每行一张单据，主键追加 `#0`、`#1` 等",
                );
                self.scope.exploded = Some(list.clone());
                self.explode = Some(list.clone());
            }
            [] => self.ledger.carried(path, span),
            _ => {
                let note = Title::new("several lists were to be flattened", "需要展开多个列表");
                let instead = Title::new(
                    "explode by one list, and map the others with `each`",
                    "请按一个列表 `explode`，其余用 `each` 映射",
                );
                self.ledger.decide(path, span, note, instead);
            }
        }
    }
}

/// What the target side says.
struct TargetSide {
    api: String,
    fields: Vec<(String, rule::Rule)>,
    sink: Sink,
    ledger: Ledger,
}

impl TargetSide {
    fn read(node: &Node, from: &mut SourceSide) -> Self {
        let mut ledger = Ledger::new(Side::Target);
        let api = node.text("api").unwrap_or_default();
        let platform = Platform::of(&api);
        let items = |name: &str, ledger: &mut Ledger| {
            node.get(name).map(|list| item::read_all(list, name, ledger)).unwrap_or_default()
        };
        let (own, other) = (items("request", &mut ledger), items("otherRequest", &mut ledger));
        let lists = lists_of(&own);
        from.filter_by(&lists);
        for (list, _) in from.lines.iter().filter(|(list, _)| !lists.contains(list)) {
            let note = Title::new(
                format!("no list of the target is made of `{list}`"),
                format!("目标中没有由 `{list}` 生成的列表"),
            );
            ledger.decide(
                "request",
                &node.span,
                note,
                Title::new("filter in the rule that needs it", "请在需要的规则中过滤"),
            );
        }
        let fields = target::rules(&own, &from.scope, &from.lines, &mut ledger);
        let mut side = Self { api: api.clone(), fields, sink: Sink::default(), ledger };
        platform.account().clone_into(&mut side.sink.account);
        side.sink.target = flow::name_of(&api, "kept");
        side.declare(platform, node, &other);
        for member in node.members().unwrap_or_default() {
            side.take(member, platform);
        }
        side
    }

    fn take(&mut self, member: &Member, platform: Platform) {
        let (name, span, node) = (member.name.as_str(), &member.name_span, &member.node);
        let ledger = &mut self.ledger;
        match name {
            "api" if platform == Platform::Http => {
                let note = Title::new(
                    "nothing is known of how this interface keeps one document from arriving twice",
                    "不清楚该接口如何防止同一单据写入两次",
                );
                let instead = Title::new(
                    "set `idempotency` in `[sink.declare]`; without it, a document whose outcome is unknown becomes a dead letter",
                    "请在 `[sink.declare]` 中设置 `idempotency`；否则结果不明的单据会进入死信",
                );
                ledger.decide(name, span, note, instead);
            }
            "api" | "method" | "request" | "otherRequest" | "otherResponse" | "pagination" => {
                ledger.carried(name, span);
            }
            "effect" | "type" => direction(name, node, span, "QUERY", ledger),
            "idCheck" => {
                let en = "that of the source decides what becomes of records that have changed";
                ledger.translated(name, span, en, "变化的记录如何处理由来源侧的设置决定");
            }
            "operation" => {
                if node.text("method").as_deref() == Some("batchArraySave") {
                    let rows = node.get("rows").and_then(Node::plain).and_then(|rows| rows.trim().parse::<u32>().ok());
                    self.sink.batch = rows.filter(|rows| *rows > 0);
                    ledger.translated(
                        name,
                        span,
                        "documents are sent as a list; `batch` says how many",
                        "单据以列表发送，`batch` 为条数",
                    );
                    unknown_members(node, name, &["method", "rows", "rowsKey"], ledger);
                } else {
                    operation(node, span, ledger);
                }
            }
            "crontab" => {
                let en = "documents go out in the run that reads them, so the target needs no timetable of its own";
                ledger.translated(name, span, en, "单据在读取它的同一次运行中投递，目标无需单独的计划");
            }
            "groupCalculate" => group_calculate(span, ledger),
            "callBackStrategy" | "distributionOrg" | "autoCheck" | "isUploadFile" => {
                let note = Title::new(
                    format!("`{name}` spoke to the platform or its adapter"),
                    format!("`{name}` 由平台或其适配器处理"),
                );
                let instead = Title::new(
                    "where the result of a write is needed elsewhere, look it up there in this flow's ids",
                    "若其他流程需要写入结果，请在那里查找本流程的 id",
                );
                ledger.decide(name, span, note, instead);
            }
            name if DESCRIBING.contains(&name) || name == "id" || name == "number" => ledger.carried(name, span),
            _ => item::unknown(name, span, ledger),
        }
    }

    /// The target as the connector takes it.
    fn declare(&mut self, platform: Platform, node: &Node, other: &[Item]) {
        let mut known = vec!["dataKey"];
        let value = |name: &str| other.iter().find(|item| item.field == name).and_then(|item| item.value.clone());
        let wrapper = value("dataKey").map(|(text, _)| text).filter(|text| !text.is_empty());
        let declare = &mut self.sink.declare;
        let mut line = |key: &str, value: String| declare.push((key.to_owned(), value));
        match platform {
            Platform::ChanjetTplus => {
                line("endpoint", toml::text(self.api.trim_start_matches("/tplus/api/v2/")));
                if let Some(wrapper) = wrapper.filter(|wrapper| wrapper != "dto") {
                    line("wrapper", toml::text(&wrapper));
                }
            }
            Platform::Yonyou | Platform::Jushuitan => line("path", toml::text(&self.api)),
            Platform::Noop | Platform::Kuaimai => {}
            Platform::Http => {
                known.push("key");
                let path = if self.api.starts_with('/') { self.api.clone() } else { format!("/{}", self.api) };
                let verb = node.text("method").unwrap_or_else(|| "POST".to_owned()).to_lowercase();
                line("path", toml::text(&path));
                line("verb", toml::text(&verb));
                let operation = node.get("operation");
                let batch = operation.and_then(|o| o.text("method")).as_deref() == Some("batchArraySave");
                let rows = operation
                    .and_then(|o| o.get("rows"))
                    .and_then(Node::plain)
                    .and_then(|n| n.trim().parse::<u32>().ok());
                if batch {
                    line("batch", rows.filter(|n| *n > 0).unwrap_or(1).to_string());
                    line("as_list", "true".to_owned());
                }
                if let Some(key) = value("key").map(|(text, _)| text).or(wrapper) {
                    line("wrap", toml::text(&key));
                }
            }
        }
        for item in other {
            let Some((_, span)) = &item.value else { continue };
            let at = format!("{}.value", item.path);
            if known.contains(&item.field.as_str()) {
                self.ledger.carried(&at, span);
                continue;
            }
            let note = Title::new(
                format!("`{}` spoke to the platform's adapter of the target", item.field),
                format!("`{}` 由平台的目标适配器处理", item.field),
            );
            let instead = Title::new(
                "add what the interface needs to `[sink.declare]`, such as fixed values of the `body`",
                "请把接口所需加入 `[sink.declare]`，例如 `body` 的固定值",
            );
            self.ledger.decide(&at, span, note, instead);
        }
    }
}

/// The source lists that the target's lists are made of.
fn lists_of(items: &[Item]) -> Vec<String> {
    let mut all = Vec::new();
    for item in items {
        if let (Some((list, _)), true) = (&item.value, item.kind == "array" && !item.children.is_empty()) {
            all.push(list.trim().trim_start_matches("{{").trim_end_matches("}}").trim().to_owned());
        }
        all.extend(lists_of(&item.children));
    }
    all
}

/// `effect` and its older name `type`; one that points the other way is worth a look.
fn direction(name: &str, node: &Node, span: &std::ops::Range<usize>, wrong: &str, ledger: &mut Ledger) {
    if node.plain().is_some_and(|text| text.eq_ignore_ascii_case(wrong)) {
        let note = Title::new("it says that this text belongs to the other side", "它表明该文本属于另一侧");
        let instead = Title::new("give the two files in the order SOURCE TARGET", "请按 来源 目标 的顺序给出两个文件");
        ledger.decide(name, span, note, instead);
    } else {
        ledger.carried(name, span);
    }
}

fn operation(node: &Node, span: &std::ops::Range<usize>, ledger: &mut Ledger) {
    match node.text("method").as_deref() {
        None | Some("none") => ledger.carried("operation", span),
        Some(other) => {
            let note = Title::new(
                format!("the operation `{other}` would have merged or split records in a way nobody has documented"),
                format!("操作 `{other}` 会以未公开的方式合并或拆分记录"),
            );
            let instead = Title::new(
                "split with `explode`; merge at the source or with `each`",
                "拆分请用 `explode`；合并请在来源处进行，或用 `each`",
            );
            ledger.decide("operation", span, note, instead);
        }
    }
}

fn group_calculate(span: &std::ops::Range<usize>, ledger: &mut Ledger) {
    let note = Title::new(
        "it merged several records into one document before writing; Milkrun delivers each record once, so that none can be doubled",
        "它在写入前把多条记录合并为一张单据；Milkrun 逐条投递，以保证不重复",
    );
    let instead = Title::new(
        "read documents with their lines (`each`), or let the target sum up; totals over the lines of one record are expressions",
        "请读取含明细的单据（`each`），或由目标汇总；单条记录内的合计可用表达式",
    );
    ledger.decide("groupCalculate", span, note, instead);
}

fn crontab(
    name: &str,
    node: &Node,
    span: &std::ops::Range<usize>,
    is_timetable: fn(&str) -> bool,
    ledger: &mut Ledger,
) -> Option<String> {
    let schedule = node.plain().and_then(|text| when::schedule(&text)).filter(|text| is_timetable(text));
    if schedule.is_some() {
        ledger.translated(name, span, "the timetable of the flow, in Beijing time", "流程的计划，按北京时间");
    } else {
        let note = Title::new(
            "it is no crontab of five or six fields that can be followed",
            "它不是可以执行的五段或六段 crontab",
        );
        ledger.decide(name, span, note, Title::new("set `schedule` by hand", "请手工设置 `schedule`"));
    }
    schedule
}

/// Says of each member that nobody knows that nobody knows it.
fn unknown_members(node: &Node, path: &str, known: &[&str], ledger: &mut Ledger) {
    for member in node.members().unwrap_or_default() {
        if !known.contains(&member.name.as_str()) {
            item::unknown(&format!("{path}.{}", member.name), &member.name_span, ledger);
        }
    }
}

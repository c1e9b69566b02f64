//! `[source.declare]` and `[sink.declare]`: a stream or a target of an account that only one flow declares, in the form
//! of the account's own `streams` and `targets`.

use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::flow::FlowConfig;
use super::shape::Shape;
use super::span::{Findings, Span};
use super::{AccountConfig, Installation, SourceFile};
use crate::text::{self, fill};

/// One declaration, ready to be added to the account's settings.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// The flow.
    pub(crate) flow: String,
    /// `source` or `sink`.
    part: &'static str,
    pub(crate) file: Arc<SourceFile>,
    pub(crate) span: Span,
    /// `streams` or `targets`.
    pub(crate) list: &'static str,
    /// Its name: that of the flow's stream or target.
    pub(crate) name: String,
    pub(crate) table: toml::Table,
}

/// What the flows declare for an account, each with what is wrong with it. What several declare alike comes once.
///
/// A name stands for one thing in an account: it is part of the keys that documents are sent under, and both flows read
/// or write by it. So two that differ cannot have one.
pub(crate) fn declared(
    installation: &Installation,
    account: &AccountConfig,
    lang: text::Lang,
) -> Vec<(Declared, Findings)> {
    let mut all: Vec<(Declared, Findings)> = Vec::new();
    for (declared, mut findings) in installation.flows.iter().flat_map(|flow| of_flow(flow, account, lang)) {
        let first = all.iter().find(|(first, _)| (first.list, &first.name) == (declared.list, &declared.name));
        match first {
            // Flows over one interface bring the same words along.
            Some((first, own)) if first.table == declared.table && own.mistakes.is_empty() => continue,
            Some((first, _)) if first.table != declared.table => {
                let message = fill!(
                    lang,
                    text::DECLARED_DIFFERENTLY,
                    flow = first.flow,
                    name = declared.name,
                    account = account.name
                );
                let help = fill!(lang, text::DECLARED_DIFFERENTLY_HELP, part = declared.part, key = declared.key());
                findings.mistake_with(&declared.span, message, help);
            }
            _ => {}
        }
        all.push((declared, findings));
    }
    all
}

impl Declared {
    /// What a flow calls what it names.
    fn key(&self) -> &'static str {
        if self.part == "source" { "stream" } else { "target" }
    }
}

fn of_flow(flow: &FlowConfig, account: &AccountConfig, lang: text::Lang) -> Vec<(Declared, Findings)> {
    let (source, sink) = (&flow.source, &flow.sink);
    let parts = [
        ("source", "streams", &source.account, &source.stream, &source.declare),
        ("sink", "targets", &sink.account, &sink.target, &sink.declare),
    ];
    let mut all = Vec::new();
    for (part, list, of, name, declare) in parts {
        let Some(declare) = declare else { continue };
        if of.value != account.name {
            continue;
        }
        let mut findings = Findings::new(lang);
        let mut table = declare.value.clone();
        table.entry("name").or_insert_with(|| name.value.clone().into());
        check(flow, part, list, account, &declare.span, &mut findings);
        let (file, span) = (Arc::clone(&flow.file), declare.span.clone());
        all.push((
            Declared { flow: flow.name.clone(), part, file, span, list, name: name.value.clone(), table },
            findings,
        ));
    }
    all
}

/// Checks the declaration against the shape of the account's own list.
fn check(flow: &FlowConfig, part: &str, list: &str, account: &AccountConfig, span: &Span, findings: &mut Findings) {
    let mut schema = (account.connector.schema)().to_value();
    let Some(item) = schema.pointer(&format!("/properties/{list}/items")).cloned() else {
        let connector = account.connector.name;
        let message = fill!(findings.lang, text::NOTHING_TO_DECLARE, connector = connector, list = list);
        findings.mistake_with(span, message, fill!(findings.lang, text::NOTHING_TO_DECLARE_HELP, part = part));
        return;
    };
    // The flow has named it already.
    let place = item.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    let item = place.and_then(|place| schema.pointer_mut(place)).map_or(item.clone(), |shape| {
        if let Some(required) = shape.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| key != "name");
        }
        item
    });
    let (table, _) = DeTable::parse_recoverable(&flow.file.text);
    let Some((_, outer)) = table.get_ref().iter().find(|(key, _)| key.get_ref() == part) else { return };
    let DeValue::Table(outer) = outer.get_ref() else { return };
    let Some((_, value)) = outer.iter().find(|(key, _)| key.get_ref() == "declare") else { return };
    Shape::new(&schema, &account.name).check(value, &item, "declare", findings);
}

//! Loads the value tables of flows: from the flow file, from files, and from what other flows have delivered.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use milkrun_core::state::StateStore;
use milkrun_core::{Error, Key, Result};
use milkrun_mapping::{Table, Tables};
use serde_json::value::RawValue;

use super::store::State;
use crate::config::{Findings, FlowConfig, Installation, Reports, TableConfig, TableFrom, suggest};
use crate::text::{self, Lang, fill};

/// The tables of each flow, by its name.
pub(super) type FlowTables = BTreeMap<String, Arc<Tables>>;

/// Loads the tables of the flows that `wanted` names; what is wrong goes into `reports`. Without a state the tables of
/// other flows are empty.
///
/// # Errors
/// Those of the store.
pub(super) async fn load_tables(
    installation: &Installation,
    wanted: impl Fn(&str) -> bool,
    state: Option<&State>,
    lang: Lang,
    reports: &mut Reports,
) -> Result<FlowTables> {
    let mut all = FlowTables::new();
    for flow in installation.flows.iter().filter(|flow| wanted(&flow.name) && !flow.tables.is_empty()) {
        let mut findings = Findings::new(lang);
        let mut tables = Tables::new();
        for config in &flow.tables {
            if let Some(table) = load(installation, flow, config, state, &mut findings).await? {
                tables.insert(&config.name, table);
            }
        }
        all.insert(flow.name.clone(), Arc::new(tables));
        reports.add(&flow.file, findings);
    }
    Ok(all)
}

async fn load(
    installation: &Installation,
    flow: &FlowConfig,
    config: &TableConfig,
    state: Option<&State>,
    findings: &mut Findings,
) -> Result<Option<Table>> {
    let lang = findings.lang;
    let table = match &config.from {
        TableFrom::Values(values) => Table::of_pairs(values.iter().map(|(key, json)| (key.as_str(), json.as_str()))),
        TableFrom::File(path) => from_file(&installation.dir.join(path)),
        TableFrom::Flow(name) => {
            if !installation.flow_names.contains(name) || *name == flow.name {
                let known: Vec<&str> =
                    installation.flow_names.iter().filter(|n| **n != flow.name).map(String::as_str).collect();
                let message = fill!(lang, text::NO_SUCH_FLOW, name = name);
                findings.mistake_with(&config.span, message, suggest(lang, name, &known));
                return Ok(None);
            }
            let ids = match state {
                Some(state) => remote_ids(&*state.store, name).await?,
                None => Vec::new(),
            };
            let text = |text: &str| serde_json::Value::from(text).to_string();
            let rows = ids.iter().map(|(key, id)| vec![text(&key.to_string()), text(id)]).collect();
            Table::new(vec!["key".to_owned(), "id".to_owned()], rows).map(Table::live)
        }
    };
    match table {
        Ok(table) => Ok(Some(table)),
        Err(cause) => {
            let message = fill!(lang, text::TABLE_UNREADABLE, name = config.name, cause = cause);
            findings.mistake(&config.span, message);
            Ok(None)
        }
    }
}

/// The ids that a flow's target gave, by the keys of the records.
async fn remote_ids(store: &dyn StateStore, flow: &str) -> Result<Vec<(Key, String)>> {
    const AT_ONCE: u32 = 10_000;
    let mut all = Vec::new();
    let Some(flow) = store.flow_id(flow).await? else { return Ok(all) };
    loop {
        let after = all.last().map(|(key, _): &(Key, String)| key.clone());
        let some = store.remote_ids(flow, after, AT_ONCE).await?;
        let is_last = some.len() < AT_ONCE as usize;
        all.extend(some);
        if is_last {
            return Ok(all);
        }
    }
}

/// A table from a file, by the ending of its name.
fn from_file(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {}", path.display(), Error::from(e)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => from_csv(text),
        Some("json") => {
            let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| e.to_string())?;
            Table::of_objects(rows.into_iter().map(RawValue::get))
        }
        Some("jsonl") => Table::of_objects(text.lines().filter(|line| !line.trim().is_empty())),
        _ => Err("the file's name has to end in .csv, .json or .jsonl".to_owned()),
    }
}

fn from_csv(text: &str) -> Result<Table, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let owned = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = owned(reader.headers().map_err(|e| e.to_string())?);
    let rows: std::result::Result<Vec<_>, csv::Error> =
        reader.records().map(|row| row.map(|row| owned(&row))).collect();
    Table::of_texts(columns, rows.map_err(|e| e.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_tables() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            from_file(&path).map(|table| table.columns().to_vec())
        };
        assert_eq!(put("a.csv", "\u{feff}code,name\n0518,\"一,厂\"\n"), Ok(vec!["code".to_owned(), "name".to_owned()]));
        assert_eq!(put("a.json", "[{\"x\":1},{\"x\":2}]"), Ok(vec!["x".to_owned()]));
        assert_eq!(put("a.jsonl", "{\"x\":1}\n\n{\"x\":null}\n"), Ok(vec!["x".to_owned()]));
        for (name, text) in [("b.csv", "a,a\n1,2\n"), ("c.csv", "a,b\n1\n"), ("b.json", "{}"), ("b.txt", "x")] {
            assert!(put(name, text).is_err(), "{name}");
        }
    }
}

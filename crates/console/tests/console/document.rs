//! The description of the API and the pages of documentation say what the program does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use milkrun_console::{Need, ROUTES, metrics, openapi};
use serde_json::Value;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Compares a file with what it has to be; with `MILKRUN_WRITE_DOCS=1` writes it.
fn check(name: &str, expected: &str) {
    let path = docs().join(name);
    if std::env::var_os("MILKRUN_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let advice = "run MILKRUN_WRITE_DOCS=1 cargo test -p milkrun-console --test console document";
    assert!(written == expected, "docs/{name} is stale: {advice}");
}

fn document() -> Value {
    serde_json::to_value(openapi::document()).unwrap()
}

#[test]
fn the_committed_copies_are_fresh() {
    check("api/openapi.json", &format!("{:#}\n", document()));
    check("metrics.md", &metrics::page());
}

#[test]
fn router_and_description_have_the_same_routes() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routed: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, routed);
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{}", operation["operationId"]);
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{}", route.path);
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            let is_health = route.path == "/health" && status == "503";
            assert!(is_health || schema == "#/components/schemas/Problem", "{} {status}", route.path);
        }
        let asks = route.need != Need::Nothing;
        assert_eq!(operation["security"].is_array(), asks, "{}", route.path);
        let empty = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&empty);
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        assert_eq!(has("x-csrf-token"), asks && route.method != "GET", "{}", route.path);
        for name in route.path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            assert!(has(name), "{}: {name}", route.path);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(root: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    assert!(root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                fields.values().for_each(|value| walk(root, value));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(root, item)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

/// Every query of the dashboard asks for figures that exist, and every figure that tells of trouble is on it.
#[test]
fn the_dashboard_asks_for_figures_that_exist() {
    let text = std::fs::read_to_string(docs().join("grafana/milkrun.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut queries = Vec::new();
    collect(&dashboard, &mut queries);
    assert!(queries.len() > 10);
    let mut asked = BTreeSet::new();
    for query in &queries {
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        asked.extend(words.filter(|word| word.starts_with("milkrun_")).map(str::to_owned));
    }
    let exists = |name: &str| {
        metrics::TABLE.iter().any(|metric| {
            let is_part = metric.kind == "histogram" && name.strip_suffix("_bucket") == Some(metric.name);
            metric.name == name || is_part
        })
    };
    for name in &asked {
        assert!(exists(name), "{name} is asked for and not served");
    }
    for name in ["milkrun_flow_lag_seconds", "milkrun_flow_dead_letters", "milkrun_run_total", "milkrun_quota_left"] {
        assert!(asked.contains(name), "{name} is not on the dashboard");
    }
}

fn collect(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "expr" || name == "definition" => {
                        queries.push(text.to_owned());
                    }
                    _ => collect(value, queries),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, queries)),
        _ => {}
    }
}

//! The JSON Schema of both kinds of files, for editors.

use milkrun_core::schemars::{JsonSchema as _, SchemaGenerator};
use milkrun_core::{Catalogue, ConnectorSpec, Secret};
use milkrun_engine::timetable::table::DEFAULT_ZONE;
use serde_json::{Map, Value, json};

use super::alerts;
use crate::text::Lang;

/// The Chinese of what this crate says here.
const OWN_ZH: &str = include_str!("schema.zh.toml");

/// The Chinese of all that these schemas say beside the connectors.
fn catalogue() -> Catalogue {
    Catalogue::parse(OWN_ZH)
        .or(alerts::rule_titles())
        .or(Catalogue::parse(milkrun_mapping::SCHEMA_ZH))
        .or(Catalogue::core())
}

/// The schema of a connector's account, described in that language.
pub(crate) fn account_schema(spec: &ConnectorSpec, lang: Lang) -> Value {
    match lang {
        Lang::En => (spec.schema)().to_value(),
        Lang::Zh => spec.schema_zh(),
    }
}

/// A schema of this module, described in that language.
fn told(mut schema: Value, lang: Lang) -> Value {
    if lang == Lang::Zh {
        catalogue().translate(&mut schema);
    }
    schema
}

/// The schema of `flows/*.toml`.
pub(crate) fn flow_schema(lang: Lang) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let span = |about: &str| json!({ "type": "string", "description": about, "examples": ["10m", "1h30m", "1d"] });
    let date = |about: &str| json!({ "type": "string", "description": about, "examples": ["2026-01-01", "2026-01-01T08:00:00+08:00"] });
    let count =
        |about: &str, most: u32| json!({ "type": "integer", "minimum": 1, "maximum": most, "description": about });
    let table = |properties: Value, required: &[&str]| json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required });
    let source = json!({
        "account": text("An account of milkrun.toml."),
        "stream": text("What is read: see `milkrun streams ACCOUNT`."),
        "since": date("From when on; a date is its start in the stream's zone."),
        "until": date("Read nothing from this instant on; usually left out."),
        "window": span("How much time one slice covers, at most what the stream allows."),
        "lookback": span("How far the next run reaches back before the proved end."),
        "settle": span("How long after a change the vendor may still show the old state."),
        "page_size": count("Records per page, within the stream's limits.", 100_000),
        "concurrency": count("Slices read side by side.", 64),
        "attempts": count("How often a call that failed for the moment is tried in all.", 100),
        "proof": json!({
            "enum": ["backwards", "read-twice", "row-version", "snapshot"],
            "description": "A stricter proof than the stream's own.",
        }),
        "declare": json!({ "type": "object", "description": "A stream that only this flow declares, in the form of the account's `streams`." }),
    });
    let sink = json!({
        "account": text("An account of milkrun.toml."),
        "target": text("What the documents become: see `milkrun targets ACCOUNT`."),
        "batch": count("Documents per delivery, at most what the target takes.", 100_000),
        "concurrency": count("Deliveries under way at one time.", 64),
        "attempts": count("How often a delivery whose outcome is unknown is tried in one run.", 100),
        "journal": json!({ "type": "boolean", "default": true, "description": "Whether the pages are kept as they came." }),
        "changes": json!({
            "enum": ["send", "skip"],
            "default": "send",
            "description": "What is done with a record that was delivered before and has changed since.",
        }),
        "plain_keys": json!({
            "type": "boolean",
            "default": false,
            "description": "The source's key alone tells a document from every other one that is ever sent to the target: it goes with the delivery as it is, where the target takes a key that long.",
        }),
        "ask_first": json!({
            "type": "boolean",
            "default": false,
            "description": "Look documents up that this flow has never sent, before sending them, at a target that forgets keys: for a flow that begins anew.",
        }),
        "declare": json!({ "type": "object", "description": "A target that only this flow declares, in the form of the account's `targets`." }),
    });
    let cron = json!({
        "type": "string",
        "description": "Five fields (minute hour day month weekday), six with seconds first as Quartz has them, seven with a year last, or @hourly, @daily, @weekly, @monthly, @yearly.",
        "examples": ["0 */5 * * * ?", "*/5 * * * *", "0 0 2 ? * MON-FRI", "@daily"],
    });
    let schedule = json!({
        "cron": cron,
        "zone": json!({
            "type": "string",
            "default": DEFAULT_ZONE,
            "description": "The IANA name of the zone that the timetable is meant in.",
            "examples": ["Asia/Shanghai", "Europe/Berlin", "UTC"],
        }),
        "overlap": json!({
            "enum": ["skip", "queue", "cancel"],
            "default": "skip",
            "description": "What becomes of a start that comes while the flow runs: it is left out, it waits for the run's end, or the run is asked to end and it comes then.",
        }),
        "missed": json!({
            "enum": ["once", "each", "skip"],
            "default": "once",
            "description": "What becomes of starts that nobody was there for: one run for all of them, one for each (the newest 100 at most), or none.",
        }),
        "jitter": json!({
            "type": "string",
            "default": "0s",
            "description": "Starts are put off by up to this long, so that flows with one timetable do not all start at once; never to the next start or beyond.",
            "examples": ["30s", "5m"],
        }),
        "paused": json!({ "type": "boolean", "default": false, "description": "Whether the timetable is not followed for now." }),
    });
    let mut mapping = milkrun_mapping::schema().to_value();
    // References of the mapping's schema begin at its own root.
    let defs = mapping.as_object_mut().and_then(|m| m.remove("$defs")).unwrap_or_default();
    if let Some(fields) = mapping.as_object_mut() {
        fields.remove("$schema");
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A flow of Milkrun",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "schedule": json!({
                "description": "When it starts by itself, while `milkrun serve` is there.",
                "oneOf": [cron, table(schedule, &["cron"])],
            }),
            "include": json!({
                "type": "object",
                "additionalProperties": false,
                "description": "The metadata of another platform as it is; what this file says takes its place.",
                "properties": { "qeasy": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 2 } },
            }),
            "source": table(source, &["account", "stream"]),
            "sink": table(sink, &["account", "target"]),
            "mapping": mapping,
            "alerts": alerts::rules_schema(alerts::FLOW_RULES),
            "tables": json!({
                "type": "object",
                "description": "Tables that expressions look values up in: lookup(\"codes\"; .shop).",
                "additionalProperties": table(json!({
                    "values": json!({ "type": "object", "description": "Keys and their values." }),
                    "file": text("A .csv, .json or .jsonl file, relative to the installation."),
                    "flow": text("Another flow: the keys of its records, and the ids that its target gave them."),
                }), &[]),
            }),
        },
        "required": ["source", "sink"],
        "$defs": defs,
    });
    told(schema, lang)
}

/// The schema of `milkrun.toml`, with the settings of these connectors.
pub(crate) fn installation_schema(connectors: &[&ConnectorSpec], lang: Lang) -> Value {
    let mut defs = Map::new();
    let mut accounts = Vec::new();
    for spec in connectors {
        let mut schema = account_schema(spec, lang);
        let Some(fields) = schema.as_object_mut() else { continue };
        fields.remove("$schema");
        if let Some(Value::Object(own)) = fields.remove("$defs") {
            for (name, mut def) in own {
                rename(&mut def, spec.name);
                defs.insert(format!("{}.{name}", spec.name), def);
            }
        }
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            properties.insert("connector".to_owned(), json!({ "const": spec.name }));
            let quota = json!({
                "type": "array", "items": { "type": "string" },
                "description": "Calls allowed, in place of what the connector says: \"5/1s\", \"100/1m\"; [] is no limit.",
            });
            properties.insert("quota".to_owned(), quota);
        }
        match fields.get_mut("required") {
            Some(Value::Array(required)) => required.push("connector".into()),
            _ => drop(fields.insert("required".to_owned(), json!(["connector"]))),
        }
        rename(&mut schema, spec.name);
        accounts.push(schema);
    }
    let age = |usual: &str, about: &str| json!({ "type": "string", "default": usual, "description": about });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An installation of Milkrun",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "accounts": { "type": "object", "additionalProperties": { "oneOf": accounts } },
            "alerts": alerts::schema(),
            "retention": {
                "type": "object",
                "additionalProperties": false,
                "description": "How long what is kept: a span of time, or \"never\" to be forgotten.",
                "properties": {
                    "runs": age("400d", "Runs in the history; the last of each flow stays."),
                    "pages": age("30d", "Pages as they came; those with something to deliver stay."),
                    "pages_size": age("20GiB", "The most bytes of pages, of all flows together."),
                    "ledger": age("never", "What was delivered, where forgetting it doubles nothing; at least 31d."),
                    "dead_letters": age("never", "Refused records; at least 30d."),
                    "audit": age("400d", "Who did what in the console."),
                },
            },
            "logs": {
                "type": "object",
                "additionalProperties": false,
                "required": ["file"],
                "description": "A structured log: one JSON object a line.",
                "properties": {
                    "file": { "type": "string", "description": "Where it is written, relative to the installation." },
                    "level": { "enum": super::upkeep::LEVELS, "default": "info", "description": "From which level on." },
                    "size": { "type": "string", "default": "64MiB", "description": "A file of this size is put aside." },
                    "keep": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 8, "description": "How many files that were put aside are kept." },
                },
            },
            "console": console(),
            "telemetry": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "otlp": { "type": "string",
                    "description": "The OpenTelemetry collector that spans are sent to: http://127.0.0.1:4318. Needs a program built with `--features otel`." } },
            },
            "store": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "path": { "type": "string", "default": super::STORE, "description": "The folder of the state." },
                    "key": {
                        "description": "Where the vault's key is: a file (`milkrun.key`, or else MILKRUN_KEY), a variable, or the system's keyring.",
                        "oneOf": [
                            { "type": "object", "additionalProperties": false, "required": ["file"],
                              "properties": { "file": { "type": "string" } } },
                            { "type": "object", "additionalProperties": false, "required": ["keyring"],
                              "properties": { "keyring": { "type": "string" } } },
                            { "type": "object", "additionalProperties": false, "required": ["env"],
                              "properties": { "env": { "type": "string" } } },
                        ],
                    },
                },
            },
        },
        "$defs": defs,
    });
    told(schema, lang)
}

/// The schema of `[console]`.
fn console() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let table = |properties: Value, required: &[&str]| json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required });
    let each = |about: &str, one: Value| json!({ "type": "object", "description": about, "additionalProperties": one });
    let role =
        || json!({ "enum": super::console::ROLES, "description": "viewer looks; operator also runs and changes." });
    let mut token = Secret::json_schema(&mut SchemaGenerator::default()).to_value();
    token["description"] = "The access token, or better where it is; 20 characters at least.".into();
    let user = json!({ "role": role(), "password": text("The hash that `milkrun console password` prints.") });
    table(
        json!({
            "listen": { "type": "string", "default": super::console::LISTEN.to_string(),
                "description": "Address and port. Beyond this machine, users or tokens are needed." },
            "public_url": text("The address people use where a proxy stands in front: https://milkrun.example.com."),
            "tls": table(json!({
                "cert": text("A PEM file of certificates, the server's own first; read again when it changes."),
                "key": text("A PEM file of the private key."),
            }), &["cert", "key"]),
            "trusted_proxies": { "type": "array", "items": { "type": "string" },
                "description": "Addresses or networks whose X-Forwarded-For is believed: \"10.0.0.0/8\"." },
            "users": each("People, by name.", table(user, &["password", "role"])),
            "tokens": each("Programs, by name.", table(json!({ "role": role(), "token": token }), &["role", "token"])),
        }),
        &[],
    )
}

/// Lets references point to a connector's own definitions among those of all.
fn rename(schema: &mut Value, connector: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "$ref" => {
                        if let Some(rest) = text.strip_prefix("#/$defs/") {
                            *text = format!("#/$defs/{connector}.{rest}");
                        }
                    }
                    value => rename(value, connector),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, connector)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use milkrun_core::chinese::descriptions;

    use super::super::console;
    use super::*;

    fn properties(schema: &Value, pointer: &str) -> Vec<String> {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schemas_know_the_same_keys_as_the_reader() {
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
            keys.sort();
            keys
        };
        let flow = flow_schema(Lang::En);
        assert_eq!(properties(&flow, "/properties"), sorted(super::super::flow::FLOW));
        assert_eq!(properties(&flow, "/properties/source/properties"), sorted(super::super::flow::SOURCE));
        assert_eq!(properties(&flow, "/properties/sink/properties"), sorted(super::super::flow::SINK));
        let schedule = "/properties/schedule/oneOf/1/properties";
        assert_eq!(properties(&flow, schedule), sorted(super::super::schedule::KEYS));
        let all = installation_schema(&milkrun_core::connectors(), Lang::En);
        assert_eq!(properties(&all, "/properties"), sorted(super::super::TOP));
        assert_eq!(properties(&all, "/properties/alerts/properties"), sorted(alerts::ALERTS));
        assert_eq!(properties(&all, "/properties/alerts/properties/rules/properties"), sorted(alerts::ALL_RULES));
        assert_eq!(properties(&flow, "/properties/alerts/properties"), sorted(alerts::FLOW_RULES));
        assert_eq!(properties(&all, "/properties/store/properties"), sorted(super::super::STORE_KEYS));
        assert_eq!(properties(&all, "/properties/telemetry/properties"), sorted(super::super::telemetry::KEYS));
        let own = super::super::upkeep::RETENTION_KEYS;
        assert_eq!(properties(&all, "/properties/retention/properties"), sorted(own));
        assert_eq!(properties(&all, "/properties/logs/properties"), sorted(super::super::upkeep::LOGS_KEYS));
        let of = |below: &str| properties(&all, &format!("/properties/console/properties{below}"));
        assert_eq!(of(""), sorted(console::KEYS));
        assert_eq!(of("/tls/properties"), sorted(console::TLS_KEYS));
        assert_eq!(of("/users/additionalProperties/properties"), sorted(console::USER_KEYS));
        assert_eq!(of("/tokens/additionalProperties/properties"), sorted(console::TOKEN_KEYS));
    }

    #[test]
    fn everything_is_described_in_chinese_and_no_chinese_is_of_nothing() {
        let connectors = milkrun_core::connectors();
        let both = |lang| [flow_schema(lang), installation_schema(&connectors, lang)];
        let all = |lang| both(lang).iter().flat_map(descriptions).collect::<BTreeSet<_>>();
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        // Names of methods and forms are the same in both.
        let has_words = |text: &str| text.contains(' ') && !text.starts_with('`');
        let left: Vec<_> = all(Lang::Zh).into_iter().filter(|text| has_words(text) && !is_chinese(text)).collect();
        assert!(left.is_empty(), "without Chinese: {left:#?}");
        let said = all(Lang::En);
        let mapping = Catalogue::parse(milkrun_mapping::SCHEMA_ZH);
        for own in [Catalogue::parse(OWN_ZH), mapping, alerts::rule_titles()] {
            let stale: Vec<_> = own.english().into_iter().filter(|text| !said.contains(text)).collect();
            assert!(stale.is_empty(), "no description: {stale:#?}");
        }
    }

    #[test]
    fn a_schema_speaks_the_language_that_is_asked_for() {
        let schema = flow_schema(Lang::Zh);
        assert_eq!(schema["title"], "Milkrun 的流程");
        let at = |place: &str| schema.pointer(place).unwrap().as_str().unwrap();
        assert_eq!(
            at("/properties/source/properties/since/description"),
            "从何时开始；只写日期则为该日在数据流时区的零点。"
        );
        assert_eq!(at("/properties/mapping/properties/explode/description"), "该列表的每个元素生成一张单据。");
        assert_eq!(at("/properties/sink/properties/changes/default"), "send");
        let schema = installation_schema(&milkrun_core::connectors(), Lang::Zh);
        assert_eq!(schema["properties"]["retention"]["properties"]["audit"]["description"], "谁在控制台做了什么。");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(root: &Value, value: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        assert!(root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                    }
                    fields.values().for_each(|v| walk(root, v));
                }
                Value::Array(items) => items.iter().for_each(|v| walk(root, v)),
                _ => {}
            }
        }
        for schema in [flow_schema(Lang::Zh), installation_schema(&milkrun_core::connectors(), Lang::Zh)] {
            walk(&schema, &schema);
        }
    }
}

//! One connector as a page, and the list of all.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema;

const NOTICE: &str = "<!-- Written by `cargo xtask docs` from the registry. Change the connector, not this page. -->\n";

/// The list of all connectors.
pub(super) fn index(connectors: &[Value]) -> String {
    let mut out =
        format!("{NOTICE}# Connectors\n\n| connector | vendor | streams | targets |\n| --- | --- | --- | --- |\n");
    for connector in connectors {
        let name = text(&connector["name"]);
        let names = |list: &Value| match list.as_array().map(Vec::as_slice) {
            None | Some([]) => "as the account declares them".to_owned(),
            Some(list) => list.iter().map(|entry| code(text(&entry["name"]))).collect::<Vec<_>>().join(", "),
        };
        let targets = if has_targets(connector) { names(&connector["targets"]) } else { "none".to_owned() };
        let streams = names(&connector["streams"]);
        let _ = writeln!(out, "| [{name}]({name}.md) | {} | {streams} | {targets} |", title(&connector["title"]));
    }
    out
}

/// Whether documents can be written: a vendor with its own streams and no targets can only be read.
fn has_targets(connector: &Value) -> bool {
    let any = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    any(&connector["targets"]) || !any(&connector["streams"])
}

/// The page of one connector.
pub(super) fn of(connector: &Value) -> String {
    let mut out = format!("{NOTICE}# {}\n\n{}\n", title(&connector["title"]), text(&connector["about"]).trim());
    let _ = write!(out, "\n## An account\n\n```toml\n{}\n```\n", text(&connector["example"]).trim());
    settings(&mut out, &connector["schema"]);
    quota(&mut out, &connector["quota"]);
    let streams = list(&connector["streams"]);
    if streams.is_empty() {
        out.push_str("\n## Streams\n\nThe account's settings declare them.\n");
    } else {
        out.push_str("\n## Streams\n\n| stream | what | key | window over | longest window | page | proof |\n");
        out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for stream in streams {
            stream_row(&mut out, stream);
        }
        for stream in streams {
            stream_section(&mut out, stream);
        }
    }
    let targets = list(&connector["targets"]);
    if !targets.is_empty() {
        out.push_str("\n## Targets\n");
        for target in targets {
            target_section(&mut out, target);
        }
    }
    out
}

fn settings(out: &mut String, schema: &Value) {
    out.push_str("\n## Settings\n\n| setting | value | default | what it is |\n| --- | --- | --- | --- |\n");
    for setting in schema::settings(schema) {
        let default = match (&setting.default, setting.required) {
            (Some(value), _) => code(value),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        let _ =
            writeln!(out, "| `{}` | {} | {default} | {} |", setting.name, cell(&setting.kind), cell(&setting.about));
    }
}

fn quota(out: &mut String, quota: &Value) {
    let _ = write!(out, "\n## Quota\n\n{}, for all flows of an account together.\n", limits(&quota["account"]));
    let endpoints = quota["endpoints"].as_object().into_iter().flatten();
    for (endpoint, own) in endpoints {
        let _ = writeln!(out, "- `{endpoint}` besides: {}", limits(own));
    }
}

fn limits(quota: &Value) -> String {
    let rates = list(&quota["rates"]).iter();
    let rate = |rate: &Value| {
        let per = duration(&rate["per"]);
        format!("{} calls in any {}", rate["calls"], per.strip_prefix("1 ").unwrap_or(&per))
    };
    let mut parts: Vec<String> = rates.map(rate).collect();
    if parts.is_empty() {
        parts.push("No limit".to_owned());
    }
    format!("{}; at most {} at one time", parts.join(" and "), quota["concurrency"])
}

fn stream_row(out: &mut String, stream: &Value) {
    let window = &stream["window"];
    let (axis, longest) = if window.is_null() {
        ("–".to_owned(), "read whole".to_owned())
    } else {
        (code(text(&window["axis"])), duration(&window["longest"]))
    };
    let name = text(&stream["name"]);
    let _ = writeln!(
        out,
        "| [`{name}`](#{name}) | {} | {} | {axis} | {longest} | {} | {} |",
        cell(&title(&stream["title"])),
        codes(&stream["key"]),
        page_size(&stream["page_size"]),
        text(&stream["proof"]["plan"]),
    );
}

fn stream_section(out: &mut String, stream: &Value) {
    let _ = write!(out, "\n### {}\n\n{}.\n\n", text(&stream["name"]), title(&stream["title"]));
    let mut fact = |name: &str, what: String| {
        let _ = writeln!(out, "- {name}: {what}");
    };
    fact("Endpoint", code(text(&stream["endpoint"])));
    fact("Key", codes(&stream["key"]));
    if let Some(number) = stream["number"].as_str() {
        fact("Number people know it by", code(number));
    }
    if let Some(field) = stream["version"]["field"].as_str() {
        let none = stream["version"]["none"].as_i64().map(|none| format!("; `{none}` means none")).unwrap_or_default();
        fact("Version", format!("{}, {}{none}", code(field), text(&stream["version"]["form"])));
    }
    if let Some(window) = Some(&stream["window"]).filter(|window| !window.is_null()) {
        let end = if window["until_inclusive"] == true { "inclusive" } else { "exclusive" };
        fact(
            "Window",
            format!(
                "over {}, sent as {} in {}, in steps of {}, upper end {end}, {} at most; ends {} ago, and reaches back {} \
                 before the last one",
                code(text(&window["axis"])),
                text(&window["form"]),
                text(&window["zone"]),
                duration(&window["granularity"]),
                duration(&window["longest"]),
                duration(&window["settle"]),
                duration(&window["lookback"]),
            ),
        );
        for late in list(&window["late"]) {
            let what = format!(
                "over {}, every {}, {} back",
                code(text(&late["axis"])),
                duration(&late["every"]),
                duration(&late["reach"])
            );
            fact("Late pass", what);
        }
    }
    if let Some(of) = Some(&stream["partition"]).filter(|of| !of.is_null()) {
        let parts = (code(text(&of["path"])), code(text(&of["stream"])), code(text(&of["parameter"])));
        fact("Read once for each", format!("{} of {}, sent as {}", parts.0, parts.1, parts.2));
    }
    fact("Pages", format!("{}, {} records", paging(&stream["paging"]), page_size(&stream["page_size"])));
    let assumes = stream["assumes"].as_str().or_else(|| stream["proof"]["assumes"].as_str());
    let rests = assumes.map(|assumes| format!("; rests on this: {assumes}")).unwrap_or_default();
    fact("Proof", format!("{}{rests}", text(&stream["proof"]["plan"])));
    if stream["list_may_be_missing"] == true {
        fact("Empty answer", "may leave out its list".to_owned());
    }
    for kind in ["fen", "yuan", "epoch-ms"] {
        let paths = list(&stream["units"]).iter().filter(|unit| unit["unit"] == kind);
        let paths: Vec<String> = paths.map(|unit| code(text(&unit["path"]))).collect();
        if !paths.is_empty() {
            let unit = match kind {
                "fen" => "In fen (hundredths of a yuan)",
                "yuan" => "In yuan",
                _ => "In milliseconds since 1970 (`946656000000` means none)",
            };
            fact(unit, paths.join(", "));
        }
    }
    for note in list(&stream["notes"]) {
        fact("Mind", format!("{} {}", text(&note["en"]), text(&note["zh"])));
    }
}

fn target_section(out: &mut String, target: &Value) {
    let _ = write!(out, "\n### {}\n\n{}.\n\n", text(&target["name"]), title(&target["title"]));
    let mut fact = |name: &str, what: String| {
        let _ = writeln!(out, "- {name}: {what}");
    };
    fact("Endpoint", code(text(&target["endpoint"])));
    let promise = target["promise"].as_str().map(|promise| format!("{promise} ")).unwrap_or_default();
    fact("Repetition", format!("{promise}({})", idempotency(&target["idempotency"])));
    if target["only_new"] == true {
        fact("Changes", "none: a record that changes after its delivery becomes a dead letter".to_owned());
    }
    fact("Documents per call", target["batch"].to_string());
    for note in list(&target["notes"]) {
        fact("Mind", format!("{} {}", text(&note["en"]), text(&note["zh"])));
    }
}

fn idempotency(kind: &Value) -> String {
    let field = code(text(&kind["field"]));
    match text(&kind["kind"]) {
        "key" => {
            let remembered = &kind["remembered_for"];
            let remembered =
                if remembered.is_null() { "for ever".into() } else { format!("for {}", duration(remembered)) };
            format!("a key of up to {} characters in {field}, remembered {remembered}", kind["max_len"])
        }
        "unique" => format!("{field} is unique"),
        "skip" => format!("a known {field} is skipped"),
        "upsert" => format!("the same {field} replaces the document"),
        "committed-length" => "the written length is part of the checkpoint".to_owned(),
        _ => "no promise".to_owned(),
    }
}

fn paging(paging: &Value) -> String {
    let parameter = code(text(&paging["parameter"]));
    let end = match text(&paging["end"]) {
        "short-page" => ", the last one is short",
        "empty-page" => ", the last one is empty",
        "has-next" => ", the vendor says whether more follows",
        _ => "",
    };
    match text(&paging["kind"]) {
        "page-number" => format!("by number in {parameter} from {}{end}", paging["first"]),
        "offset" => format!("by records to skip in {parameter}{end}"),
        "cursor" => format!("by cursor in {parameter}"),
        "row-version" => format!("by row version {} in {parameter}, inclusive", code(text(&paging["field"]))),
        "link" => "by link".to_owned(),
        _ => "all in one answer".to_owned(),
    }
}

fn page_size(size: &Value) -> String {
    let max = size["max"].as_u64().map_or("?".to_owned(), |max| max.to_string());
    if size["min"] == size["max"] { max } else { format!("{}–{max}, usually {}", size["min"], size["usual"]) }
}

/// A duration in the largest unit that it is a whole number of.
fn duration(value: &Value) -> String {
    let (seconds, nanos) = (value["secs"].as_u64().unwrap_or(0), value["nanos"].as_u64().unwrap_or(0));
    if nanos > 0 {
        return format!("{} ms", seconds * 1000 + nanos / 1_000_000);
    }
    let (n, unit) = match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s >= 3_600 && s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s >= 60 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn title(title: &Value) -> String {
    let (en, zh) = (text(&title["en"]), text(&title["zh"]));
    if zh.is_empty() || zh == en { en.to_owned() } else { format!("{en} · {zh}") }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes(names: &Value) -> String {
    list(names).iter().map(|name| code(text(name))).collect::<Vec<_>>().join(" + ")
}

/// A text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_holds_what_the_registry_says() {
        let second = json!({ "secs": 1, "nanos": 0 });
        let connector = json!({
            "name": "acme", "title": { "en": "Acme", "zh": "艾可美" }, "about": "Acme: orders.", "example": "[accounts.a]\n",
            "schema": { "properties": { "key": { "type": "string", "description": "The key | ring." } }, "required": ["key"] },
            "quota": { "account": { "rates": [{ "calls": 5, "per": second }], "concurrency": 8 }, "endpoints": {} },
            "streams": [{
                "name": "orders", "title": { "en": "Orders", "zh": "订单" }, "endpoint": "/orders", "key": ["id"],
                "number": "no", "version": { "field": "m", "form": "date-time", "none": null },
                "window": {
                    "axis": "modified", "zone": "Asia/Shanghai", "form": "date-time", "granularity": second,
                    "until_inclusive": true, "longest": { "secs": 86_400, "nanos": 0 },
                    "settle": { "secs": 60, "nanos": 0 }, "lookback": { "secs": 600, "nanos": 0 },
                    "late": [{ "axis": "paid", "every": { "secs": 21_600, "nanos": 0 }, "reach": { "secs": 259_200, "nanos": 0 } }],
                },
                "paging": { "kind": "page-number", "parameter": "page", "first": 1, "end": "short-page" },
                "page_size": { "min": 1, "usual": 100, "max": 100 }, "proof": { "plan": "backwards", "assumes": "so" },
                "partition": null, "list_may_be_missing": false, "units": [{ "path": "a", "unit": "fen" }],
                "notes": [{ "en": "Beware.", "zh": "当心。" }],
            }],
            "targets": [{
                "name": "bills", "title": { "en": "Bills", "zh": "账单" }, "endpoint": "/bills", "batch": 10,
                "idempotency": { "kind": "upsert", "field": "no" }, "notes": [],
            }],
        });
        let page = of(&connector);
        let expected = [
            "# Acme · 艾可美\n\nAcme: orders.\n",
            "```toml\n[accounts.a]\n```\n",
            "| `key` | text | required | The key \\| ring. |\n",
            "5 calls in any second; at most 8 at one time, for all flows",
            "| [`orders`](#orders) | Orders · 订单 | `id` | `modified` | 1 day | 1–100, usually 100 | backwards |\n",
            "- Late pass: over `paid`, every 6 hours, 3 days back\n",
            "- Pages: by number in `page` from 1, the last one is short, 1–100, usually 100 records\n",
            "- Proof: backwards; rests on this: so\n",
            "- In fen (hundredths of a yuan): `a`\n- Mind: Beware. 当心。\n",
            "- Repetition: (the same `no` replaces the document)\n",
        ];
        for part in expected {
            assert!(page.contains(part), "{part}\nis not in\n{page}");
        }
        assert!(index(&[connector]).ends_with("| [acme](acme.md) | Acme · 艾可美 | `orders` | `bills` |\n"));
    }
}

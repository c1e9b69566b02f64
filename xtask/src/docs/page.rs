//! One connector as a page, and the list of all, in either language.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema;
use super::words::{self, Lang, Text};

const NOTICE: &str = "<!-- Written by `cargo xtask docs` from the registry. Change the connector, not this page. -->\n";

/// The list of all connectors.
pub(super) fn index(connectors: &[Value], lang: Lang) -> String {
    let mut out = heading(lang.say(words::CONNECTORS), "README", lang);
    table(&mut out, lang.say(words::INDEX_HEAD));
    for connector in connectors {
        let name = text(&connector["name"]);
        let names = |list: &Value| match list.as_array().map(Vec::as_slice) {
            None | Some([]) => lang.say(words::AS_DECLARED).to_owned(),
            Some(list) => {
                list.iter().map(|entry| code(text(&entry["name"]))).collect::<Vec<_>>().join(lang.say(words::COMMA))
            }
        };
        let targets =
            if has_targets(connector) { names(&connector["targets"]) } else { lang.say(words::NONE).to_owned() };
        let streams = names(&connector["streams"]);
        let (page, vendor) = (lang.file(name), title(&connector["title"], lang));
        let _ = writeln!(out, "| [{name}]({page}) | {vendor} | {streams} | {targets} |");
    }
    out
}

/// The begin of a page, with a link to the same page in the other language.
fn heading(title: &str, name: &str, lang: Lang) -> String {
    let other = lang.other();
    format!("{NOTICE}# {title}\n\n[{}]({})\n", other.say(words::LANGUAGE), other.file(name))
}

/// The head of a table, after a blank line.
fn table(out: &mut String, head: &str) {
    let columns = head.split(" | ").count();
    let _ = writeln!(out, "\n| {head} |\n|{}", " --- |".repeat(columns));
}

/// A line of a list: what it is about, and what there is to say.
fn fact(out: &mut String, lang: Lang, name: Text, what: &str) {
    out.push_str(&lang.fill(words::FACT, &[("name", lang.say(name)), ("what", what)]));
    out.push('\n');
}

/// Whether documents can be written: a vendor with its own streams and no targets can only be read.
fn has_targets(connector: &Value) -> bool {
    let any = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    any(&connector["targets"]) || !any(&connector["streams"])
}

/// The page of one connector, as `milkrun connectors` describes it in that language.
pub(super) fn of(connector: &Value, lang: Lang) -> String {
    let mut out = heading(&title(&connector["title"], lang), text(&connector["name"]), lang);
    let _ = writeln!(out, "\n{}", text(&connector["about"]).trim());
    let (account, example) = (lang.say(words::ACCOUNT), text(&connector["example"]).trim());
    let _ = write!(out, "\n## {account}\n\n```toml\n{example}\n```\n");
    settings(&mut out, &connector["schema"], lang);
    quota(&mut out, &connector["quota"], lang);
    let _ = writeln!(out, "\n## {}", lang.say(words::STREAMS));
    let streams = list(&connector["streams"]);
    if streams.is_empty() {
        let _ = writeln!(out, "\n{}", lang.say(words::DECLARED));
    } else {
        table(&mut out, lang.say(words::STREAMS_HEAD));
        for stream in streams {
            stream_row(&mut out, stream, lang);
        }
        for stream in streams {
            stream_section(&mut out, stream, lang);
        }
    }
    let targets = list(&connector["targets"]);
    if !targets.is_empty() {
        let _ = writeln!(out, "\n## {}", lang.say(words::TARGETS));
        for target in targets {
            target_section(&mut out, target, lang);
        }
    }
    out
}

fn settings(out: &mut String, schema: &Value, lang: Lang) {
    let _ = writeln!(out, "\n## {}", lang.say(words::SETTINGS));
    table(out, lang.say(words::SETTINGS_HEAD));
    for setting in schema::settings(schema, lang) {
        let default = match (&setting.default, setting.required) {
            (Some(value), _) => code(value),
            (None, true) => lang.say(words::REQUIRED).to_owned(),
            (None, false) => String::new(),
        };
        let _ =
            writeln!(out, "| `{}` | {} | {default} | {} |", setting.name, cell(&setting.kind), cell(&setting.about));
    }
}

fn quota(out: &mut String, quota: &Value, lang: Lang) {
    let shared = lang.fill(words::QUOTA_SHARED, &[("limits", &limits(&quota["account"], lang))]);
    let _ = write!(out, "\n## {}\n\n{shared}\n", lang.say(words::QUOTA));
    let endpoints = quota["endpoints"].as_object().into_iter().flatten();
    for (endpoint, own) in endpoints {
        let values = [("endpoint", endpoint.as_str()), ("limits", &limits(own, lang))];
        let _ = writeln!(out, "{}", lang.fill(words::QUOTA_BESIDES, &values));
    }
}

fn limits(quota: &Value, lang: Lang) -> String {
    let rates = list(&quota["rates"]).iter();
    let rate = |rate: &Value| {
        let per = duration(&rate["per"], lang);
        // "In any second", and "in any 5 seconds".
        let per = if lang == Lang::En { per.strip_prefix("1 ").unwrap_or(&per) } else { &per };
        lang.fill(words::CALLS, &[("calls", &rate["calls"].to_string()), ("per", per)])
    };
    let mut parts: Vec<String> = rates.map(rate).collect();
    if parts.is_empty() {
        parts.push(lang.say(words::NO_LIMIT).to_owned());
    }
    let rates = parts.join(lang.say(words::AND));
    lang.fill(words::AT_ONCE, &[("rates", &rates), ("n", &quota["concurrency"].to_string())])
}

fn stream_row(out: &mut String, stream: &Value, lang: Lang) {
    let window = &stream["window"];
    let (axis, longest) = if window.is_null() {
        ("–".to_owned(), lang.say(words::READ_WHOLE).to_owned())
    } else {
        (code(text(&window["axis"])), duration(&window["longest"], lang))
    };
    let name = text(&stream["name"]);
    let _ = writeln!(
        out,
        "| [`{name}`](#{name}) | {} | {} | {axis} | {longest} | {} | {} |",
        cell(&title(&stream["title"], lang)),
        codes(&stream["key"]),
        page_size(&stream["page_size"], lang),
        text(&stream["proof"]["plan"]),
    );
}

/// The heading of a stream or a target, and what it is.
fn section(out: &mut String, of: &Value, lang: Lang) {
    let what = lang.fill(words::SENTENCE, &[("text", &title(&of["title"], lang))]);
    let _ = write!(out, "\n### {}\n\n{what}\n\n", text(&of["name"]));
}

fn stream_section(out: &mut String, stream: &Value, lang: Lang) {
    section(out, stream, lang);
    fact(out, lang, words::ENDPOINT, &code(text(&stream["endpoint"])));
    fact(out, lang, words::KEY, &codes(&stream["key"]));
    if let Some(number) = stream["number"].as_str() {
        fact(out, lang, words::NUMBER, &code(number));
    }
    if let Some(field) = stream["version"]["field"].as_str() {
        let none = stream["version"]["none"].as_i64();
        let none = none.map(|none| lang.fill(words::VERSION_NONE, &[("none", &none.to_string())])).unwrap_or_default();
        let values = [("field", code(field)), ("form", text(&stream["version"]["form"]).to_owned()), ("none", none)];
        fact(
            out,
            lang,
            words::VERSION,
            &lang.fill(words::VERSION_IS, &values.each_ref().map(|(n, v)| (*n, v.as_str()))),
        );
    }
    if !stream["window"].is_null() {
        window_facts(out, &stream["window"], lang);
    }
    if let Some(of) = Some(&stream["partition"]).filter(|of| !of.is_null()) {
        let (path, parent, parameter) =
            (code(text(&of["path"])), code(text(&of["stream"])), code(text(&of["parameter"])));
        let values = [("path", path.as_str()), ("stream", &parent), ("parameter", &parameter)];
        fact(out, lang, words::PARTITION, &lang.fill(words::PARTITION_IS, &values));
    }
    let (paging, size) = (paging(&stream["paging"], lang), page_size(&stream["page_size"], lang));
    fact(out, lang, words::PAGES, &lang.fill(words::PAGES_ARE, &[("paging", &paging), ("size", &size)]));
    let plan = text(&stream["proof"]["plan"]);
    let assumes = stream["assumes"].as_str().or_else(|| stream["proof"]["assumes"].as_str());
    let proof = assumes.map(|assumes| lang.fill(words::RESTS_ON, &[("plan", plan), ("assumes", assumes)]));
    fact(out, lang, words::PROOF, proof.as_deref().unwrap_or(plan));
    if stream["list_may_be_missing"] == true {
        fact(out, lang, words::EMPTY, lang.say(words::EMPTY_IS));
    }
    for (kind, unit) in [("fen", words::FEN), ("yuan", words::YUAN), ("epoch-ms", words::EPOCH_MS)] {
        let paths = list(&stream["units"]).iter().filter(|unit| unit["unit"] == kind);
        let paths: Vec<String> = paths.map(|unit| code(text(&unit["path"]))).collect();
        if !paths.is_empty() {
            fact(out, lang, unit, &paths.join(lang.say(words::COMMA)));
        }
    }
    notes(out, stream, lang);
}

fn window_facts(out: &mut String, window: &Value, lang: Lang) {
    let end = if window["until_inclusive"] == true { words::INCLUSIVE } else { words::EXCLUSIVE };
    let values = [
        ("axis", &*code(text(&window["axis"]))),
        ("form", text(&window["form"])),
        ("zone", text(&window["zone"])),
        ("step", &duration(&window["granularity"], lang)),
        ("end", lang.say(end)),
        ("longest", &duration(&window["longest"], lang)),
        ("settle", &duration(&window["settle"], lang)),
        ("lookback", &duration(&window["lookback"], lang)),
    ];
    fact(out, lang, words::WINDOW, &lang.fill(words::WINDOW_IS, &values));
    for late in list(&window["late"]) {
        let values = [
            ("axis", &*code(text(&late["axis"]))),
            ("every", &duration(&late["every"], lang)),
            ("reach", &duration(&late["reach"], lang)),
        ];
        fact(out, lang, words::LATE, &lang.fill(words::LATE_IS, &values));
    }
}

fn target_section(out: &mut String, target: &Value, lang: Lang) {
    section(out, target, lang);
    fact(out, lang, words::ENDPOINT, &code(text(&target["endpoint"])));
    let values = [("promise", text(&target["promise"])), ("how", &idempotency(&target["idempotency"], lang))];
    fact(out, lang, words::REPETITION, &lang.fill(words::PROMISE, &values));
    if target["only_new"] == true {
        fact(out, lang, words::CHANGES, lang.say(words::ONLY_NEW));
    }
    fact(out, lang, words::BATCH, &target["batch"].to_string());
    notes(out, target, lang);
}

fn notes(out: &mut String, of: &Value, lang: Lang) {
    for note in list(&of["notes"]) {
        fact(out, lang, words::MIND, text(&note[lang.name()]));
    }
}

fn idempotency(kind: &Value, lang: Lang) -> String {
    let field = code(text(&kind["field"]));
    match text(&kind["kind"]) {
        "key" => {
            let span = Some(&kind["remembered_for"]).filter(|span| !span.is_null());
            let span = span.map(|span| lang.fill(words::FOR_SPAN, &[("span", &duration(span, lang))]));
            let span = span.as_deref().unwrap_or(lang.say(words::FOR_EVER));
            lang.fill(words::BY_KEY, &[("n", &kind["max_len"].to_string()), ("field", &field), ("span", span)])
        }
        "unique" => lang.fill(words::UNIQUE, &[("field", &field)]),
        "skip" => lang.fill(words::SKIP, &[("field", &field)]),
        "upsert" => lang.fill(words::UPSERT, &[("field", &field)]),
        "committed-length" => lang.say(words::COMMITTED).to_owned(),
        _ => lang.say(words::NO_PROMISE).to_owned(),
    }
}

fn paging(paging: &Value, lang: Lang) -> String {
    let parameter = ("parameter", &*code(text(&paging["parameter"])));
    let end = match text(&paging["end"]) {
        "short-page" => lang.say(words::SHORT_PAGE),
        "empty-page" => lang.say(words::EMPTY_PAGE),
        "has-next" => lang.say(words::HAS_NEXT),
        _ => "",
    };
    match text(&paging["kind"]) {
        "page-number" => {
            lang.fill(words::BY_NUMBER, &[parameter, ("first", &paging["first"].to_string()), ("end", end)])
        }
        "offset" => lang.fill(words::BY_OFFSET, &[parameter, ("end", end)]),
        "cursor" => lang.fill(words::BY_CURSOR, &[parameter]),
        "row-version" => lang.fill(words::BY_VERSION, &[parameter, ("field", &code(text(&paging["field"])))]),
        "link" => lang.say(words::BY_LINK).to_owned(),
        _ => lang.say(words::ALL_IN_ONE).to_owned(),
    }
}

fn page_size(size: &Value, lang: Lang) -> String {
    let max = size["max"].as_u64().map_or("?".to_owned(), |max| max.to_string());
    if size["min"] == size["max"] {
        return max;
    }
    let (min, usual) = (size["min"].to_string(), size["usual"].to_string());
    lang.fill(words::PAGE_SIZE, &[("min", &min), ("max", &max), ("usual", &usual)])
}

/// A duration in the largest unit that it is a whole number of.
fn duration(value: &Value, lang: Lang) -> String {
    let (seconds, nanos) = (value["secs"].as_u64().unwrap_or(0), value["nanos"].as_u64().unwrap_or(0));
    let (n, one, several) = match seconds {
        s if nanos > 0 => (s * 1000 + nanos / 1_000_000, words::MILLISECONDS, words::MILLISECONDS),
        s if s >= 86_400 && s % 86_400 == 0 => (s / 86_400, words::DAY, words::DAYS),
        s if s >= 3_600 && s % 3_600 == 0 => (s / 3_600, words::HOUR, words::HOURS),
        s if s >= 60 && s % 60 == 0 => (s / 60, words::MINUTE, words::MINUTES),
        s => (s, words::SECOND, words::SECONDS),
    };
    lang.fill(if n == 1 { one } else { several }, &[("n", &n.to_string())])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A title; an English page names the Chinese one too, by which the vendor knows it.
fn title(title: &Value, lang: Lang) -> String {
    let (en, zh) = (text(&title["en"]), text(&title["zh"]));
    match lang {
        Lang::Zh if !zh.is_empty() => zh.to_owned(),
        Lang::En if !zh.is_empty() && zh != en => format!("{en} · {zh}"),
        _ => en.to_owned(),
    }
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
                "idempotency": { "kind": "upsert", "field": "no" }, "promise": "once", "notes": [],
            }],
        });
        let page = of(&connector, Lang::En);
        let expected = [
            "# Acme · 艾可美\n\n[中文](acme.zh.md)\n\nAcme: orders.\n",
            "```toml\n[accounts.a]\n```\n",
            "| `key` | text | required | The key \\| ring. |\n",
            "5 calls in any second; at most 8 at one time, for all flows",
            "| [`orders`](#orders) | Orders · 订单 | `id` | `modified` | 1 day | 1–100, usually 100 | backwards |\n",
            "- Late pass: over `paid`, every 6 hours, 3 days back\n",
            "- Pages: by number in `page` from 1, the last one is short, 1–100, usually 100 records\n",
            "- Proof: backwards; rests on this: so\n",
            "- In fen (hundredths of a yuan): `a`\n- Mind: Beware.\n",
            "- Repetition: once (the same `no` replaces the document)\n",
        ];
        for part in expected {
            assert!(page.contains(part), "{part}\nis not in\n{page}");
        }
        let page = of(&connector, Lang::Zh);
        let expected = [
            "# 艾可美\n\n[English](acme.md)\n",
            "## 设置\n\n| 设置 | 值 | 默认值 | 说明 |\n| --- | --- | --- | --- |\n| `key` | 文本 | 必填 |",
            "任意 1 秒内 5 次调用；同时最多 8 次；由同一账户的所有流程共用。\n",
            "| [`orders`](#orders) | 订单 | `id` | `modified` | 1 天 | 1–100，通常 100 | backwards |\n",
            "- 补查：按 `paid`，每 6 小时一次，回溯 3 天\n",
            "- 分页：按 `page` 中的页码，从 1 开始，最后一页不满，每页 1–100，通常 100 条记录\n",
            "- 以分为单位：`a`\n- 注意：当心。\n",
        ];
        for part in expected {
            assert!(page.contains(part), "{part}\nis not in\n{page}");
        }
        let index = |lang| index(std::slice::from_ref(&connector), lang);
        assert!(index(Lang::Zh).ends_with("| [acme](acme.zh.md) | 艾可美 | `orders` | `bills` |\n"));
        assert!(index(Lang::En).ends_with("| [acme](acme.md) | Acme · 艾可美 | `orders` | `bills` |\n"));
    }
}

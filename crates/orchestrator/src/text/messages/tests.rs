//! Every sentence of the sources has its Chinese, every Chinese its sentence, and errors are told in full.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::pattern::split;
use super::scan::{Said, sentences_of, texts};
use super::*;

/// Texts that stay as they are.
const SAME: &str = include_str!("same.toml");

#[derive(serde::Deserialize)]
struct Same {
    same: BTreeSet<String>,
}

/// Where the crates stand that speak English, beside the connectors: those parts of this crate and of the importer that
/// do, and what new connectors are made of.
const PLACES: [&str; 21] = [
    "crates/alerts/src/alerts.rs",
    "crates/alerts/src/channel",
    "crates/alerts/src/edit.rs",
    "crates/core/src",
    "crates/mapping/src",
    "crates/store/src",
    "crates/engine/src",
    // What it tells programs of its figures and its API stays English.
    "crates/console/src/access",
    "crates/console/src/extract.rs",
    "crates/console/src/handlers",
    "crates/console/src/refusal.rs",
    "crates/console/src/routes.rs",
    "crates/console/src/serve",
    "crates/orchestrator/src/commands",
    "crates/orchestrator/src/desk",
    "crates/orchestrator/src/upkeep",
    "crates/orchestrator/src/wiring",
    "crates/orchestrator/src/logs.rs",
    "crates/orchestrator/src/telemetry.rs",
    "crates/import/src/json.rs",
    "xtask/templates/connector/src",
];
/// Where both languages stand side by side, but for a few sentences.
const BESIDE: [&str; 2] = ["crates/import/src/qeasy", "crates/engine/src/timetable/words.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of everything that the catalogue speaks for.
fn sources() -> Vec<Said> {
    let crates = PLACES.map(|place| root().join(place));
    let connectors = std::fs::read_dir(root().join("connectors")).unwrap();
    let connectors = connectors.map(|entry| entry.unwrap().path().join("src")).filter(|folder| folder.is_dir());
    let beside = BESIDE.map(|place| root().join(place));
    let said = crates.into_iter().chain(connectors).flat_map(|place| texts(&place));
    said.filter(|said| !beside.iter().any(|place| said.file.starts_with(place))).collect()
}

fn catalogue() -> Vec<(&'static str, String, String)> {
    FILES.into_iter().flat_map(|(name, text)| entries(text).into_iter().map(move |(en, zh)| (name, en, zh))).collect()
}

#[test]
fn every_sentence_has_its_chinese_and_no_chinese_is_stale() {
    let sources = sources();
    assert!(sources.len() > 2000, "only {} texts: the sources were not found", sources.len());
    let same = toml::from_str::<Same>(SAME).unwrap().same;
    let entries: Vec<_> = catalogue();
    let known: BTreeSet<&str> = entries.iter().map(|(_, en, _)| en.as_str()).collect();
    let sentences = sources.iter().filter(|said| said.is_sentence);
    let lacking = sentences.clone().filter(|said| !known.contains(&*said.pattern) && !same.contains(&said.pattern));
    let sentences: BTreeSet<&str> = sentences.map(|said| said.pattern.as_str()).collect();

    let lacking: Vec<_> = lacking.map(|said| format!("{}: {:?}", said.file.display(), said.pattern)).collect();
    assert!(
        lacking.is_empty(),
        "add their Chinese to crates/orchestrator/src/text/messages, a new connector's to connectors.zh.toml (or name them in same.toml if a person never reads them):\n  {}",
        lacking.join("\n  ")
    );
    let beside: Vec<_> = BESIDE.iter().flat_map(|place| texts(&root().join(place))).collect();
    let all: BTreeSet<&str> = sources.iter().chain(&beside).map(|said| said.pattern.as_str()).collect();
    let own = entries.iter().filter(|(file, ..)| *file != "foreign").map(|(_, en, _)| en.as_str());
    let stale = own.filter(|en| !all.contains(en));
    let needless = same.iter().map(String::as_str).filter(|text| !sentences.contains(text));
    let stale: Vec<_> = stale.chain(needless).collect();
    assert!(stale.is_empty(), "no source says this any more:\n  {}", stale.join("\n  "));
}

#[test]
fn no_sentence_stands_twice() {
    let mut seen = toml::from_str::<Same>(SAME).unwrap().same;
    let twice: Vec<_> = catalogue().into_iter().filter(|(_, en, _)| !seen.insert(en.clone())).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn the_chinese_carries_every_hole_and_every_name() {
    let mut wrong = Vec::new();
    for (file, en, zh) in catalogue() {
        let holes = |text: &str| split(text).into_iter().filter_map(Result::err).collect::<Vec<_>>();
        let (mut asked, mut given) = (holes(&en), holes(&zh));
        for name in &mut given {
            // A number from 0 stands for the hole's name.
            if let Some(named) = name.parse().ok().and_then(|n: usize| asked.get(n)) {
                named.clone_into(name);
            }
        }
        asked.sort();
        given.sort();
        if asked != given {
            wrong.push(format!("{file}: {en}: holes {asked:?}, and in Chinese {given:?}"));
        }
        for name in en.split('`').skip(1).step_by(2).filter(|name| !name.contains([' ', '{'])) {
            if !zh.contains(&format!("`{name}`")) {
                wrong.push(format!("{file}: {en}: `{name}` is lost"));
            }
        }
        let is_chinese = zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if !is_chinese && !zh.starts_with('`') && !zh.starts_with('{')
            || zh.contains(['(', ';', ':']) && !en.contains(['(', ';', ':', '/'])
        {
            wrong.push(format!("{file}: {zh}: not Chinese, or with marks of Latin writing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sentence_is_told_with_what_stands_in_its_holes() {
    let cases = [
        // The words of this program, alone and joined.
        ("the answer is not the documented JSON", "答复不是文档所述的 JSON"),
        ("no connector is called `kuaimia`", "没有名为 `kuaimia` 的连接器"),
        ("known: file, kuaimai", "可选：file, kuaimai"),
        ("account `km`: the disk is full", "账户 `km`：磁盘已满"),
        ("choose 1 to any number for `orders`", "请为 `orders` 选择 1 到任意数值"),
        ("receipts and deliveries differ in number: 3 and 5", "5 次投递收到了 3 份回执"),
        // A name in backticks is a name, whatever it says.
        ("`a date` must be a text, not a list", "`a date` 应为文本，而不是列表"),
        // Of two patterns that fit, the more exact one.
        ("`total` is no count", "`total` 不是计数"),
        // Why a record became a dead letter.
        (
            "field `lines[3].vouchdate`: `2026-13-01` (from `created`) is not a date",
            "字段 `lines[3].vouchdate`：`2026-13-01`（来自 `created`）不是日期",
        ),
        (
            "field `title`: `棉袜三双装` (from `品名`) has 5 characters, more than 4",
            "字段 `title`：`棉袜三双装`（来自 `品名`）有 5 个字符，超过 4 个",
        ),
        ("field `qty`: `[1]` (from `num`) is a list, not a number", "字段 `qty`：`[1]`（来自 `num`）是列表，不是数字"),
        (
            "field `code`: is missing, and the target asks for it (document 2 of the record)",
            "字段 `code`：缺失，而目标要求必填（该记录的第 2 张单据）",
        ),
        (
            "`a: b` (from `is missing`) is none of the values the target knows: x, y",
            "`a: b`（来自 `is missing`）不在目标接受的取值之中：x, y",
        ),
        // An error as one text: facts, causes and advice.
        (
            "the same page came twice (asked: page 2, parameter: pageNo): the vendor reports an error — \
             the vendor seems to ignore `pageNo`: compare its spelling with the vendor's documentation",
            "同一页返回了两次（asked: page 2, parameter: pageNo）：厂商报告错误。\
             厂商似乎忽略了 `pageNo`：请对照厂商文档检查其拼写",
        ),
        ("1 slice could not be proved complete and stays open", "有 1 个切片未能证明完整，保持未关闭"),
        ("2 slices could not be proved complete and stay open", "有 2 个切片未能证明完整，保持未关闭"),
        // The vendor's own words stay, and what stands beside them is told.
        ("签名错误 (vendor_code: 25) — check `app_key`", "签名错误 (vendor_code: 25)。请检查 `app_key`"),
        ("Insufficient stock: check the warehouse", "Insufficient stock: check the warehouse"),
        ("this and that", "this and that"),
        ("", ""),
    ];
    for (english, chinese) in cases {
        assert_eq!(Lang::Zh.retell(english), chinese);
        assert_eq!(Lang::En.retell(english), english);
    }
}

/// Whatever a hole holds, the sentence around it is found again.
#[test]
fn every_sentence_is_found_by_its_words() {
    for (file, en, zh) in catalogue() {
        let parts = split(&en);
        let is_loose = Pattern::new(&en, &zh).is_loose();
        let last = parts.iter().rposition(Result::is_err);
        let text = |(i, part): (usize, &Result<String, String>)| match part {
            Ok(words) => words.clone(),
            // What a loose pattern ends with has to be known.
            Err(_) if is_loose && Some(i) == last => "is missing".to_owned(),
            Err(_) => "x1".to_owned(),
        };
        let said: String = parts.iter().enumerate().map(text).collect();
        let told = Lang::Zh.retell(&said);
        assert_ne!(told, said.as_str(), "{file}: {en}: not found");
        assert!(!told.contains("{}") || en.contains("{{}}"), "{file}: {en}: {told}");
    }
}

#[test]
fn the_scan_finds_what_can_be_said_and_nothing_else() {
    let source = r##"
        //! A comment is not "said to anybody".
        /* Nor is "what stands here". */
        #[expect(dead_code, reason = "an attribute says it to developers")]
        fn f<'a>(x: &'a str, c: char) -> Result<()> {
            let quote = '"';
            let (tick, line) = ('\'', '\n');
            assert!(c == quote, "tests and developers read this");
            let n = x.parse().expect("it is a number");
            warn!(n, "a log is read by developers");
            let b = (b"bytes are no text", br#"nor are "these" bytes"#);
            connection.execute("SELECT a FROM b WHERE c = ?1")?;
            let title = Title::new("said in both languages", "两种语言都有");
            let example = "[accounts.km]\nconnector = \"kuaimai\" # and more";
            let setting = "since = \"from when on\"";
            let help = format!("write `{}` {n:>2} times, or {{ a = 1 }}", x);
            if n > 5 {
                return Err(Error::config("the name is too long, \
                    by {far}").advise(r#"cut it to "five" letters"#).with("word", "one"));
            }
            write!(f, "{x} is {kind}, not a text")
        }
        impl fmt::Debug for Client {
            fn fmt(&self) { write!(f, "Client of {} things", 1) }
        }
        #[cfg(test)]
        mod tests {
            fn g() { let unsaid = "only tests say this"; }
        }
        const AFTER: &str = "what follows the tests counts again";
    "##;
    let expected = [
        "write `{}` {n} times, or {{ a = 1 }}",
        "the name is too long, by {{far}}",
        "cut it to \"five\" letters",
        "{x} is {kind}, not a text",
        "what follows the tests counts again",
    ];
    assert_eq!(sentences_of(source), expected);
}

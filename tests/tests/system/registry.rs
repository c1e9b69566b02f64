//! A walk over the registry: what every connector has to say of itself, and the places that list connectors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use milkrun_bundle as _;
use milkrun_core::chinese::descriptions;
use milkrun_core::stream::{Title, UnitKind, zone};
use milkrun_core::{Catalogue, ConnectorSpec, StreamSpec, connectors};

/// The five facts that each connector states, in order.
const FACTS: [&str; 5] = ["Reference", "Token", "Paging", "Quota", "Time"];

/// The same in Chinese.
const FACTS_ZH: [&str; 5] = ["参考", "令牌", "分页", "限额", "时间"];

/// Features of the binary that are no connectors; each has to be a feature of its own still.
const BESIDES: [&str; 2] = ["keyring", "otel"];

/// The folder of the whole repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn names() -> BTreeSet<String> {
    connectors().iter().map(|spec| spec.name.to_owned()).collect()
}

/// The features of a crate but for `default` and `all`, and what `all` holds.
fn features(manifest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let manifest: toml::Table = fs::read_to_string(root().join(manifest)).unwrap().parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    let own = features.keys().filter(|name| !["default", "all"].contains(&name.as_str())).cloned().collect();
    let all = features["all"].as_array().unwrap().iter().map(|feature| feature.as_str().unwrap().to_owned());
    (own, all.collect())
}

#[test]
fn folders_features_and_registered_names_are_the_same() {
    let folders = fs::read_dir(root().join("connectors")).unwrap().map(|entry| entry.unwrap().path());
    let folders: BTreeSet<String> = folders
        .filter(|folder| folder.join("Cargo.toml").exists())
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(folders, names(), "the folders of connectors/ and the registered names");
    let (own, all) = features("crates/bundle/Cargo.toml");
    assert_eq!((&own, &all), (&folders, &folders), "the features of the bundle, and what its `all` holds");
    let (own, all) = features("crates/orchestrator/Cargo.toml");
    let besides = BESIDES.map(str::to_owned);
    assert_eq!(own, folders.iter().cloned().chain(besides).collect(), "the features of the binary");
    assert_eq!(all, BTreeSet::from(["milkrun-bundle/all".to_owned()]));
    for name in &folders {
        let manifest = fs::read_to_string(root().join("connectors").join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(&*format!("milkrun-connector-{name}")));
    }
}

#[test]
fn names_are_given_once() {
    assert_eq!(names().len(), connectors().len(), "two connectors have one name");
    for spec in connectors() {
        for kind in [(spec.streams)().into_iter().map(|s| s.name).collect::<Vec<_>>(), target_names(spec)] {
            let distinct: BTreeSet<&String> = kind.iter().collect();
            assert_eq!(distinct.len(), kind.len(), "{}: {kind:?}", spec.name);
            assert!(kind.iter().all(|name| is_name(name)), "{}: {kind:?}", spec.name);
        }
    }
}

fn target_names(spec: &ConnectorSpec) -> Vec<String> {
    (spec.targets)().into_iter().map(|target| target.name).collect()
}

/// Lower case, words joined by `-`.
fn is_name(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.split('-').all(is_word)
}

/// What is wrong with a text that has to be there in both languages.
fn wrong(title: &Title) -> Option<&'static str> {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    match title {
        Title { en, zh } if en.trim().is_empty() || zh.trim().is_empty() => Some("a language is missing"),
        Title { en, .. } if en.chars().any(is_chinese) => Some("the English text is Chinese"),
        Title { zh, .. } if !zh.chars().any(is_chinese) => Some("the Chinese text is not Chinese"),
        _ => None,
    }
}

#[test]
fn every_connector_states_its_facts_in_both_languages() {
    for spec in connectors() {
        let name = spec.name;
        assert!(is_name(name), "{name}");
        assert_eq!(wrong(&spec.title()), None, "{name}: {:?}", spec.title());
        let facts = |about: &'static str, colon| {
            let facts = about.lines().filter_map(move |line| line.strip_prefix("- ")?.split(colon).next());
            facts.collect::<Vec<_>>()
        };
        assert_eq!(facts(spec.about, ':'), FACTS, "{name}: the five facts in its about.md");
        assert_eq!(facts(spec.about_zh, '：'), FACTS_ZH, "{name}: the five facts in its about.zh.md");
        assert_eq!(code_of(spec.about), code_of(spec.about_zh), "{name}: the code in both texts");
        let example: toml::Table = spec.example.parse().unwrap();
        let accounts: Vec<_> = example["accounts"].as_table().unwrap().values().collect();
        assert!(accounts.iter().all(|account| account["connector"].as_str() == Some(name)), "{name}: its example");
        let schema = (spec.schema)().to_value();
        for (setting, property) in schema["properties"].as_object().unwrap() {
            let described = ["description", "$ref", "anyOf"].iter().any(|word| property.get(*word).is_some());
            assert!(described, "{name}: its setting `{setting}` has no description");
        }
        for rate in (spec.quota)().account.rates {
            assert!(rate.calls > 0 && !rate.per.is_zero(), "{name}: {rate:?}");
        }
        for target in (spec.targets)() {
            let notes = target.notes.iter().chain([&target.title]).find_map(wrong);
            assert_eq!(notes, None, "{name}/{}", target.name);
            assert!(target.batch > 0, "{name}/{}", target.name);
        }
    }
}

/// What stands between backticks: the same in both languages, in any order.
fn code_of(text: &str) -> Vec<String> {
    let one_line = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found: Vec<_> = text.split('`').skip(1).step_by(2).map(one_line).collect();
    // Blocks have comments, which are prose.
    found.retain(|code| !code.contains("[["));
    found.sort();
    found
}

#[test]
fn every_description_has_its_chinese_and_no_chinese_is_of_none() {
    let core = Catalogue::core();
    let mut unused = core.english();
    for spec in connectors() {
        let own = Catalogue::parse(spec.zh);
        let said = descriptions(&(spec.schema)().to_value());
        let missing: Vec<_> = said.iter().filter(|text| own.get(text).or(core.get(text)).is_none()).collect();
        assert!(missing.is_empty(), "{}: without Chinese in its zh.toml: {missing:#?}", spec.name);
        let stale: Vec<_> = own.english().into_iter().filter(|text| !said.contains(text)).collect();
        assert!(stale.is_empty(), "{}: in its zh.toml, and no description: {stale:#?}", spec.name);
        let twice: Vec<_> = own.english().into_iter().filter(|text| core.get(text) == own.get(text)).collect();
        assert!(twice.is_empty(), "{}: in its zh.toml, and the same in the core's: {twice:#?}", spec.name);
        for text in &said {
            let chinese = own.get(text).or(core.get(text)).unwrap();
            assert_eq!(code_of(text), code_of(chinese), "{}: {text} = {chinese}", spec.name);
        }
        let left: Vec<_> = descriptions(&spec.schema_zh()).intersection(&said).cloned().collect();
        assert!(left.iter().all(|text| own.get(text).or(core.get(text)) == Some(text)), "{}: {left:#?}", spec.name);
        unused.retain(|text| !said.contains(text));
    }
    assert!(unused.is_empty(), "in the core's zh.toml, and no description of any connector: {unused:#?}");
}

#[test]
fn every_stream_says_what_a_reading_and_a_mapping_rely_on() {
    let mut wrongs = Vec::new();
    for spec in connectors() {
        let streams = (spec.streams)();
        for stream in &streams {
            wrongs.extend(wrong_with(stream, &streams).map(|what| format!("{}/{}: {what}", spec.name, stream.name)));
        }
    }
    assert_eq!(wrongs, [""; 0]);
}

/// What is wrong with a stream, if anything is.
fn wrong_with(stream: &StreamSpec, all: &[StreamSpec]) -> Option<String> {
    let blank = |text: &String| text.trim().is_empty();
    if stream.key.is_empty() || stream.key.iter().any(blank) {
        return Some("no key".to_owned());
    }
    if stream.key.iter().collect::<BTreeSet<_>>().len() < stream.key.len() {
        return Some(format!("a part of the key is named twice: {:?}", stream.key));
    }
    if blank(&stream.endpoint) || stream.number.as_ref().is_some_and(blank) {
        return Some("an empty endpoint or number".to_owned());
    }
    if let Some(what) = stream.notes.iter().chain([&stream.title]).find_map(wrong) {
        return Some(format!("a title or a note: {what}"));
    }
    let sizes = stream.page_size;
    if sizes.min > sizes.usual || sizes.max.is_some_and(|max| sizes.usual > max) || sizes.usual == 0 {
        return Some(format!("page sizes {sizes:?}"));
    }
    if blank(&stream.proof.assumes().to_owned()) {
        return Some("no assumption is stated for its proof".to_owned());
    }
    if let Some(window) = &stream.window {
        if zone(&window.zone).is_err() || blank(&window.axis) {
            return Some(format!("a window over `{}` in zone `{}`", window.axis, window.zone));
        }
        if window.granularity.is_zero() || window.longest < window.granularity {
            return Some("windows of no length".to_owned());
        }
        if window.late.iter().any(|late| blank(&late.axis) || late.every.is_zero() || late.reach.is_zero()) {
            return Some("a late pass that does nothing".to_owned());
        }
    }
    if let Some(parent) = &stream.partition {
        let found = all.iter().find(|other| other.name == parent.stream);
        if found.is_none_or(|other| other.partition.is_some()) || blank(&parent.path) {
            return Some(format!("it is cut by `{}` of `{}`", parent.path, parent.stream));
        }
    }
    let mut kinds: BTreeMap<&str, UnitKind> = BTreeMap::new();
    for unit in &stream.units {
        let is_path =
            !unit.path.is_empty() && unit.path.split('.').all(|step| !step.trim_end_matches("[*]").is_empty());
        if !is_path || kinds.insert(&unit.path, unit.unit).is_some() {
            return Some(format!("the unit of `{}`", unit.path));
        }
    }
    None
}

#[test]
fn every_connector_has_a_page_in_both_languages_and_no_page_is_of_none() {
    let folder = root().join("docs/connectors");
    let pages = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = pages.filter(|page| !page.starts_with("README.")).collect();
    let expected = names().into_iter().flat_map(|name| [format!("{name}.md"), format!("{name}.zh.md")]);
    assert_eq!(pages, expected.collect(), "`cargo xtask docs` writes the pages");
}

//! What the other crates say, in Chinese: English sentences as the sources have them, and what their holes hold.
//!
//! The other crates speak English. A sentence of theirs is found in the catalogue by its words; what stood in its
//! holes is carried over. A sentence that the catalogue does not have, such as a vendor's own words, stays as it is.

mod pattern;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use pattern::Pattern;

use super::Lang;

/// The catalogue, one file for each crate, and one for what several connectors say.
const FILES: [(&str, &str); 17] = [
    ("core", include_str!("core.zh.toml")),
    ("alerts", include_str!("alerts.zh.toml")),
    ("mapping", include_str!("mapping.zh.toml")),
    ("store", include_str!("store.zh.toml")),
    ("engine", include_str!("engine.zh.toml")),
    ("console", include_str!("console.zh.toml")),
    ("orchestrator", include_str!("orchestrator.zh.toml")),
    ("foreign", include_str!("foreign.zh.toml")),
    ("template", include_str!("template.zh.toml")),
    ("connectors", include_str!("connectors.zh.toml")),
    ("chanjet-tplus", include_str!("chanjet-tplus.zh.toml")),
    ("file", include_str!("file.zh.toml")),
    ("http", include_str!("http.zh.toml")),
    ("jushuitan", include_str!("jushuitan.zh.toml")),
    ("kuaimai", include_str!("kuaimai.zh.toml")),
    ("qeasy", include_str!("qeasy.zh.toml")),
    ("yonyou-mdd", include_str!("yonyou-mdd.zh.toml")),
];

/// What stands between the parts of an error, and what stands there in Chinese.
const JOINTS: [(&str, &str); 3] = [(": ", "："), ("; ", "；"), ("：", "：")];
/// What stands around the facts of an error.
const BRACKETS: [(&str, &str); 2] = [(" (", ")"), ("（", "）")];
/// What stands between an error and what to do about it, where both are one text, and what stands there in Chinese.
const ADVICE: (&str, &str) = (" — ", "。");

/// How many places a text is cut at, to be looked at in parts: what a vendor says may be long.
const MOST_CUTS: usize = 16;

/// The patterns of all files, those with the most words of their own first.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let all = FILES.iter().flat_map(|(_, text)| entries(text));
    let mut all: Vec<Pattern> = all.map(|(english, chinese)| Pattern::new(&english, &chinese)).collect();
    all.sort_by_key(|pattern| std::cmp::Reverse(pattern.n_literal()));
    all
});

/// The sentences of one file, each with its Chinese.
fn entries(text: &str) -> BTreeMap<String, String> {
    toml::from_str(text).expect("the tests read it")
}

impl Lang {
    /// What another crate said, in this language.
    pub(crate) fn retell(self, said: &str) -> Cow<'_, str> {
        match self {
            Self::En => Cow::Borrowed(said),
            Self::Zh => whole(said).or_else(|| in_parts(said)).map_or(Cow::Borrowed(said), Cow::Owned),
        }
    }
}

/// A sentence that the catalogue has.
fn whole(said: &str) -> Option<String> {
    PATTERNS.iter().find_map(|pattern| tell(pattern, said, true))
}

/// What was said in Chinese, if it is the sentence of a pattern.
fn tell(pattern: &Pattern, said: &str, loose_too: bool) -> Option<String> {
    let holes = pattern.find_in(said)?;
    if pattern.is_loose() {
        // It has hardly a word of its own, so that what it ends with has to be known, or anything would fit.
        let end = holes.last().filter(|_| loose_too)?;
        PATTERNS.iter().find_map(|pattern| tell(pattern, end, false))?;
    }
    Some(pattern.tell(&holes, |hole| Lang::Zh.retell(hole)))
}

/// An error with its facts, its causes and its advice in one text, if the catalogue has a part of it.
fn in_parts(said: &str) -> Option<String> {
    if let Some((error, advice)) = said.rsplit_once(ADVICE.0) {
        return Some(format!("{}{}{}", Lang::Zh.retell(error), ADVICE.1, Lang::Zh.retell(advice)));
    }
    let splits = |(joint, chinese): (&'static str, &'static str)| {
        said.match_indices(joint).map(move |(at, _)| (at, at + joint.len(), chinese))
    };
    let mut all: Vec<_> = JOINTS.into_iter().flat_map(splits).collect();
    all.sort_unstable();
    all.truncate(MOST_CUTS);
    let from_left = all.iter().find_map(|&(end, begin, joint)| {
        Some(format!("{}{joint}{}", with_facts(&said[..end])?, Lang::Zh.retell(&said[begin..])))
    });
    // A vendor's words may stand before the program's own.
    let from_right = || {
        all.iter()
            .find_map(|&(end, begin, joint)| Some(format!("{}{joint}{}", &said[..end], with_facts(&said[begin..])?)))
    };
    from_left.or_else(from_right).or_else(|| with_facts(said))
}

/// A sentence that the catalogue has, with or without facts in brackets: `what happened (page: 3)`.
fn with_facts(said: &str) -> Option<String> {
    whole(said).or_else(|| {
        BRACKETS.into_iter().find_map(|(open, close)| {
            let inner = said.strip_suffix(close)?;
            let told = |at: usize| {
                let facts = &inner[at + open.len()..];
                Some(format!("{}（{}）", whole(&inner[..at])?, whole(facts).as_deref().unwrap_or(facts)))
            };
            inner.match_indices(open).take(MOST_CUTS).find_map(|(at, _)| told(at))
        })
    })
}

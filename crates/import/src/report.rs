//! What became of every key of the metadata: carried over, translated, or left for a person to decide.

use std::ops::Range;

use milkrun_core::stream::Title;
use serde::Serialize;

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It means the same in the flow, or it only describes.
    Carried,
    /// It is said in other words in the flow.
    Translated,
    /// Nothing in the flow does what it did; a person has to decide.
    Decision,
}

/// One of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What is read.
    Source,
    /// What is written.
    Target,
}

/// One key, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The text that it stands in.
    pub side: Side,
    /// Its path there, such as `request[2].value`.
    pub path: String,
    /// Its place, in bytes of the text.
    #[serde(skip)]
    pub span: Range<usize>,
    /// What became of it.
    pub fate: Fate,
    /// What it would have done, for one that needs a decision; how it was translated otherwise. Empty if it was carried.
    pub note: Title,
    /// What to write instead, where there is something.
    pub instead: Title,
}

/// All keys of both texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order of the texts, the source's first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many keys met that fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.findings.iter().filter(|finding| finding.fate == fate).count()
    }

    /// The findings that a person has to look at.
    pub fn decisions(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.fate == Fate::Decision)
    }

    /// Sorts the findings into the order of the texts.
    pub(crate) fn sort(&mut self) {
        self.findings.sort_by_key(|finding| (finding.side, finding.span.start, finding.span.end));
    }
}

/// Collects the findings of one text.
#[derive(Debug)]
pub(crate) struct Ledger {
    side: Side,
    findings: Vec<Finding>,
}

impl Ledger {
    pub(crate) fn new(side: Side) -> Self {
        Self { side, findings: Vec::new() }
    }

    /// The key means the same in the flow.
    pub(crate) fn carried(&mut self, path: &str, span: &Range<usize>) {
        self.add(path, span, Fate::Carried, Title::default(), Title::default());
    }

    /// The key is said in other words.
    pub(crate) fn translated(&mut self, path: &str, span: &Range<usize>, en: &str, zh: &str) {
        self.add(path, span, Fate::Translated, Title::new(en, zh), Title::default());
    }

    /// The key needs a decision: what it would have done, and what to write instead.
    pub(crate) fn decide(&mut self, path: &str, span: &Range<usize>, note: Title, instead: Title) {
        self.add(path, span, Fate::Decision, note, instead);
    }

    fn add(&mut self, path: &str, span: &Range<usize>, fate: Fate, note: Title, instead: Title) {
        let (side, path, span) = (self.side, path.to_owned(), span.clone());
        self.findings.push(Finding { side, path, span, fate, note, instead });
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

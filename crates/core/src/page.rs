//! Paging: where the next page starts, and how the raw page says that it is the last.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;

/// One answer of the vendor: its records, and what it says about the rest.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records of the page, in the vendor's order.
    pub records: Vec<Record>,
    /// How many records the vendor says the whole slice has.
    pub total: Option<u64>,
    /// Whether the vendor says that more follows.
    pub has_next: Option<bool>,
    /// What the vendor gives to ask for the next page with: a cursor, a link, or the highest row version.
    pub next: Option<String>,
    /// What names the state that the page was read from, where the source can tell (a file's identity).
    pub snapshot: Option<String>,
    /// The answer as it came, for the journal; empty where there is none.
    pub body: Arc<String>,
}

/// Where a page starts: the paginator's whole state, saved in the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// The only page, or the first one where the vendor needs no parameter for it.
    Start,
    /// A page number, counted as the vendor does.
    Page(u64),
    /// How many records to skip.
    Skip(u64),
    /// The vendor's cursor text.
    Cursor(String),
    /// The row version to start at, inclusive.
    Version(String),
    /// The address of the page.
    Link(String),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Page(n) => write!(f, "page {n}"),
            Self::Skip(n) => write!(f, "record {n}"),
            Self::Cursor(text) => write!(f, "cursor {text}"),
            Self::Version(text) => write!(f, "version {text}"),
            Self::Link(_) => f.write_str("link"),
        }
    }
}

/// How a raw page says that it is the last. Records are counted before any filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It holds fewer records than were asked for. Only for vendors that never give less while more is there.
    ShortPage,
    /// It holds none.
    EmptyPage,
    /// The vendor says whether more follows; a page that does not say so falls under [`End::EmptyPage`].
    HasNext,
}

/// How a stream is paged. The names are the vendor's parameters, for messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Paging {
    /// A page number that counts from `first`.
    PageNumber {
        /// The vendor's parameter.
        parameter: String,
        /// The number of the first page, 0 or 1.
        first: u64,
        /// How the last page is known.
        end: End,
    },
    /// A number of records to skip.
    Offset {
        /// The vendor's parameter.
        parameter: String,
        /// How the last page is known.
        end: End,
    },
    /// A text that each page gives for the next; a page that gives none is the last.
    Cursor {
        /// The vendor's parameter.
        parameter: String,
    },
    /// A row version that only grows, asked for inclusively; ends at a page that is not full, unless the vendor says that
    /// more follows and the version advances.
    RowVersion {
        /// The vendor's parameter.
        parameter: String,
        /// The record's field that holds the version.
        field: String,
    },
    /// The address of the next page; a page that gives none is the last.
    Link,
    /// Everything in one answer.
    None,
}

impl Paging {
    /// Page numbers from 1 that end at a short page.
    pub fn page_number(parameter: &str) -> Self {
        Self::PageNumber { parameter: parameter.to_owned(), first: 1, end: End::ShortPage }
    }

    /// The parameter that says which page is wanted.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::PageNumber { parameter, .. }
            | Self::Offset { parameter, .. }
            | Self::Cursor { parameter }
            | Self::RowVersion { parameter, .. } => Some(parameter),
            Self::Link | Self::None => None,
        }
    }

    /// Where a reading starts.
    pub fn start(&self) -> Position {
        match self {
            Self::PageNumber { first, .. } => Position::Page(*first),
            Self::Offset { .. } => Position::Skip(0),
            Self::Cursor { .. } | Self::Link | Self::None => Position::Start,
            Self::RowVersion { .. } => Position::Version("0".to_owned()),
        }
    }

    /// The position of the page with that index, counted from 0, where pages can be asked for in any order.
    pub fn nth(&self, index: u64, size: u32) -> Option<Position> {
        match self {
            Self::PageNumber { first, .. } => Some(Position::Page(first + index)),
            Self::Offset { .. } => Some(Position::Skip(index * u64::from(size))),
            _ => None,
        }
    }

    /// Where the page after `page` starts, or `None` if `page` is the last.
    ///
    /// # Errors
    /// [`ErrorKind::Incoherent`] if a full page of a row-version stream does not advance, so that the next page would
    /// be this one for ever.
    pub fn next(&self, at: &Position, page: &Page, size: u32) -> Result<Option<Position>> {
        let n_records = page.records.len() as u64;
        let short = n_records < u64::from(size);
        let ended = |end: End| match (end, page.has_next) {
            (End::ShortPage, _) => short,
            (End::HasNext, Some(more)) => !more,
            (End::EmptyPage | End::HasNext, _) => n_records == 0,
        };
        Ok(match (self, at) {
            (Self::PageNumber { end, .. }, Position::Page(n)) => (!ended(*end)).then_some(Position::Page(n + 1)),
            (Self::Offset { end, .. }, Position::Skip(n)) => (!ended(*end)).then_some(Position::Skip(n + n_records)),
            (Self::Cursor { .. }, _) => page.next.clone().map(Position::Cursor),
            (Self::Link, _) => page.next.clone().map(Position::Link),
            (Self::RowVersion { parameter, .. }, Position::Version(from)) => {
                match page.next.as_ref().filter(|version| *version != from) {
                    // A vendor that cuts pages below the size that was asked for says that more follows.
                    Some(version) if !short || page.has_next == Some(true) => Some(Position::Version(version.clone())),
                    // Versions only grow: a page that is not full reaches to the newest of this instant.
                    _ if short => None,
                    _ => {
                        return Err(Error::new(ErrorKind::Incoherent, "a full page holds a single row version")
                            .with("version", from)
                            .with("parameter", parameter)
                            .advise("raise page_size, so that all rows of one version fit a page"));
                    }
                }
            }
            (Self::None, _) => None,
            (_, at) => {
                return Err(Error::new(ErrorKind::State, "the saved position is of another kind of paging")
                    .with("position", at)
                    .advise("run once with --restart"));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(n: usize) -> Page {
        Page { records: (0..n).map(|i| Record::parse(format!("{{\"i\":{i}}}")).unwrap()).collect(), ..Page::default() }
    }

    #[test]
    fn page_numbers_end_as_declared() {
        let numbered = |end| Paging::PageNumber { parameter: "p".into(), first: 1, end };
        let next = |end, page: &Page| numbered(end).next(&Position::Page(3), page, 2).unwrap();
        let four = Some(Position::Page(4));
        assert_eq!(next(End::ShortPage, &page(2)), four);
        assert_eq!(next(End::ShortPage, &page(1)), None);
        assert_eq!(next(End::EmptyPage, &page(1)), four);
        assert_eq!(next(End::EmptyPage, &page(0)), None);
        assert_eq!(next(End::HasNext, &Page { has_next: Some(true), ..page(0) }), four);
        assert_eq!(next(End::HasNext, &Page { has_next: Some(false), ..page(2) }), None);
        assert_eq!(next(End::HasNext, &page(1)), four);
    }

    #[test]
    fn row_versions_end_at_a_page_that_is_not_full() {
        let paging = Paging::RowVersion { parameter: "start_ts".into(), field: "ts".into() };
        let at = Position::Version("7".into());
        let with = |n, next: &str| Page { next: Some(next.into()), ..page(n) };
        assert_eq!(paging.next(&at, &with(2, "9"), 2).unwrap(), Some(Position::Version("9".into())));
        assert_eq!(paging.next(&at, &with(1, "9"), 2).unwrap(), None);
        assert_eq!(paging.next(&at, &with(1, "7"), 2).unwrap(), None);
        assert_eq!(paging.next(&at, &page(0), 2).unwrap(), None);
        let cut = Page { has_next: Some(true), ..with(1, "9") };
        assert_eq!(paging.next(&at, &cut, 2).unwrap(), Some(Position::Version("9".into())));
        let end = Page { has_next: Some(true), ..with(1, "7") };
        assert_eq!(paging.next(&at, &end, 2).unwrap(), None);
        let stuck = paging.next(&at, &with(2, "7"), 2).unwrap_err();
        assert_eq!(stuck.kind(), ErrorKind::Incoherent);
    }

    #[test]
    fn the_others_follow_what_the_page_gives() {
        let cursor = Paging::Cursor { parameter: "cursor".into() };
        let more = Page { next: Some("x".into()), ..page(0) };
        assert_eq!(cursor.next(&Position::Start, &more, 2).unwrap(), Some(Position::Cursor("x".into())));
        assert_eq!(cursor.next(&Position::Start, &page(2), 2).unwrap(), None);
        assert_eq!(Paging::Link.next(&Position::Start, &more, 2).unwrap(), Some(Position::Link("x".into())));
        assert_eq!(Paging::None.next(&Position::Start, &page(5), 2).unwrap(), None);
        let offset = Paging::Offset { parameter: "skip".into(), end: End::ShortPage };
        assert_eq!(offset.next(&Position::Skip(4), &page(2), 2).unwrap(), Some(Position::Skip(6)));
        assert!(offset.next(&Position::Page(1), &page(2), 2).is_err());
    }

    #[test]
    fn positions_survive_the_checkpoint() {
        for position in [Position::Start, Position::Page(3), Position::Cursor("a\"b".into()), Position::Skip(9)] {
            let text = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), position);
        }
    }
}

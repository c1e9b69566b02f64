//! Journalled pages, and the newest records in them.

use milkrun_console::model::RawPage;
use milkrun_core::state::{Journal, JournalEntry, JournalRef, StateStore};
use milkrun_core::{Error, ErrorKind, Record, Result};

use crate::serve::House;
use crate::text::{self, Lang, fill};
use crate::wiring::State;

/// How many pages are listed at a time.
const AT_ONCE: u32 = 200;

/// A page as the vendor sent it.
pub(super) async fn raw(house: &House, flow: &str, number: u64, lang: Lang) -> Result<RawPage> {
    let none = |help| {
        let error = Error::new(ErrorKind::NotFound, fill!(lang, text::NO_SUCH_PAGE, flow = flow, number = number));
        error.advise(lang.say(help))
    };
    let id = house.flow_id(flow, lang).await?.ok_or_else(|| none(text::PAGE_NEVER_READ))?;
    let before = number.checked_add(1);
    let found = house.state.store.journal_pages(id, before, 1).await?.pop().filter(|(page, _)| *page == number);
    let (_, at) = found.ok_or_else(|| none(text::PAGE_NOT_KEPT))?;
    let entry = house.state.journal.read(flow, at).await?;
    Ok(RawPage {
        flow: flow.to_owned(),
        page: number,
        body: entry.body.as_ref().clone(),
        records: entry.records.len() as u64,
    })
}

/// The text of a record of a page.
pub(super) fn text_of(page: &JournalEntry, index: usize) -> Option<&str> {
    let (start, len) = *page.records.get(index)?;
    page.body.get(start as usize..start as usize + len as usize)
}

/// One record of a page.
pub(super) fn record_of(page: &JournalEntry, index: usize) -> Option<Record> {
    Record::parse(text_of(page, index)?).ok()
}

/// The journalled pages of a flow, newest first, so many at most; those that are gone with their retention are left out.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    state: &'a State,
    flow: &'a str,
    id: i64,
    left: usize,
    before: Option<u64>,
    /// Listed and not read yet, the next one last.
    listed: Vec<(u64, JournalRef)>,
}

impl<'a> Pages<'a> {
    pub(super) fn newest(state: &'a State, flow: &'a str, id: i64, most: usize) -> Self {
        Self { state, flow, id, left: most, before: None, listed: Vec::new() }
    }

    /// The next older page.
    pub(super) async fn next(&mut self) -> Result<Option<JournalEntry>> {
        loop {
            if self.left == 0 {
                return Ok(None);
            }
            let Some((number, at)) = self.listed.pop() else {
                self.listed = self.state.store.journal_pages(self.id, self.before, AT_ONCE).await?;
                self.listed.reverse();
                match self.listed.first() {
                    None => return Ok(None),
                    Some((oldest, _)) => self.before = Some(*oldest),
                }
                continue;
            };
            self.left -= 1;
            match self.state.journal.read(self.flow, at).await {
                Ok(page) => return Ok(Some(page)),
                Err(error) => tracing::debug!(flow = self.flow, number, %error, "a page is not kept any more"),
            }
        }
    }
}

/// The newest records that a flow has read, newest page first, each key once.
pub(super) async fn newest_records(
    state: &State,
    flow: &str,
    id: i64,
    key: &[String],
    most: usize,
) -> Result<Vec<Record>> {
    /// A page that holds nothing new may be followed by one that does.
    const MOST_PAGES: usize = 20;
    let mut pages = Pages::newest(state, flow, id, MOST_PAGES);
    let mut seen = std::collections::BTreeSet::new();
    let mut records = Vec::new();
    while let Some(page) = pages.next().await? {
        for index in (0..page.records.len()).rev() {
            let Some(record) = record_of(&page, index) else { continue };
            let is_new = milkrun_core::Key::read(&record, key).is_none_or(|key| seen.insert(key));
            if is_new {
                records.push(record);
            }
            if records.len() >= most {
                return Ok(records);
            }
        }
    }
    Ok(records)
}

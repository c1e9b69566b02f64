//! One slice being read and proved: which page to ask for next, and what the pages together prove.
//!
//! Pure: it neither fetches nor stores. Its state goes into the checkpoint as text, the digests of the keys beside it.

use milkrun_core::page::{Page, Position};
use milkrun_core::stream::{PageSize, Proof, Slice, StreamSpec};
use milkrun_core::{End, Error, ErrorKind, Paging, Result};
use serde::{Deserialize, Serialize};

use crate::digest::Digests;

/// What is asked for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where the page starts.
    pub at: Position,
    /// How many records it may have.
    pub size: u32,
}

/// What a page showed, beyond its records.
#[derive(Clone, Debug, Default)]
pub struct PageFacts {
    /// For each record, the digest of its key.
    pub digests: Vec<u64>,
    /// For each record, the digest of its key and version: changes when the record does.
    pub versions: Vec<u64>,
    /// The digest of the whole page, to know it again.
    pub print: u64,
}

/// Where a reading stands after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to ask for.
    More,
    /// The slice is proved complete.
    Proved(Evidence),
    /// The reading has ended, or cannot end well any more, and proves nothing.
    Unproved(&'static str),
}

/// On what a slice was called complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What proved it: `one-page`, `backwards`, `read-twice`, `row-version`, `snapshot`.
    pub plan: String,
    /// Distinct keys read; none where the plan needs no set of keys, and they were too many to count or partly read by
    /// an earlier run.
    pub distinct: Option<u64>,
    /// The vendor's own total, where it gave one.
    pub total: Option<u64>,
}

/// The state of a slice's reading.
#[derive(Clone, Debug)]
pub struct Reading {
    saved: Saved,
    /// The digests of the keys of this reading.
    current: Digests,
    /// Those of the last whole and clean reading, where two are compared.
    previous: Option<Digests>,
    /// Where no proof rests on the keys: whether `current` holds all of this reading. Not saved.
    counted: bool,
}

/// So many keys of a slice are counted where no proof rests on them.
///
/// They take at most 10 MB, 9 bytes for each of 2^20 places, and 5 MB more while the set grows.
const MOST_COUNTED: usize = 500_000;

/// What of it goes into the checkpoint as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    /// Counts the readings of this slice, from 1; digests are stored under it.
    number: u32,
    /// Readings that proved nothing.
    in_vain: u32,
    /// The page size of the first reading.
    size: u32,
    way: Way,
    /// The page read last, to know it again: its position and its digest.
    last: Option<(Position, u64)>,
    /// The order-free sum over the versions of this reading, and of the previous one.
    versions: u64,
    previous_versions: Option<u64>,
}

/// In which order the pages are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// The first page, to learn the total.
    Probe,
    /// From the last page to the first one.
    Backwards {
        total: u64,
        /// The index of the page that is asked for next, from 0.
        index: u64,
        n_rows: u64,
    },
    /// From the first page on.
    Forwards {
        at: Position,
        /// The page size of this reading.
        size: u32,
        n_pages: u64,
        n_rows: u64,
        total: Option<u64>,
        /// No page contradicts another one so far.
        clean: bool,
        snapshot: Option<String>,
    },
}

impl Reading {
    /// A reading that has not begun.
    pub fn new(stream: &StreamSpec, slice: &Slice, size: u32) -> Self {
        let way = match &stream.proof {
            Proof::Backwards { .. } if stream.paging.nth(0, size).is_some() => Way::Probe,
            _ => forwards(first_position(stream, slice), size),
        };
        let saved = Saved { number: 1, in_vain: 0, size, way, last: None, versions: 0, previous_versions: None };
        Self { saved, current: Digests::default(), previous: None, counted: true }
    }

    /// A reading from its checkpoint and the stored digests.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if the text was written by something else.
    pub fn restore(text: &str, digests: Vec<(u32, Vec<u64>)>) -> Result<Self> {
        let mut saved: Saved = serde_json::from_str(text)
            .map_err(|e| Error::new(ErrorKind::State, "the checkpoint of a slice cannot be read").caused_by(e))?;
        // Between two runs rows may have moved by just one page: only pages of one run are compared.
        saved.last = None;
        let mut current = Digests::default();
        let mut previous = saved.previous_versions.map(|_| Digests::default());
        for (number, digests) in digests {
            if number == saved.number {
                current.extend(digests);
            } else if let Some(previous) = &mut previous
                && number + 1 == saved.number
            {
                previous.extend(digests);
            }
        }
        // Keys that no proof rests on are not stored: what an earlier run has read of them is not known.
        let counted = matches!(saved.way, Way::Probe | Way::Forwards { n_pages: 0, .. });
        Ok(Self { saved, current, previous, counted })
    }

    /// The text for the checkpoint.
    pub fn save(&self) -> String {
        serde_json::to_string(&self.saved).expect("positions and numbers can be written")
    }

    /// The number that the next page's digests are stored under.
    pub fn number(&self) -> u32 {
        self.saved.number
    }

    /// Digests of readings below this number are not needed any more.
    pub fn forget_below(&self) -> u32 {
        self.saved.number - u32::from(self.previous.is_some())
    }

    /// How many readings proved nothing.
    pub fn in_vain(&self) -> u32 {
        self.saved.in_vain
    }

    /// Forgets how many readings proved nothing: the next run tries as often.
    pub fn forgive(&mut self) {
        self.saved.in_vain = 0;
    }

    /// What the vendor says the slice has, as far as it is known.
    pub fn total(&self) -> Option<u64> {
        match &self.saved.way {
            Way::Probe => None,
            Way::Backwards { total, .. } => Some(*total),
            Way::Forwards { total, .. } => *total,
        }
    }

    /// Pages and rows that this reading has taken into account.
    pub fn done(&self) -> (u64, u64) {
        match &self.saved.way {
            Way::Probe => (0, 0),
            Way::Backwards { total, index, n_rows } => {
                let n_pages = total.div_ceil(u64::from(self.saved.size.max(1)));
                (n_pages.saturating_sub(index + 1), *n_rows)
            }
            Way::Forwards { n_pages, n_rows, .. } => (*n_pages, *n_rows),
        }
    }

    /// The page to ask for next.
    pub fn ask(&self, stream: &StreamSpec) -> Ask {
        let size = self.saved.size;
        match &self.saved.way {
            Way::Probe => Ask { at: stream.paging.start(), size },
            Way::Backwards { index, .. } => {
                let at = stream.paging.nth(*index, size).expect("only pages that have numbers are probed");
                Ask { at, size }
            }
            Way::Forwards { at, size, .. } => Ask { at: at.clone(), size: *size },
        }
    }

    /// Where the next run of a row-version stream starts.
    pub fn version(&self) -> Option<&str> {
        match &self.saved.way {
            Way::Forwards { at: Position::Version(version), .. } => Some(version),
            _ => None,
        }
    }

    /// Whether the digests of the pages have to be stored: some plans need no set of keys.
    pub fn keeps_digests(stream: &StreamSpec) -> bool {
        !matches!(stream.proof, Proof::RowVersion { .. } | Proof::Snapshot { .. })
    }

    /// Takes a page into account.
    ///
    /// `eager` says that a reading which can prove nothing any more should end at once, because the slice can be
    /// split; otherwise it goes on, so that at least every row is seen.
    ///
    /// # Errors
    /// [`ErrorKind::Incoherent`] if the page is the one before it once more, or does not advance.
    pub fn accept(&mut self, stream: &StreamSpec, page: &Page, facts: &PageFacts, eager: bool) -> Result<Step> {
        let ask = self.ask(stream);
        self.refuse_repetition(stream, &ask, page, facts)?;
        let repeated = if Self::keeps_digests(stream) {
            let before = self.current.len();
            self.current.extend(facts.digests.iter().copied());
            self.current.len() - before < page.records.len()
        } else {
            self.count(&facts.digests);
            false
        };
        for version in &facts.versions {
            self.saved.versions = self.saved.versions.wrapping_add(*version);
        }
        if matches!(self.saved.way, Way::Probe)
            && let Some(step) = self.accept_probe(&ask, page)
        {
            return Ok(step);
        }
        match self.saved.way.clone() {
            Way::Probe => unreachable!("a probe has ended above"),
            Way::Backwards { total, index, n_rows } => {
                Ok(self.accept_backwards(page, total, index, n_rows, repeated, eager))
            }
            Way::Forwards { .. } => self.accept_forwards(stream, &ask, page, repeated, eager),
        }
    }

    /// Counts keys that no proof rests on, in memory alone, and gives up when there are too many.
    fn count(&mut self, digests: &[u64]) {
        if !self.counted {
            return;
        }
        self.current.extend(digests.iter().copied());
        if self.current.len() > MOST_COUNTED {
            self.counted = false;
            self.current = Digests::default();
        }
    }

    /// Learns the total from the first page; without one, `None`: this is the first page of two readings.
    fn accept_probe(&mut self, ask: &Ask, page: &Page) -> Option<Step> {
        let n_rows = page.records.len() as u64;
        let Some(total) = page.total else {
            self.saved.way = forwards(ask.at.clone(), ask.size);
            return None;
        };
        if n_rows == total && page.has_next != Some(true) {
            let distinct = Some(self.current.len() as u64);
            return Some(Step::Proved(Evidence { plan: "one-page".into(), distinct, total: Some(total) }));
        }
        if n_rows >= total || n_rows == 0 {
            return Some(self.fail("the first page and the total contradict each other"));
        }
        // A vendor that gives shorter pages than asked for, without saying so, is asked for those.
        self.saved.size = self.saved.size.min(u32::try_from(n_rows).unwrap_or(u32::MAX));
        let n_pages = total.div_ceil(u64::from(self.saved.size));
        // The first page is read once more at the end, and counts only then.
        self.current.clear();
        self.saved.versions = 0;
        self.saved.number += 1;
        self.saved.way = Way::Backwards { total, index: n_pages - 1, n_rows: 0 };
        Some(Step::More)
    }

    fn accept_backwards(
        &mut self,
        page: &Page,
        total: u64,
        index: u64,
        n_rows: u64,
        repeated: bool,
        eager: bool,
    ) -> Step {
        let size = u64::from(self.saved.size);
        let here = page.records.len() as u64;
        let n_rows = n_rows + here;
        let expected = (total - index * size).min(size);
        let contradicted = page.total.is_some_and(|t| t != total) || here != expected || repeated;
        if contradicted && eager {
            return self.fail("rows moved while the pages were read");
        }
        if index > 0 {
            self.saved.way = Way::Backwards { total, index: index - 1, n_rows };
            return Step::More;
        }
        let distinct = self.current.len() as u64;
        // The last page read is the first one, and it was asked for before all others too: a total that it does not
        // repeat is no total to rely on.
        if !contradicted && page.total == Some(total) && distinct == total && n_rows == total {
            return Step::Proved(Evidence { plan: "backwards".into(), distinct: Some(distinct), total: Some(total) });
        }
        self.fail("the pages do not add up to the total")
    }

    fn accept_forwards(
        &mut self,
        stream: &StreamSpec,
        ask: &Ask,
        page: &Page,
        repeated: bool,
        eager: bool,
    ) -> Result<Step> {
        let Way::Forwards { size, n_pages, n_rows, total, clean, snapshot, .. } = self.saved.way.clone() else {
            unreachable!("called for readings from the first page on")
        };
        let n_rows = n_rows + page.records.len() as u64;
        let next = stream.paging.next(&ask.at, page, ask.size)?;
        let first = n_pages == 0;
        // Some sources, files among them, know the total at the end only.
        let total = if first { page.total } else { total.or(page.total) };
        let same_total = page.total.is_none() || page.total == total;
        let snapshot = if first { page.snapshot.clone() } else { snapshot };
        let same_snapshot = page.snapshot == snapshot;
        // Only where a short page ends the list does a short page in its middle show that rows moved.
        let full = next.is_none() || page.records.len() >= ask.size as usize || !ends_short(&stream.paging);
        let clean = clean && same_total && same_snapshot && full && !repeated;
        let by_versions = matches!(stream.proof, Proof::RowVersion { .. });
        if !clean && eager && !by_versions {
            return Ok(self.fail("rows moved while the pages were read"));
        }
        if let Some(next) = next {
            self.saved.way = Way::Forwards { at: next, size, n_pages: n_pages + 1, n_rows, total, clean, snapshot };
            return Ok(Step::More);
        }
        let knows_keys = Self::keeps_digests(stream) || self.counted;
        let distinct = knows_keys.then_some(self.current.len() as u64);
        let adds_up = total.is_none_or(|t| t == n_rows);
        let proved = |plan: &str| Ok(Step::Proved(Evidence { plan: plan.to_owned(), distinct, total }));
        match &stream.proof {
            Proof::RowVersion { .. } => {
                let at = page.next.clone().map_or(ask.at.clone(), Position::Version);
                self.saved.way = Way::Forwards { at, size, n_pages: n_pages + 1, n_rows, total, clean, snapshot };
                return proved("row-version");
            }
            Proof::Snapshot { .. } if clean && adds_up && snapshot.is_some() => return proved("snapshot"),
            // One answer shows one instant: nothing can move between its rows.
            _ if first && clean && adds_up && page.has_next != Some(true) => return proved("one-page"),
            _ => {}
        }
        if !(clean && adds_up) {
            return Ok(self.fail("rows moved while the pages were read"));
        }
        let same = self.previous.as_ref().is_some_and(|previous| *previous == self.current)
            && (stream.window.is_none() || self.saved.previous_versions == Some(self.saved.versions));
        if same {
            return proved("read-twice");
        }
        let compared = self.previous.is_some();
        self.saved.in_vain += u32::from(compared);
        self.previous = Some(std::mem::take(&mut self.current));
        self.saved.previous_versions = Some(self.saved.versions);
        self.begin(forwards(stream.paging.start(), other_size(size, stream.page_size)));
        Ok(if compared { Step::Unproved("two readings gave different rows") } else { Step::More })
    }

    /// Ends a reading that proves nothing; the next one starts anew.
    fn fail(&mut self, why: &'static str) -> Step {
        self.saved.in_vain += 1;
        self.previous = None;
        self.saved.previous_versions = None;
        Step::Unproved(why)
    }

    /// Starts the slice's next reading, unless it has begun already.
    pub fn again(&mut self, stream: &StreamSpec, slice: &Slice) {
        if !matches!(&self.saved.way, Way::Forwards { n_pages: 0, .. }) || self.saved.last.is_some() {
            self.begin(Self::new(stream, slice, self.saved.size).saved.way);
        }
    }

    fn begin(&mut self, way: Way) {
        self.current.clear();
        self.counted = true;
        self.saved.versions = 0;
        self.saved.number += 1;
        self.saved.last = None;
        self.saved.way = way;
    }

    /// The same page at another position: the vendor does not look at the position.
    fn refuse_repetition(&mut self, stream: &StreamSpec, ask: &Ask, page: &Page, facts: &PageFacts) -> Result<()> {
        let versioned = matches!(stream.paging, Paging::RowVersion { .. });
        if let Some((position, print)) = &self.saved.last
            && *print == facts.print
            && *position != ask.at
            && !page.records.is_empty()
            && !versioned
        {
            let parameter = stream.paging.parameter().unwrap_or("the page parameter");
            let error = Error::new(ErrorKind::Incoherent, "the same page came twice");
            return Err(error.with("asked", &ask.at).with("before", position).with("parameter", parameter).advise(
                format!(
                    "the vendor seems to ignore `{parameter}`: compare its spelling with the vendor's documentation"
                ),
            ));
        }
        self.saved.last = Some((ask.at.clone(), facts.print));
        Ok(())
    }
}

fn forwards(at: Position, size: u32) -> Way {
    Way::Forwards { at, size, n_pages: 0, n_rows: 0, total: None, clean: true, snapshot: None }
}

/// Every second reading asks for pages of another size, so that no row sits at a page's edge in both.
fn other_size(size: u32, limits: PageSize) -> u32 {
    if size > limits.min.max(1) { size - 1 } else { (size + 1).min(limits.max.unwrap_or(u32::MAX)) }
}

fn ends_short(paging: &Paging) -> bool {
    matches!(paging, Paging::PageNumber { end: End::ShortPage, .. } | Paging::Offset { end: End::ShortPage, .. })
}

fn first_position(stream: &StreamSpec, slice: &Slice) -> Position {
    match (&stream.paging, &slice.from_version) {
        (Paging::RowVersion { .. }, Some(version)) => Position::Version(version.clone()),
        _ => stream.paging.start(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milkrun_core::Record;
    use milkrun_testkit::sample_stream;

    /// A page of rows with these keys.
    fn page(keys: &[u64], total: Option<u64>) -> (Page, PageFacts) {
        let records = keys.iter().map(|key| Record::parse(format!("{{\"id\":{key}}}")).unwrap()).collect();
        let print = keys.iter().fold(7, |print, key| print * 31 + key);
        let facts = PageFacts { digests: keys.to_vec(), versions: keys.to_vec(), print };
        (Page { records, total, ..Page::default() }, facts)
    }

    /// Plays pages one after the other; returns what was asked and where the last one led.
    fn play(
        stream: &StreamSpec,
        size: u32,
        eager: bool,
        pages: &[(&[u64], Option<u64>)],
    ) -> (Vec<String>, Result<Step>) {
        let mut reading = Reading::new(stream, &Slice::default(), size);
        let mut asked = Vec::new();
        let mut last = Ok(Step::More);
        for (keys, total) in pages {
            let ask = reading.ask(stream);
            asked.push(format!("{} of {}", ask.at, ask.size));
            let (page, facts) = page(keys, *total);
            last = reading.accept(stream, &page, &facts, eager);
            if !matches!(last, Ok(Step::More)) {
                break;
            }
            // Every page is a place to crash.
            let digests = vec![(reading.number(), reading.current.iter().copied().collect())];
            let previous = reading.previous.iter().map(|set| (reading.number() - 1, set.iter().copied().collect()));
            let printed = reading.saved.last.clone();
            reading = Reading::restore(&reading.save(), previous.chain(digests).collect()).unwrap();
            reading.saved.last = printed;
        }
        (asked, last)
    }

    fn proved(plan: &str, distinct: u64, total: Option<u64>) -> Step {
        Step::Proved(Evidence { plan: plan.into(), distinct: Some(distinct), total })
    }

    #[test]
    fn one_answer_needs_no_second() {
        let stream = sample_stream();
        assert_eq!(play(&stream, 3, true, &[(&[], Some(0))]).1.unwrap(), proved("one-page", 0, Some(0)));
        assert_eq!(play(&stream, 3, true, &[(&[1, 2, 3], Some(3))]).1.unwrap(), proved("one-page", 3, Some(3)));
        assert_eq!(play(&stream, 3, true, &[(&[1, 2], None)]).1.unwrap(), proved("one-page", 2, None));
        assert!(matches!(play(&stream, 3, true, &[(&[], Some(5))]).1.unwrap(), Step::Unproved(_)));
    }

    #[test]
    fn with_a_total_the_last_page_comes_first() {
        let pages: &[(&[u64], Option<u64>)] =
            &[(&[1, 2, 3], Some(7)), (&[7], None), (&[4, 5, 6], Some(7)), (&[1, 2, 3], Some(7))];
        let (asked, last) = play(&sample_stream(), 3, true, pages);
        assert_eq!(asked, ["page 1 of 3", "page 3 of 3", "page 2 of 3", "page 1 of 3"]);
        assert_eq!(last.unwrap(), proved("backwards", 7, Some(7)));
    }

    #[test]
    fn a_total_that_only_the_last_page_names_has_to_add_up() {
        let read = |last: u64| {
            let stream = StreamSpec { proof: Proof::Snapshot { assumes: String::new() }, ..sample_stream() };
            let mut reading = Reading::new(&stream, &Slice::default(), 3);
            let mut step = Step::More;
            for (keys, total) in [(&[1, 2, 3][..], None), (&[4, 5][..], Some(last))] {
                let (page, facts) = page(keys, total);
                let page = Page { snapshot: Some("s".into()), ..page };
                step = reading.accept(&stream, &page, &facts, true).unwrap();
            }
            step
        };
        assert_eq!(read(5), proved("snapshot", 5, Some(5)));
        assert!(matches!(read(6), Step::Unproved(_)));
    }

    #[test]
    fn keys_that_no_proof_rests_on_are_counted_while_they_are_few() {
        let stream = StreamSpec { proof: Proof::Snapshot { assumes: String::new() }, ..sample_stream() };
        let part = |keys: &[u64], total| {
            let (page, facts) = page(keys, total);
            (Page { snapshot: Some("s".into()), ..page }, facts)
        };
        let evidence = |distinct, total| Step::Proved(Evidence { plan: "snapshot".into(), distinct, total });
        let read = |restored: bool| {
            let mut reading = Reading::new(&stream, &Slice::default(), 3);
            let (first, facts) = part(&[1, 2, 2], None);
            assert_eq!(reading.accept(&stream, &first, &facts, true).unwrap(), Step::More);
            if restored {
                reading = Reading::restore(&reading.save(), Vec::new()).unwrap();
            }
            let (last, facts) = part(&[2, 3], Some(5));
            reading.accept(&stream, &last, &facts, true).unwrap()
        };
        assert_eq!(read(false), evidence(Some(3), Some(5)));
        assert_eq!(read(true), evidence(None, Some(5)), "what an earlier run has read is not known");

        let most = MOST_COUNTED as u64;
        for (n, distinct) in [(most, Some(most)), (most + 1, None)] {
            let mut reading = Reading::new(&stream, &Slice::default(), 1_000_000);
            let (last, mut facts) = part(&[1], None);
            facts.digests = (0..n).collect();
            assert_eq!(reading.accept(&stream, &last, &facts, true).unwrap(), evidence(distinct, None));
            assert!(reading.current.len() <= MOST_COUNTED);
        }
    }

    #[test]
    fn a_row_that_leaves_or_moves_proves_nothing() {
        let stream = sample_stream();
        let left: &[(&[u64], Option<u64>)] = &[(&[1, 2, 3], Some(5)), (&[5], Some(4))];
        assert!(matches!(play(&stream, 3, true, left).1.unwrap(), Step::Unproved(_)));
        // Row 1 has moved behind what was read: the total stays, one key is missing.
        let moved: &[(&[u64], Option<u64>)] = &[(&[1, 2, 3], Some(5)), (&[4, 5], Some(5)), (&[2, 3, 4], Some(5))];
        assert!(matches!(play(&stream, 3, false, moved).1.unwrap(), Step::Unproved(_)));
        let total_lost: &[(&[u64], Option<u64>)] = &[(&[1, 2, 3], Some(4)), (&[4], None), (&[1, 2, 3], None)];
        assert!(matches!(play(&stream, 3, false, total_lost).1.unwrap(), Step::Unproved(_)));
    }

    #[test]
    fn without_a_total_two_readings_have_to_agree() {
        let pages: &[(&[u64], Option<u64>)] =
            &[(&[1, 2, 3], None), (&[4, 5], None), (&[1, 2], None), (&[3, 4], None), (&[5], None)];
        let (asked, last) = play(&sample_stream(), 3, true, pages);
        assert_eq!(asked, ["page 1 of 3", "page 2 of 3", "page 1 of 2", "page 2 of 2", "page 3 of 2"]);
        assert_eq!(last.unwrap(), proved("read-twice", 5, None));
        let other: &[(&[u64], Option<u64>)] =
            &[(&[1, 2, 3], None), (&[4, 5], None), (&[1, 2], None), (&[3, 4], None), (&[6], None)];
        assert_eq!(
            play(&sample_stream(), 3, true, other).1.unwrap(),
            Step::Unproved("two readings gave different rows")
        );
    }

    #[test]
    fn shorter_pages_than_asked_for_are_noticed() {
        let pages: &[(&[u64], Option<u64>)] = &[(&[1, 2], Some(3)), (&[3], Some(3)), (&[1, 2], Some(3))];
        let (asked, last) = play(&sample_stream(), 100, true, pages);
        assert_eq!(asked, ["page 1 of 100", "page 2 of 2", "page 1 of 2"]);
        assert_eq!(last.unwrap(), proved("backwards", 3, Some(3)));
    }

    #[test]
    fn the_same_page_at_another_place_names_the_parameter() {
        for total in [None, Some(100)] {
            let pages: &[(&[u64], Option<u64>)] = &[(&[1, 2, 3], total), (&[1, 2, 3], total)];
            let error = play(&sample_stream(), 3, false, pages).1.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incoherent);
            assert_eq!(error.fact("parameter"), Some("pageNo"));
        }
    }
}

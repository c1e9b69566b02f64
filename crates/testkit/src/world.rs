//! A seeded vendor in memory whose rows change while they are read: they leave the window, move in it, enter late,
//! vanish and come back. It is the ground truth that simulations compare with.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::connector::{PageRequest, Source};
use milkrun_core::page::{Page, Paging, Position};
use milkrun_core::stream::StreamSpec;
use milkrun_core::{Context, Error, ErrorKind, Record, Result};

use crate::dice::Dice;

/// How a world changes while it is read. Each figure is the chance, in percent, for each page that is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drift {
    /// A row is changed now: it leaves every window that ends before now.
    pub leave: u64,
    /// A row gets another place in the order.
    pub move_in: u64,
    /// A row appears with a time in the past, no further back than [`World::lateness`].
    pub enter_late: u64,
    /// A row vanishes from the answers without a change, or comes back.
    pub flicker: u64,
    /// A new row appears with the time of now.
    pub arrive: u64,
    /// A call fails.
    pub fail: u64,
    /// An answer comes late.
    pub slow: u64,
}

/// Where a vendor gives its total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Totals {
    /// On every page.
    Every,
    /// On the first page.
    First,
    /// Nowhere.
    Never,
}

/// The order in which a vendor lists its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest change first.
    Ascending,
    /// Newest change first.
    Descending,
    /// By something else that may change.
    Rank,
}

/// One row of the world.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its key.
    pub id: u64,
    /// When it was changed last, in milliseconds since 1970; for worlds of versions, its version.
    pub modified: i64,
    /// Counts its contents.
    pub version: u64,
    /// Whether answers show it.
    pub shown: bool,
    /// When anything about it last happened.
    pub touched: Timestamp,
    rank: u64,
}

impl Row {
    /// The row as the vendor sends it.
    pub fn text(&self) -> String {
        let Self { id, modified, version, .. } = self;
        let lines = r#"[{"n":1},{"n":2}]"#;
        format!(r#"{{"id":{id},"modified":{modified},"version":{version},"amount":0.10,"lines":{lines}}}"#)
    }
}

/// The vendor. Clones share it.
#[derive(Clone, Debug)]
pub struct World {
    streams: Arc<[StreamSpec]>,
    inner: Arc<Mutex<Inner>>,
    /// How far back a row that enters late is dated, at most.
    pub lateness: Duration,
    totals: Totals,
    order: Order,
}

#[derive(Debug)]
struct Inner {
    rows: Vec<Row>,
    dice: Dice,
    drift: Drift,
    next_id: u64,
    next_version: i64,
    n_pages: u64,
}

impl World {
    /// A world of `n_rows` rows spread over `history` before `now`.
    pub fn new(seed: u64, stream: StreamSpec, n_rows: u64, now: Timestamp, history: Duration) -> Self {
        let mut dice = Dice::new(seed);
        let versioned = matches!(stream.paging, Paging::RowVersion { .. });
        let span = u64::try_from(history.as_millis()).expect("a short history");
        let rows: Vec<Row> = (1..=n_rows)
            .map(|id| {
                let ago = i64::try_from(dice.below(span)).expect("a short history");
                let modified =
                    if versioned { i64::try_from(id).expect("few rows") } else { now.as_millisecond() - ago };
                let touched = now - SignedDuration::from_hours(1);
                Row { id, modified, version: 1, shown: true, touched, rank: dice.next_u64() }
            })
            .collect();
        let totals = [Totals::Every, Totals::First, Totals::Never][dice.index(3).expect("three")];
        let order = [Order::Ascending, Order::Descending, Order::Rank][dice.index(3).expect("three")];
        let next_version = i64::try_from(n_rows).expect("few rows") + 1;
        let inner = Inner { rows, dice, drift: Drift::default(), next_id: n_rows + 1, next_version, n_pages: 0 };
        Self {
            streams: Arc::from([stream]),
            inner: Arc::new(Mutex::new(inner)),
            lateness: Duration::from_mins(10),
            totals,
            order,
        }
    }

    /// The same world with its totals given in another place.
    #[must_use]
    pub fn with_totals(mut self, totals: Totals) -> Self {
        self.totals = totals;
        self
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder panics")
    }

    /// How it changes from now on.
    pub fn set_drift(&self, drift: Drift) {
        self.inner().drift = drift;
    }

    /// Shows every row again, as a change of now.
    pub fn settle(&self, now: Timestamp) {
        let inner = &mut *self.inner();
        for row in inner.rows.iter_mut().filter(|row| !row.shown) {
            row.shown = true;
            inner.next_version += 1;
            let versioned = matches!(self.streams[0].paging, Paging::RowVersion { .. });
            row.modified = if versioned { inner.next_version } else { now.as_millisecond() };
            row.version += 1;
            row.touched = now;
        }
    }

    /// The rows as they are.
    pub fn rows(&self) -> Vec<Row> {
        self.inner().rows.clone()
    }

    /// How many pages were read.
    pub fn n_pages(&self) -> u64 {
        self.inner().n_pages
    }

    fn change(&self, inner: &mut Inner, now: Timestamp) {
        let drift = inner.drift;
        let versioned = matches!(self.streams[0].paging, Paging::RowVersion { .. });
        let time = now.as_millisecond();
        if inner.dice.percent(drift.leave) {
            for _ in 0..inner.dice.between(1, 3) {
                let Some(index) = inner.dice.index(inner.rows.len()) else { break };
                inner.next_version += 1;
                let row = &mut inner.rows[index];
                row.modified = if versioned { inner.next_version } else { time };
                row.version += 1;
                row.touched = now;
            }
        }
        if inner.dice.percent(drift.move_in)
            && let Some(index) = inner.dice.index(inner.rows.len())
        {
            inner.rows[index].rank = inner.dice.next_u64();
        }
        if inner.dice.percent(drift.flicker)
            && let Some(index) = inner.dice.index(inner.rows.len())
        {
            let row = &mut inner.rows[index];
            row.shown ^= true;
            row.touched = now;
            // A row that comes back unchanged into a window that nobody reads any more could never be found.
            let lateness = i64::try_from(self.lateness.as_millis()).expect("short");
            if row.shown && self.streams[0].window.is_some() && row.modified < time - lateness {
                row.modified = time;
                row.version += 1;
            }
        }
        let late = inner.dice.percent(drift.enter_late);
        if late || inner.dice.percent(drift.arrive) {
            let back =
                if late { inner.dice.below(u64::try_from(self.lateness.as_millis()).expect("short")) } else { 0 };
            inner.next_version += 1;
            let modified = if versioned { inner.next_version } else { time - i64::try_from(back).expect("short") };
            let row =
                Row { id: inner.next_id, modified, version: 1, shown: true, touched: now, rank: inner.dice.next_u64() };
            inner.next_id += 1;
            inner.rows.push(row);
        }
    }

    fn answer(&self, inner: &Inner, ask: PageRequest<'_>) -> Result<Page> {
        let inside = |row: &&Row| {
            let Some(window) = ask.slice.window else { return true };
            // As vendors do: whole seconds, both ends inclusive.
            let (from, until) = (window.from.as_second() * 1000, window.until.as_second() * 1000);
            (from..=until).contains(&row.modified)
        };
        let mut rows: Vec<&Row> = inner.rows.iter().filter(|row| row.shown).filter(inside).collect();
        match (&ask.stream.paging, self.order) {
            (Paging::RowVersion { .. }, _) | (_, Order::Ascending) => rows.sort_by_key(|row| (row.modified, row.id)),
            (_, Order::Descending) => rows.sort_by_key(|row| (-row.modified, row.id)),
            (_, Order::Rank) => rows.sort_by_key(|row| (row.rank, row.id)),
        }
        let total = rows.len() as u64;
        let size = ask.size as usize;
        let mut page = Page::default();
        let (skip, first) = match ask.at {
            Position::Page(n) => ((usize::try_from(*n).expect("few pages") - 1) * size, *n == 1),
            Position::Version(from) => {
                let from: i64 = from.parse().map_err(|_| Error::new(ErrorKind::Refused, "no version"))?;
                rows.retain(|row| row.modified >= from);
                (0, false)
            }
            Position::Start => (0, true),
            other => return Err(Error::new(ErrorKind::Refused, "no such position").with("position", other)),
        };
        rows = rows.into_iter().skip(skip).take(size).collect();
        if let Paging::RowVersion { .. } = ask.stream.paging {
            page.next = rows.iter().map(|row| row.modified).max().map(|v| v.to_string());
        }
        page.total = match self.totals {
            Totals::Every => Some(total),
            Totals::First => first.then_some(total),
            Totals::Never => None,
        };
        page.records = rows.into_iter().map(|row| Record::parse(row.text())).collect::<Result<_>>()?;
        Ok(page)
    }
}

#[async_trait]
impl Source for World {
    fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    async fn check(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let (page, wait) = {
            let inner = &mut *self.inner();
            inner.n_pages += 1;
            self.change(inner, cx.now());
            if inner.dice.percent(inner.drift.fail) {
                return Err(Error::new(ErrorKind::Unavailable, "the vendor is away"));
            }
            let page = self.answer(inner, ask)?;
            let slow = inner.dice.percent(inner.drift.slow);
            let wait = if slow { inner.dice.below(20_000) } else { inner.dice.below(80) };
            (page, Duration::from_millis(wait))
        };
        // What the answer shows was true when it was made, not when it arrives.
        cx.clock().sleep(wait).await;
        Ok(page)
    }
}

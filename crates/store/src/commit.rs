//! What each change does to the rows of its flow.

use milkrun_core::state::{Change, DeadLetter, FlowState, JournalRef, Lease, Planned, RunRecord, StoredSlice};
use milkrun_core::{Error, ErrorKind, Result, Slice, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{SqlKey, Written, digest_bytes, digests, from_id, id, journal_ref};
use crate::fault::{Fault, Work};
use crate::ledger::{Recent, Written as LedgerWritten};
use crate::{lease, leaves, ledger};

/// The part of a flow's row that changes may touch.
#[derive(Clone, Debug, PartialEq)]
struct Head {
    next_slice: i64,
    next_page: i64,
    next_letter: i64,
    ledger_rows: i64,
    sink_mark: Option<String>,
    resume_version: Option<String>,
    journal_end: JournalRef,
}

impl Head {
    fn load(conn: &Connection, flow: i64) -> Work<Self> {
        let head = conn
            .prepare_cached(
                "SELECT next_slice, next_page, next_letter, ledger_rows, sink_mark, resume_version, \
                 journal_segment, journal_offset, journal_len FROM flow WHERE id = ?1",
            )?
            .query_row([flow], |row| {
                Ok(Self {
                    next_slice: row.get(0)?,
                    next_page: row.get(1)?,
                    next_letter: row.get(2)?,
                    ledger_rows: row.get(3)?,
                    sink_mark: row.get(4)?,
                    resume_version: row.get(5)?,
                    journal_end: journal_ref(row, 6)?,
                })
            })?;
        Ok(head)
    }

    fn save(&self, conn: &Connection, flow: i64) -> Work<()> {
        let end = self.journal_end;
        conn.prepare_cached(
            "UPDATE flow SET next_slice = ?2, next_page = ?3, next_letter = ?4, ledger_rows = ?5, sink_mark = ?6, \
             resume_version = ?7, journal_segment = ?8, journal_offset = ?9, journal_len = ?10 WHERE id = ?1",
        )?
        .execute(params![
            flow,
            self.next_slice,
            self.next_page,
            self.next_letter,
            self.ledger_rows,
            self.sink_mark,
            self.resume_version,
            end.segment,
            id(end.offset),
            end.len
        ])?;
        Ok(())
    }
}

/// Makes all changes; the caller's transaction undoes them together if one fails. What of the ledger is not merged yet
/// is given back, to be known once it is committed.
pub(crate) fn apply(
    conn: &Connection,
    worker: &str,
    lease: Lease,
    changes: Vec<Change>,
    recent: &Recent,
) -> Work<LedgerWritten> {
    lease::check(conn, worker, lease)?;
    let before = Head::load(conn, lease.flow)?;
    let (head, ledger) = (before.clone(), Vec::new());
    let mut change = Changing { conn, lease, flow: lease.flow, head, ledger, has_reset: false };
    for one in changes {
        change.make(one)?;
    }
    let rows = std::mem::take(&mut change.ledger);
    let mut written = ledger::write(conn, lease.flow, rows, recent)?;
    change.head.ledger_rows += written.n_new.cast_signed();
    if change.has_reset && !written.merged {
        // What waited is gone, and nothing that is written now may be mistaken for it.
        change.head.ledger_rows += ledger::merge(conn, lease.flow)?.cast_signed();
        written.merged = true;
    }
    if change.head != before {
        change.head.save(conn, lease.flow)?;
    }
    Ok(written)
}

struct Changing<'c> {
    conn: &'c Connection,
    lease: Lease,
    flow: i64,
    head: Head,
    /// Rows of all pages of the commit, written together.
    ledger: Vec<milkrun_core::state::LedgerRow>,
    has_reset: bool,
}

impl Changing<'_> {
    fn make(&mut self, change: Change) -> Work<()> {
        match change {
            Change::SliceOpened { id, slice, share, reading } => self.open_slice(id, &slice, share, &reading),
            Change::SliceAdvanced { id, reading, digests, forget_below } => {
                self.advance_slice(id, &reading, digests, forget_below)
            }
            Change::SliceClosed { id: slice } => {
                self.execute("DELETE FROM slice WHERE flow = ?1 AND id = ?2", params![self.flow, id(slice)])?;
                self.execute("DELETE FROM digest WHERE flow = ?1 AND slice = ?2", params![self.flow, id(slice)])?;
                Ok(())
            }
            Change::Planned(Planned { axis, until }) => {
                let sql = "INSERT INTO planned VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET until = excluded.until";
                self.execute(sql, params![self.flow, axis, until.to_string()]).map(drop)
            }
            Change::ResumeVersion(version) => {
                self.head.resume_version = Some(version);
                Ok(())
            }
            Change::Ledger(rows) => {
                // An appending sink without a journal has no page rows: its pages are known by their records.
                let newest = rows.iter().map(|row| row.page).max();
                self.head.next_page = self.head.next_page.max(newest.map_or(0, id) + 1);
                if self.ledger.is_empty() {
                    self.ledger = rows;
                } else {
                    self.ledger.extend(rows);
                }
                Ok(())
            }
            Change::PageAdded { id, journal, n_records, todo } => {
                self.head.next_page = self.head.next_page.max(id.cast_signed() + 1);
                if journal.segment > 0 {
                    self.head.journal_end = self.head.journal_end.max(journal);
                }
                if journal.segment == 0 && todo.is_empty() {
                    return Ok(());
                }
                let todo = (!todo.is_empty()).then(|| todo.as_bytes());
                let (at, len) = (journal.offset.cast_signed(), journal.len);
                let sql = "INSERT INTO page VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL)";
                let row = params![self.flow, id.cast_signed(), journal.segment, at, len, n_records, todo];
                self.execute(sql, row).map(drop)
            }
            Change::PageProgress { id: page, todo, sent, first_sent } => {
                let open = !todo.is_empty();
                let (todo, sent) = (open.then(|| todo.as_bytes()), open.then(|| sent.as_bytes()));
                let first_sent = first_sent.filter(|_| open).map(Timestamp::as_millisecond);
                let sql = "UPDATE page SET todo = ?3, sent = ?4, first_sent = ?5 WHERE flow = ?1 AND id = ?2";
                self.touch(self.execute(sql, params![self.flow, id(page), todo, sent, first_sent])?, "page", page)?;
                if !open {
                    let sql = "DELETE FROM page WHERE flow = ?1 AND id = ?2 AND segment = 0";
                    self.execute(sql, params![self.flow, id(page)])?;
                }
                Ok(())
            }
            Change::DeadLetter(letter) => self.add_letter(&letter),
            Change::DeadLetterSettled(letter) => {
                let sql = "DELETE FROM dead_letter WHERE flow = ?1 AND id = ?2";
                self.execute(sql, params![self.flow, id(letter)]).map(drop)
            }
            Change::SinkMark(mark) => {
                self.head.sink_mark = Some(mark);
                Ok(())
            }
            Change::Run(run) => self.write_run(&run),
            Change::Reset => self.reset(),
        }
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Work<usize> {
        Ok(self.conn.prepare_cached(sql)?.execute(values)?)
    }

    /// Refuses a change of something that is not there: the engine and the store would disagree from here on.
    fn touch(&self, n_rows: usize, what: &'static str, number: u64) -> Work<()> {
        if n_rows > 0 {
            return Ok(());
        }
        let message = format!("there is no {what} {number} that could be changed");
        Err(Error::new(ErrorKind::State, message).with("flow", self.flow).into())
    }

    fn open_slice(&mut self, number: u64, slice: &Slice, share: Option<u8>, reading: &str) -> Work<()> {
        self.head.next_slice = self.head.next_slice.max(id(number) + 1);
        let spec = serde_json::to_string(slice).expect("a slice is texts and times");
        let sql = "INSERT INTO slice(flow, id, spec, reading, share) VALUES(?1, ?2, ?3, ?4, ?5)";
        self.execute(sql, params![self.flow, id(number), spec, reading, share])?;
        Ok(())
    }

    fn advance_slice(
        &self,
        slice: u64,
        reading: &str,
        digests: Option<(u32, Vec<u64>)>,
        forget_below: u32,
    ) -> Work<()> {
        let sql = "UPDATE slice SET reading = ?3 WHERE flow = ?1 AND id = ?2";
        self.touch(self.execute(sql, params![self.flow, id(slice), reading])?, "slice", slice)?;
        if let Some((of_reading, digests)) = digests {
            let sql = "INSERT INTO digest(flow, slice, reading, digests) VALUES(?1, ?2, ?3, ?4)";
            self.execute(sql, params![self.flow, id(slice), of_reading, digest_bytes(&digests)])?;
        }
        if forget_below > 0 {
            let sql = "DELETE FROM digest WHERE flow = ?1 AND slice = ?2 AND reading < ?3";
            self.execute(sql, params![self.flow, id(slice), forget_below])?;
        }
        Ok(())
    }

    fn add_letter(&mut self, letter: &DeadLetter) -> Work<()> {
        let key = letter.key.as_ref().map(SqlKey);
        // The number of an earlier refusal stays, so that whoever replays letters in order meets each once.
        let sql = "INSERT INTO dead_letter VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                   ON CONFLICT(flow, key) WHERE key IS NOT NULL DO UPDATE SET stage = excluded.stage, \
                   reason = excluded.reason, page = excluded.page, version = excluded.version, at = excluded.at, \
                   record = excluded.record";
        self.execute(
            sql,
            params![
                self.flow,
                self.head.next_letter,
                key,
                letter.stage.as_str(),
                letter.reason,
                id(letter.page),
                letter.version,
                letter.at.to_string(),
                letter.record
            ],
        )?;
        self.head.next_letter += 1;
        self.head.next_page = self.head.next_page.max(id(letter.page) + 1);
        Ok(())
    }

    /// Writes the run of this lease.
    ///
    /// With the id 0, the first such change under a lease adds a run, numbered one above the flow's newest; later ones
    /// under the same lease replace it. With another id, the run of that number is replaced, or added.
    fn write_run(&self, run: &RunRecord) -> Work<()> {
        let newest: Option<(i64, i64)> = self
            .conn
            .prepare_cached("SELECT id, fence FROM run WHERE flow = ?1 ORDER BY id DESC LIMIT 1")?
            .query_row([self.flow], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let number = match newest {
            _ if run.id > 0 => id(run.id),
            Some((number, fence)) if fence == id(self.lease.fence) => number,
            Some((number, _)) => number + 1,
            None => 1,
        };
        let sql = "INSERT INTO run VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(flow, id) DO UPDATE SET \
                   started = excluded.started, ended = excluded.ended, verdict = excluded.verdict, \
                   report = excluded.report";
        let row = params![
            self.flow,
            number,
            id(self.lease.fence),
            run.started.to_string(),
            run.ended.map(|t| t.to_string()),
            run.verdict.map(milkrun_core::state::Verdict::as_str),
            run.report
        ];
        self.execute(sql, row).map(drop)
    }

    /// Numbers go on, as dead letters still speak of them; the journal begins anew, as no page speaks of it.
    fn reset(&mut self) -> Work<()> {
        self.ledger.clear();
        self.has_reset = true;
        for table in ["planned", "slice", "digest", "page", "ledger", "recent"] {
            self.conn.execute(&format!("DELETE FROM {table} WHERE flow = ?1"), [self.flow])?;
        }
        self.head.ledger_rows = 0;
        self.head.sink_mark = None;
        self.head.resume_version = None;
        self.head.journal_end = JournalRef::default();
        Ok(())
    }
}

/// The first segment that holds something to deliver, or that is being written.
pub(crate) fn needed_segment(conn: &Connection, flow: i64) -> Work<u32> {
    let needed: Option<u32> = conn.query_row(
        "SELECT min(segment) FROM (SELECT segment FROM page WHERE flow = ?1 AND todo IS NOT NULL AND segment > 0 \
         UNION ALL SELECT journal_segment FROM flow WHERE id = ?1)",
        [flow],
        |row| row.get(0),
    )?;
    Ok(needed.unwrap_or(0))
}

/// Forgets finished pages in journal segments below that one; returns below which nothing is needed any more.
pub(crate) fn forget_pages_below(conn: &Connection, flow: i64, segment: u32) -> Work<u32> {
    let below = needed_segment(conn, flow)?.min(segment);
    conn.execute("DELETE FROM page WHERE flow = ?1 AND segment > 0 AND segment < ?2", params![flow, below])?;
    Ok(below)
}

/// A slice as it is stored.
pub(crate) fn read_slice(spec: &str) -> Work<Slice> {
    serde_json::from_str(spec).map_err(|_| Fault::unexpected("a stored slice cannot be read"))
}

/// What is stored of the flow.
pub(crate) fn load(conn: &Connection, worker: &str, lease: Lease) -> Work<FlowState> {
    lease::check(conn, worker, lease)?;
    let head = Head::load(conn, lease.flow)?;
    let planned = conn
        .prepare_cached("SELECT axis, until FROM planned WHERE flow = ?1")?
        .query_map([lease.flow], |row| {
            let Written(until) = row.get(1)?;
            Ok(Planned { axis: row.get(0)?, until })
        })?
        .collect::<Result<_, _>>()?;
    let mut slices = conn
        .prepare_cached("SELECT id, spec, reading, share FROM slice WHERE flow = ?1 ORDER BY id")?
        .query_map([lease.flow], |row| Ok((from_id(row.get(0)?), row.get::<_, String>(1)?, row.get(2)?, row.get(3)?)))?
        .map(|row| {
            let (id, spec, reading, share) = row?;
            Ok(StoredSlice { id, slice: read_slice(&spec)?, share, reading, digests: Vec::new() })
        })
        .collect::<Work<Vec<_>>>()?;
    let mut of_slice =
        conn.prepare_cached("SELECT reading, digests FROM digest WHERE flow = ?1 AND slice = ?2 ORDER BY id")?;
    for slice in &mut slices {
        slice.digests = of_slice
            .query_map(params![lease.flow, id(slice.id)], |row| Ok((row.get(0)?, digests(row.get_ref(1)?.as_blob()?))))?
            .collect::<Result<_, _>>()?;
    }
    Ok(FlowState {
        planned,
        slices,
        sink_mark: head.sink_mark,
        resume_version: head.resume_version,
        journal_end: head.journal_end,
        next_slice: from_id(head.next_slice),
        next_page: from_id(head.next_page),
        highest_key: leaves::highest(conn, lease.flow)?,
    })
}

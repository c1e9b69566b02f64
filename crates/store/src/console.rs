//! What those who look at an installation ask, each answered by an index or by one flow's rows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use milkrun_core::state::{DeadLetter, Holder, RunRecord, Stage, Verdict};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{SqlKey, Written, from_id};
use crate::fault::Work;
use crate::key::MasterKey;
use crate::worker::Workers;
use crate::{lease, query, vault};

/// What is known of a token; never the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it was granted or renewed.
    pub since: Option<Timestamp>,
    /// When it ends, where the vendor says.
    pub expires: Option<Timestamp>,
    /// Why it cannot be renewed any more.
    pub dead: Option<String>,
    /// A renewal began, and how it ended is not known.
    pub is_unfinished: bool,
}

/// A run in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMark {
    /// The flow.
    pub flow: String,
    /// Its number within the flow.
    pub id: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it runs or if it was killed.
    pub ended: Option<Timestamp>,
    /// Whether it is under way.
    pub is_under_way: bool,
    /// How it ended.
    pub verdict: Option<Verdict>,
}

/// Which dead letters are meant; without anything, all.
#[derive(Clone, Debug, Default)]
pub struct LetterFilter {
    /// Those that have this text in key, reason or record, whatever the case of its ASCII letters.
    pub text: Option<String>,
    /// Those that were refused by this.
    pub stage: Option<Stage>,
}

/// How large the state is, in bytes unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The state file with its log.
    pub database: u64,
    /// Of it, pages that nothing lies on.
    pub unused: u64,
    /// The log of calls.
    pub calls: u64,
    /// Pages as they came.
    pub journal: u64,
    /// Rows of all ledgers.
    pub ledger_rows: u64,
}

/// What is known of an account's token, if it ever had one.
pub(crate) fn token(conn: &Connection, key: Option<&MasterKey>, account: &str) -> Work<Option<TokenFacts>> {
    let at = |row: &Row<'_>, column| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<Written<_>>>(column)?.map(|Written(at)| at))
    };
    let found = conn
        .prepare_cached("SELECT since, expires, dead, intent, sealed IS NOT NULL FROM token WHERE account = ?1")?
        .query_row([account], |row| {
            let facts =
                TokenFacts { since: at(row, 0)?, expires: at(row, 1)?, dead: row.get(2)?, is_unfinished: row.get(3)? };
            Ok((facts, row.get::<_, bool>(4)?))
        })
        .optional()?;
    let Some((mut facts, has_token)) = found else { return Ok(None) };
    if has_token && facts.since.is_none() && key.is_some() {
        // An older version wrote it: only the token itself says since when it is.
        if let Some(held) = vault::load_token(conn, key, account)? {
            (facts.since, facts.expires) = (Some(held.token.obtained_at), held.token.expires_at);
        }
    }
    let is_known = has_token || facts.dead.is_some() || facts.is_unfinished;
    Ok(is_known.then_some(facts))
}

/// Writes down why an account's token cannot be renewed any more; a new token takes it away.
pub(crate) fn token_died(conn: &Connection, account: &str, reason: &str) -> Work<()> {
    conn.prepare_cached(
        "INSERT INTO token(account, dead) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET dead = excluded.dead",
    )?
    .execute([account, reason])?;
    Ok(())
}

/// What was written down by [`token_died`] is no longer so.
pub(crate) fn token_lives(conn: &Connection, account: &str) -> Work<()> {
    conn.prepare_cached("UPDATE token SET dead = NULL WHERE account = ?1")?.execute([account])?;
    Ok(())
}

/// The runs of all flows that began in `[from, until)`, oldest first.
pub(crate) fn runs_between(
    conn: &Connection,
    workers: &Workers,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Work<Vec<RunMark>> {
    // Written instants order like texts to the second: within a second, a fraction comes before its `Z`.
    let (least, most) = (second_of(from), second_of(until) + "~");
    let mut statement = conn.prepare_cached(
        "SELECT flow.name, run.id, started, ended, verdict, flow.id FROM run JOIN flow ON flow.id = run.flow \
         WHERE started >= ?1 AND started < ?2 ORDER BY started, flow.name LIMIT ?3",
    )?;
    let marks = statement
        .query_map(params![least, most, limit], |row| {
            let Written(started) = row.get(2)?;
            let mark = RunMark {
                flow: row.get(0)?,
                id: from_id(row.get(1)?),
                started,
                ended: row.get::<_, Option<Written<_>>>(3)?.map(|Written(at)| at),
                is_under_way: false,
                verdict: row.get::<_, Option<Written<_>>>(4)?.map(|Written(verdict)| verdict),
            };
            Ok((row.get::<_, i64>(5)?, mark))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let mut holders = BTreeMap::new();
    let mut of_span = Vec::with_capacity(marks.len());
    for (flow, mut run) in marks.into_iter().filter(|(_, run)| (from..until).contains(&run.started)) {
        if run.ended.is_none() {
            let holder: &Option<Holder> = match holders.entry(flow) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(lease::holder(conn, workers, flow)?),
            };
            run.is_under_way = holder.as_ref().is_some_and(|holder| holder.is_at(run.started, run.ended));
        }
        of_span.push(run);
    }
    of_span.sort_by(|a, b| (a.started, &a.flow).cmp(&(b.started, &b.flow)));
    Ok(of_span)
}

/// The newest run of a flow that had begun by then, to the millisecond; whether it had ended is another matter.
pub(crate) fn run_at(conn: &Connection, flow: i64, at: Timestamp) -> Work<Option<RunRecord>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, started, ended, verdict, report FROM run WHERE flow = ?1 AND started < ?2 ORDER BY id DESC",
    )?;
    let mut rows = statement.query(params![flow, second_of(at) + "~"])?;
    while let Some(row) = rows.next()? {
        let run = query::run(row)?;
        if run.started.as_millisecond() <= at.as_millisecond() {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// The start of every written instant within the same second.
fn second_of(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate(text.find(['.', 'Z']).unwrap_or(text.len()));
    text
}

/// What a filter asks for as a pattern: nothing stands for everything.
fn pattern(filter: &LetterFilter) -> (Option<&'static str>, Option<String>) {
    let text = filter.text.as_deref().filter(|text| !text.is_empty()).map(|text| {
        let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{plain}%")
    });
    (filter.stage.map(Stage::as_str), text)
}

/// How many dead letters of a flow the filter lets through.
pub(crate) fn count_letters(conn: &Connection, flow: i64, filter: &LetterFilter) -> Work<u64> {
    let (stage, text) = pattern(filter);
    let count: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM dead_letter WHERE flow = ?1 AND (?2 IS NULL OR stage = ?2) AND (?3 IS NULL \
             OR record LIKE ?3 ESCAPE '\\' OR reason LIKE ?3 ESCAPE '\\' OR key LIKE ?3 ESCAPE '\\')",
        )?
        .query_row(params![flow, stage, text], |row| row.get(0))?;
    Ok(from_id(count))
}

/// The dead letters of a flow that the filter lets through, above the number `after`, oldest first.
pub(crate) fn find_letters(
    conn: &Connection,
    flow: i64,
    after: u64,
    limit: u32,
    filter: &LetterFilter,
) -> Work<Vec<DeadLetter>> {
    let (stage, text) = pattern(filter);
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let letters = conn
        .prepare_cached(
            "SELECT id, key, stage, reason, page, version, at, record FROM dead_letter \
             WHERE flow = ?1 AND id > ?4 AND (?2 IS NULL OR stage = ?2) AND (?3 IS NULL \
             OR record LIKE ?3 ESCAPE '\\' OR reason LIKE ?3 ESCAPE '\\' OR key LIKE ?3 ESCAPE '\\') \
             ORDER BY id LIMIT ?5",
        )?
        .query_map(params![flow, stage, text, after, limit], letter)?
        .collect::<Result<_, _>>()?;
    Ok(letters)
}

/// A dead letter from its row.
pub(crate) fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let (Written(stage), Written(at)) = (row.get(2)?, row.get(6)?);
    Ok(DeadLetter {
        id: from_id(row.get(0)?),
        key: row.get::<_, Option<SqlKey<_>>>(1)?.map(|SqlKey(key)| key),
        stage,
        reason: row.get(3)?,
        page: from_id(row.get(4)?),
        version: row.get(5)?,
        at,
        record: row.get(7)?,
    })
}

/// Rows of all ledgers, and bytes of pages that nothing lies on.
pub(crate) fn sizes(conn: &Connection) -> Work<Sizes> {
    let rows: i64 = conn.query_row("SELECT coalesce(sum(ledger_rows), 0) FROM flow", [], |row| row.get(0))?;
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let unused = from_id(pragma("freelist_count")?.saturating_mul(pragma("page_size")?));
    Ok(Sizes { unused, ledger_rows: from_id(rows), ..Sizes::default() })
}

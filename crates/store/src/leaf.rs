//! How rows of the ledger are packed.
//!
//! Neighbours lie together in one text of bytes, a leaf, each row as what differs from the one before. So a page of new
//! records costs SQLite a few rows instead of one for each record, and half the bytes.
//!
//! | part of a row | bytes |
//! | --- | --- |
//! | which of the following there are | 1 |
//! | key: the distance from the number before; or how many bytes it shares with the text before, and the rest | 1 and more |
//! | fingerprint, highest byte first | 16 |
//! | version: the distance from the last one | none, or 1 and more |
//! | the target's id | none, or as long as it is |
//! | page, unless it is the same; index in it, unless it is the next | none, or 1 and more each |
//! | the key it was sent with | none, or as long as it is |
//! | when it was delivered, in ms, unless it is the same instant | none, or 1 and more |
//!
//! Before all rows stands the format, one byte. Numbers are LEB128, distances zigzag; texts have their length before
//! them.

use std::cmp::Ordering;

use milkrun_core::state::{LedgerEntry, LedgerRow};
use milkrun_core::{Key, Timestamp};

use crate::fault::{Fault, Work};
use crate::varint;

const FORMAT: u8 = 1;

/// What a row's first byte says.
mod has {
    pub(super) const TEXT_KEY: u8 = 1;
    pub(super) const VERSION: u8 = 1 << 1;
    pub(super) const REMOTE_ID: u8 = 1 << 2;
    pub(super) const IDEMPOTENCY_KEY: u8 = 1 << 3;
    pub(super) const OTHER_PAGE: u8 = 1 << 4;
    pub(super) const OTHER_INDEX: u8 = 1 << 5;
    pub(super) const OTHER_INSTANT: u8 = 1 << 6;
}

/// What the rows before one have left: distances count from it.
#[derive(Debug, Default)]
struct Trail {
    number: i64,
    text: String,
    version: i64,
    page: u64,
    index: u32,
    at: i64,
}

/// Packs rows, which are ascending by key.
pub(crate) fn pack(rows: &[&LedgerRow]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + rows.len() * 32);
    out.push(FORMAT);
    let mut trail = Trail { index: u32::MAX, ..Trail::default() };
    let mut text_before = "";
    for row in rows {
        let at = row.at.as_millisecond();
        let flags = [
            (has::TEXT_KEY, matches!(row.key, Key::Text(_))),
            (has::VERSION, row.entry.version.is_some()),
            (has::REMOTE_ID, row.entry.remote_id.is_some()),
            (has::IDEMPOTENCY_KEY, row.idempotency_key.is_some()),
            (has::OTHER_PAGE, row.page != trail.page),
            (has::OTHER_INDEX, row.index != trail.index.wrapping_add(1)),
            (has::OTHER_INSTANT, at != trail.at),
        ];
        let flags = flags.into_iter().fold(0, |all, (flag, is_set)| if is_set { all | flag } else { all });
        out.push(flags);
        match &row.key {
            Key::Int(number) => {
                varint::write_signed(&mut out, number.wrapping_sub(trail.number));
                trail.number = *number;
            }
            Key::Text(text) => {
                let n_shared = n_shared(text_before, text);
                varint::write(&mut out, n_shared as u64);
                write_text(&mut out, &text[n_shared..]);
                text_before = text;
            }
        }
        out.extend_from_slice(&row.entry.fingerprint.to_be_bytes());
        if let Some(version) = row.entry.version {
            varint::write_signed(&mut out, version.wrapping_sub(trail.version));
            trail.version = version;
        }
        if let Some(remote_id) = &row.entry.remote_id {
            write_text(&mut out, remote_id);
        }
        if flags & has::OTHER_PAGE > 0 {
            varint::write_signed(&mut out, row.page.wrapping_sub(trail.page).cast_signed());
            trail.page = row.page;
        }
        if flags & has::OTHER_INDEX > 0 {
            varint::write(&mut out, row.index.into());
        }
        trail.index = row.index;
        if let Some(key) = &row.idempotency_key {
            write_text(&mut out, key);
        }
        if flags & has::OTHER_INSTANT > 0 {
            varint::write_signed(&mut out, at.wrapping_sub(trail.at));
            trail.at = at;
        }
    }
    out
}

/// How many bytes two texts share at their start; they end with a character.
fn n_shared(a: &str, b: &str) -> usize {
    let n = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    b.floor_char_boundary(n)
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    varint::write(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads a leaf, row by row.
pub(crate) struct Rows<'a> {
    rest: &'a [u8],
    trail: Trail,
}

/// A row but for its key.
pub(crate) struct Row<'a> {
    has_text_key: bool,
    fingerprint: u128,
    version: Option<i64>,
    remote_id: Option<&'a str>,
    page: u64,
    index: u32,
    idempotency_key: Option<&'a str>,
    at: i64,
}

impl<'a> Rows<'a> {
    /// Begins before the first row.
    pub(crate) fn new(leaf: &'a [u8]) -> Work<Self> {
        match leaf.split_first() {
            Some((&FORMAT, rest)) => Ok(Self { rest, trail: Trail { index: u32::MAX, ..Trail::default() } }),
            _ => Err(damaged()),
        }
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Work<Option<Row<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.read().map(Some).ok_or_else(damaged)
    }

    fn read(&mut self) -> Option<Row<'a>> {
        let (rest, trail) = (&mut self.rest, &mut self.trail);
        let (&flags, after) = rest.split_first()?;
        *rest = after;
        let has = |flag| flags & flag > 0;
        if has(has::TEXT_KEY) {
            let n_shared = usize::try_from(varint::read(rest)?).ok()?;
            if !trail.text.is_char_boundary(n_shared) {
                return None;
            }
            trail.text.truncate(n_shared);
            trail.text.push_str(read_text(rest)?);
        } else {
            trail.number = trail.number.wrapping_add(varint::read_signed(rest)?);
        }
        let (fingerprint, after) = rest.split_first_chunk()?;
        *rest = after;
        if has(has::VERSION) {
            trail.version = trail.version.wrapping_add(varint::read_signed(rest)?);
        }
        let remote_id = if has(has::REMOTE_ID) { Some(read_text(rest)?) } else { None };
        if has(has::OTHER_PAGE) {
            trail.page = trail.page.wrapping_add(varint::read_signed(rest)?.cast_unsigned());
        }
        trail.index =
            if has(has::OTHER_INDEX) { u32::try_from(varint::read(rest)?).ok()? } else { trail.index.wrapping_add(1) };
        let idempotency_key = if has(has::IDEMPOTENCY_KEY) { Some(read_text(rest)?) } else { None };
        if has(has::OTHER_INSTANT) {
            trail.at = trail.at.wrapping_add(varint::read_signed(rest)?);
        }
        Some(Row {
            has_text_key: has(has::TEXT_KEY),
            fingerprint: u128::from_be_bytes(*fingerprint),
            version: has(has::VERSION).then_some(trail.version),
            remote_id,
            page: trail.page,
            index: trail.index,
            idempotency_key,
            at: trail.at,
        })
    }

    /// How the key of the row that was read last compares with that one: numbers come before texts.
    pub(crate) fn order(&self, row: &Row<'_>, key: &Key) -> Ordering {
        match (row.has_text_key, key) {
            (false, Key::Int(number)) => self.trail.number.cmp(number),
            (false, Key::Text(_)) => Ordering::Less,
            (true, Key::Int(_)) => Ordering::Greater,
            (true, Key::Text(text)) => self.trail.text.as_str().cmp(text),
        }
    }

    /// The row that was read last, with its key.
    fn whole(&self, row: &Row<'_>) -> Work<LedgerRow> {
        let key = if row.has_text_key { Key::Text(self.trail.text.clone()) } else { Key::Int(self.trail.number) };
        Ok(LedgerRow {
            key,
            entry: row.entry(),
            page: row.page,
            index: row.index,
            idempotency_key: row.idempotency_key.map(str::to_owned),
            at: Timestamp::from_millisecond(row.at).map_err(|_| damaged())?,
        })
    }
}

impl Row<'_> {
    /// What the record was like.
    pub(crate) fn entry(&self) -> LedgerEntry {
        LedgerEntry {
            fingerprint: self.fingerprint,
            version: self.version,
            remote_id: self.remote_id.map(str::to_owned),
        }
    }
}

/// All rows of a leaf.
pub(crate) fn unpack(leaf: &[u8]) -> Work<Vec<LedgerRow>> {
    let mut rows = Rows::new(leaf)?;
    let mut all = Vec::with_capacity(leaf.len() / 24);
    while let Some(row) = rows.next()? {
        all.push(rows.whole(&row)?);
    }
    Ok(all)
}

fn read_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = usize::try_from(varint::read(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    str::from_utf8(text).ok()
}

fn damaged() -> Fault {
    Fault::unexpected("rows of the ledger cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: Key) -> LedgerRow {
        LedgerRow {
            key,
            entry: LedgerEntry { fingerprint: 7, version: None, remote_id: None },
            page: 3,
            index: 0,
            idempotency_key: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Rows of all kinds, ascending.
    fn rows() -> Vec<LedgerRow> {
        let text = |key: &str| Key::Text(key.to_owned());
        let keys = [
            Key::Int(-5),
            Key::Int(0),
            Key::Int(7),
            Key::Int(i64::MAX),
            text("单号-1"),
            text("单据-1"),
            text("单据-10"),
        ];
        let mut rows: Vec<LedgerRow> = keys.map(row).into();
        rows[1].entry.version = Some(i64::MIN);
        rows[2].entry =
            LedgerEntry { fingerprint: u128::MAX, version: Some(i64::MAX), remote_id: Some("凭-1".into()) };
        rows[2].page = u64::MAX;
        rows[3].index = u32::MAX;
        rows[4].idempotency_key = Some("k".repeat(300));
        rows[5].at = Timestamp::from_millisecond(-1).unwrap();
        rows
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let rows = rows();
        let packed = pack(&rows.iter().collect::<Vec<_>>());
        assert_eq!(format!("{:?}", unpack(&packed).unwrap()), format!("{rows:?}"));
        assert!(unpack(&pack(&[])).unwrap().is_empty());
    }

    #[test]
    fn neighbours_of_a_page_take_little_more_than_their_fingerprints() {
        let at = |n: u32| LedgerRow { index: n, ..row(Key::Int(1_000_000 + i64::from(n))) };
        let rows: Vec<LedgerRow> = (0..100).map(at).collect();
        let packed = pack(&rows.iter().collect::<Vec<_>>());
        assert!(packed.len() < 100 * 18 + 10, "{}", packed.len());
    }

    #[test]
    fn what_breaks_off_or_is_something_else_is_refused() {
        let rows = rows();
        let packed = pack(&rows.iter().collect::<Vec<_>>());
        let mut ends = 0;
        for len in 0..packed.len() {
            match unpack(&packed[..len]) {
                Ok(some) => {
                    assert!(some.len() < rows.len());
                    ends += 1;
                }
                Err(fault) => assert!(matches!(fault, Fault::Told(_))),
            }
        }
        // Between two rows nothing is missing; the length of the whole is SQLite's to keep.
        assert_eq!(ends, rows.len());
        assert!(unpack(&[FORMAT + 1]).is_err());
    }
}

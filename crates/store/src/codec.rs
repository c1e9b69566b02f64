//! How our types look in a row.

use jiff::Timestamp;
use milkrun_core::Key;
use milkrun_core::state::{JournalRef, Stage, Verdict};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// A number of ours as SQLite's; the bits stay, so that none is refused.
pub(crate) fn id(n: u64) -> i64 {
    n.cast_signed()
}

/// What [`id`] wrote.
pub(crate) fn from_id(n: i64) -> u64 {
    n.cast_unsigned()
}

/// A key as INTEGER or TEXT.
pub(crate) struct SqlKey<K>(pub K);

impl ToSql for SqlKey<&Key> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Key::Int(n) => (*n).into(),
            Key::Text(text) => text.as_str().into(),
        })
    }
}

impl FromSql for SqlKey<Key> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(match value {
            ValueRef::Integer(n) => Key::Int(n),
            value => Key::Text(value.as_str()?.to_owned()),
        }))
    }
}

/// A text that stands for something else.
pub(crate) struct Written<T>(pub T);

impl FromSql for Written<Timestamp> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(|e: jiff::Error| FromSqlError::Other(e.into()))
    }
}

impl FromSql for Written<Stage> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let all = [Stage::Key, Stage::Mapping, Stage::Target, Stage::Unknown];
        find(value, all, Stage::as_str)
    }
}

impl FromSql for Written<Verdict> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let all = [Verdict::Reconciled, Verdict::Unreconciled, Verdict::Partial, Verdict::Failed];
        find(value, all, Verdict::as_str)
    }
}

fn find<T: Copy, const N: usize>(
    value: ValueRef<'_>,
    all: [T; N],
    name: impl Fn(T) -> &'static str,
) -> FromSqlResult<Written<T>> {
    let text = value.as_str()?;
    all.into_iter().find(|&one| name(one) == text).map(Written).ok_or(FromSqlError::InvalidType)
}

/// A fingerprint from its 16 bytes, highest first.
pub(crate) struct Fingerprint(pub u128);

impl FromSql for Fingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let bytes = bytes
            .try_into()
            .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: bytes.len() })?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

/// A place in the journal from three columns, the first at `at`.
pub(crate) fn journal_ref(row: &Row<'_>, at: usize) -> rusqlite::Result<JournalRef> {
    Ok(JournalRef { segment: row.get(at)?, offset: from_id(row.get(at + 1)?), len: row.get(at + 2)? })
}

/// Digests as bytes, lowest byte first.
pub(crate) fn digest_bytes(digests: &[u64]) -> Vec<u8> {
    digests.iter().flat_map(|d| d.to_le_bytes()).collect()
}

/// What [`digest_bytes`] wrote.
pub(crate) fn digests(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}

/// Nanoseconds since 1970; instants beyond the years 1678 to 2262 stop there.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at.as_second() < 0 { i64::MIN } else { i64::MAX })
}

/// What [`nanos`] wrote.
pub(crate) fn instant(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).expect("64 bits of nanoseconds are within jiff's range")
}

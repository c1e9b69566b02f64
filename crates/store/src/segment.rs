//! How a journal segment is laid out.
//!
//! All numbers are little-endian. A segment is a head of 16 bytes (`MILKRUNJ`, format 1, its number), then entries.
//!
//! | entry | bytes |
//! | --- | --- |
//! | `MRPG` | 4 |
//! | length of the frame; length of the text in it | 4 + 4 |
//! | xxh3-64 of the two lengths and the frame | 8 |
//! | zstd frame of: number of records, the gap before and the length of each, the page's text | as said |
//!
//! Numbers in the frame are LEB128; a gap may be negative (zigzag), as records need not lie in order.

use std::sync::Arc;

use milkrun_core::state::JournalEntry;
use milkrun_core::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::Xxh3;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::varint;

/// Where the first entry of a segment begins.
pub(crate) const HEAD_LEN: u64 = 16;
/// What precedes an entry's frame.
pub(crate) const ENTRY_HEAD_LEN: usize = 20;

const SEGMENT_MAGIC: &[u8; 8] = b"MILKRUNJ";
const FORMAT: u32 = 1;
const ENTRY_MAGIC: &[u8; 4] = b"MRPG";

/// The first bytes of a segment.
pub(crate) fn head(segment: u32) -> [u8; 16] {
    let mut head = [0; 16];
    head[..8].copy_from_slice(SEGMENT_MAGIC);
    head[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    head[12..].copy_from_slice(&segment.to_le_bytes());
    head
}

/// Turns pages into entries. Keeps its memory from one to the next.
pub(crate) struct Encoder {
    zstd: Compressor<'static>,
    plain: Vec<u8>,
    frame: Vec<u8>,
}

impl Encoder {
    /// Level 1: higher levels cost more and save nothing on pages of JSON. What repeats in them is longer than names of
    /// four letters: to look for seven bytes at least is quicker, and finds as much.
    pub(crate) fn new() -> Result<Self> {
        let mut zstd = Compressor::new(1)?;
        zstd.set_parameter(CParameter::MinMatch(7))?;
        Ok(Self { zstd, plain: Vec::new(), frame: Vec::new() })
    }

    /// Appends the entry to `out` and returns its length.
    pub(crate) fn encode(&mut self, entry: &JournalEntry, out: &mut Vec<u8>) -> Result<u32> {
        self.plain.clear();
        varint::write(&mut self.plain, entry.records.len() as u64);
        let mut end = 0_i64;
        for &(start, len) in &entry.records {
            let gap = i64::from(start) - end;
            varint::write_signed(&mut self.plain, gap);
            varint::write(&mut self.plain, len.into());
            end = i64::from(start) + i64::from(len);
        }
        self.plain.extend_from_slice(entry.body.as_bytes());

        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        self.zstd.compress_to_buffer(&self.plain, &mut self.frame)?;
        let too_long = |_| Error::new(ErrorKind::Unexpected, "a page of 4 GiB does not fit the journal");
        let lens = [self.frame.len(), self.plain.len()].map(u32::try_from);
        let [frame_len, plain_len] = [lens[0].map_err(too_long)?, lens[1].map_err(too_long)?];
        out.extend_from_slice(ENTRY_MAGIC);
        out.extend_from_slice(&frame_len.to_le_bytes());
        out.extend_from_slice(&plain_len.to_le_bytes());
        out.extend_from_slice(&checksum(frame_len, plain_len, &self.frame).to_le_bytes());
        out.extend_from_slice(&self.frame);
        u32::try_from(ENTRY_HEAD_LEN + self.frame.len()).map_err(too_long)
    }
}

/// Reads what [`Encoder::encode`] wrote; `None` if it is anything else.
pub(crate) fn decode(bytes: &[u8]) -> Option<JournalEntry> {
    let (head, frame) = bytes.split_first_chunk::<ENTRY_HEAD_LEN>()?;
    let number = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).expect("four bytes");
    let (frame_len, plain_len) = (number(4), number(8));
    let sum = head[12..].try_into().map(u64::from_le_bytes).expect("eight bytes");
    let intact =
        head[..4] == *ENTRY_MAGIC && frame_len as usize == frame.len() && sum == checksum(frame_len, plain_len, frame);
    if !intact {
        return None;
    }
    let plain = Decompressor::new().ok()?.decompress(frame, plain_len as usize).ok()?;
    let mut rest = plain.as_slice();
    let n_records = usize::try_from(varint::read(&mut rest)?).ok()?;
    let mut records = Vec::with_capacity(n_records.min(plain.len()));
    let mut end = 0_i64;
    for _ in 0..n_records {
        let gap = varint::read_signed(&mut rest)?;
        let start = u32::try_from(end.checked_add(gap)?).ok()?;
        let len = u32::try_from(varint::read(&mut rest)?).ok()?;
        end = i64::from(start) + i64::from(len);
        records.push((start, len));
    }
    let at = plain.len() - rest.len();
    let mut body = plain;
    body.drain(..at);
    Some(JournalEntry { body: Arc::new(String::from_utf8(body).ok()?), records })
}

fn checksum(frame_len: u32, plain_len: u32, frame: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&frame_len.to_le_bytes());
    hasher.update(&plain_len.to_le_bytes());
    hasher.update(frame);
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: &str, records: &[(u32, u32)]) -> JournalEntry {
        JournalEntry { body: Arc::new(body.to_owned()), records: records.to_vec() }
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let mut encoder = Encoder::new().unwrap();
        let long = "订单 6920000000000000001 ".repeat(50_000);
        let entries = [
            entry("", &[]),
            entry("[{},{}]", &[(1, 2), (4, 2)]),
            entry("{}", &[(u32::MAX, u32::MAX), (0, 0), (700, 1), (3, u32::MAX)]),
            entry(&long, &[(0, 1_000_000)]),
        ];
        let mut out = Vec::new();
        for one in &entries {
            let start = out.len();
            let len = encoder.encode(one, &mut out).unwrap();
            assert_eq!(len as usize, out.len() - start);
            assert_eq!(decode(&out[start..]).as_ref(), Some(one));
        }
        assert!(out.len() < 10_000);
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let mut out = Vec::new();
        Encoder::new().unwrap().encode(&entry("[{\"a\":1}]", &[(1, 7)]), &mut out).unwrap();
        for at in 0..out.len() {
            let mut changed = out.clone();
            changed[at] ^= 0x10;
            assert_eq!(decode(&changed), None, "byte {at}");
            assert_eq!(decode(&out[..at]), None);
        }
    }
}

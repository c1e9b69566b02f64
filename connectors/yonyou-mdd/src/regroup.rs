//! Rows that are lines, put together to documents.
//!
//! A page of lines may begin and end in the middle of a document. Which document is whole, and which page a document
//! belongs to, is decided here: it belongs to the page that has its first line, and every document is made of lines that
//! came in one answer.

use milkrun_core::{Error, ErrorKind, Record, Result};

use crate::body::{Object, list};
use crate::list::text;
use crate::streams::StreamConfig;

/// The lines of one document on one page.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The document's id, as plain text.
    pub(crate) id: String,
    /// Its lines on the page.
    pub(crate) rows: Vec<Record>,
    /// They begin the page, so that there may be more on the page before.
    pub(crate) leads: bool,
    /// They end the page, so that there may be more on the next one.
    pub(crate) trails: bool,
    /// Lines of other documents lie between them, so that there may be more anywhere.
    pub(crate) scattered: bool,
}

/// The documents of a page of lines, in the order of their first lines.
///
/// # Errors
/// [`ErrorKind::Malformed`] if a row has no id.
pub(crate) fn groups(rows: &[Record], key: &str) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut last = None;
    for (at, row) in rows.iter().enumerate() {
        let id =
            text(row, key).ok_or_else(|| Error::malformed("a row has no id of its document").with("field", key))?;
        let known = groups.iter().position(|group| group.id == id);
        let index = known.unwrap_or(groups.len());
        if known.is_none() {
            groups.push(Group { id, rows: Vec::new(), leads: at == 0, trails: false, scattered: false });
        }
        let group = &mut groups[index];
        group.scattered |= !group.rows.is_empty() && last != Some(index);
        group.rows.push(row.clone());
        group.trails = at + 1 == rows.len();
        last = Some(index);
    }
    Ok(groups)
}

impl Group {
    /// Whether the document may have more lines than these, on page `page` of a list that goes on or not.
    pub(crate) fn may_have_more(&self, page: u64, has_next: bool) -> bool {
        self.scattered || (self.leads && page > 1) || (self.trails && has_next)
    }

    /// Whether the document's first line is on this page; `all` are its lines.
    pub(crate) fn begins_here(&self, page: u64, all: &[Record], line_id: &str) -> bool {
        if !self.leads || page == 1 {
            return true;
        }
        if self.trails {
            // It fills the page: only the line itself can tell.
            return all.first().is_some_and(|first| text(first, line_id) == text(&self.rows[0], line_id));
        }
        self.rows.len() == all.len()
    }
}

/// The document of these lines: the header's fields once, and the lines in their list.
///
/// # Errors
/// [`ErrorKind::Incoherent`] if the lines are not of one state of the document, or a line comes twice.
pub(crate) fn document(rows: &[Record], stream: &StreamConfig) -> Result<String> {
    let lines = stream.lines.as_ref().expect("called for streams of lines");
    let first = &rows[0];
    let incoherent = |message: &'static str| Error::new(ErrorKind::Incoherent, message);
    let line_id = line_id(stream);
    let mut ids: Vec<String> = rows.iter().filter_map(|row| text(row, &line_id)).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(incoherent("a line came twice").with("field", &line_id));
    }
    let is_header = |name: &str| lines.header.iter().any(|header| header == name);
    let mut document = Object::default();
    for (name, json) in first.fields().filter(|(name, _)| is_header(name)) {
        document.set(name, json);
    }
    let mut texts = Vec::new();
    for row in rows {
        if !stream.version.is_empty() && row.get(&stream.version) != first.get(&stream.version) {
            return Err(incoherent("a document changed while its lines were read").with("field", &stream.version));
        }
        // A document without lines has one row with nothing of a line.
        if row.get(&line_id) == Some("null") && rows.len() == 1 {
            continue;
        }
        let mut line = Object::default();
        for (name, json) in row.fields().filter(|(name, _)| !is_header(name)) {
            let short = name.strip_prefix(&lines.prefix).filter(|short| !short.is_empty());
            // A line's own field of that name keeps it.
            let taken = |short: &&str| row.get(short).is_some() && !is_header(short);
            line.set(short.filter(|short| !taken(short)).unwrap_or(name), json);
        }
        texts.push(line.write());
    }
    document.set(&lines.list, &list(&texts));
    Ok(document.write())
}

/// The field that holds a line's own id.
pub(crate) fn line_id(stream: &StreamConfig) -> String {
    let prefix = stream.lines.as_ref().map_or("", |lines| lines.prefix.as_str());
    format!("{prefix}id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamConfig {
        crate::streams::built_in().remove(0)
    }

    fn rows(texts: &[&str]) -> Vec<Record> {
        texts.iter().map(|text| Record::parse(*text).unwrap()).collect()
    }

    #[test]
    fn header_and_lines_keep_every_byte() {
        let body = include_str!("../tests/fixtures/purchase-orders-lines.json");
        let listed = crate::list::read(&std::sync::Arc::new(body.to_owned()), "recordList").unwrap();
        assert_eq!(listed.total, Some(3));
        insta::assert_snapshot!(document(&listed.rows, &stream()).unwrap());
    }

    #[test]
    fn odd_rows() {
        let row = |line: &str| format!(r#"{{"id":"1","pubts":"2026-01-05 11:34:02",{line}}}"#);
        let document = |lines: &[&str]| {
            let texts: Vec<String> = lines.iter().map(|line| row(line)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            document(&rows(&texts), &stream()).map_err(|error| error.message().to_owned())
        };
        let head = r#"{"id":"1","pubts":"2026-01-05 11:34:02","purchaseOrders":"#;
        assert_eq!(document(&[r#""purchaseOrders_id":null"#]).unwrap(), format!("{head}[]}}"));
        // Two fields that would have one name both stay.
        let both = r#""purchaseOrders_id":"8","purchaseOrders_memo":"a","memo":"b""#;
        assert_eq!(
            document(&[both]).unwrap(),
            format!(r#"{head}[{{"id":"8","purchaseOrders_memo":"a","memo":"b"}}]}}"#)
        );
        let twice = document(&[r#""purchaseOrders_id":8"#, r#""purchaseOrders_id":"8""#]);
        assert_eq!(twice.unwrap_err(), "a line came twice");
        let two = rows(&[r#"{"id":1,"pubts":"a"}"#, r#"{"id":1,"pubts":"b"}"#]);
        assert_eq!(super::document(&two, &stream()).unwrap_err().kind(), ErrorKind::Incoherent);
    }

    #[test]
    fn a_document_belongs_to_the_page_with_its_first_line() {
        let page = |ids: &[(&str, u32)]| {
            let texts: Vec<String> =
                ids.iter().map(|(id, line)| format!(r#"{{"id":"{id}","purchaseOrders_id":{line}}}"#)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            groups(&rows(&texts), "id").unwrap()
        };
        let facts = |groups: &[Group], page, has_next| {
            groups
                .iter()
                .map(|g| format!("{}x{} {}", g.id, g.rows.len(), g.may_have_more(page, has_next)))
                .collect::<Vec<_>>()
        };
        let two = page(&[("a", 1), ("b", 2), ("b", 3), ("c", 4)]);
        assert_eq!(facts(&two, 1, false), ["ax1 false", "bx2 false", "cx1 false"]);
        assert_eq!(facts(&two, 2, true), ["ax1 true", "bx2 false", "cx1 true"]);
        assert_eq!(facts(&page(&[("a", 1), ("b", 2), ("a", 3)]), 1, false), ["ax2 true", "bx1 false"]);
        let all = |lines: &[u32]| {
            let texts: Vec<String> = lines.iter().map(|n| format!(r#"{{"purchaseOrders_id":{n}}}"#)).collect();
            rows(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let begins = |group: &Group, page, lines: &[u32]| group.begins_here(page, &all(lines), "purchaseOrders_id");
        assert!(begins(&two[0], 1, &[1, 0]));
        assert!(begins(&two[0], 2, &[1]), "all of it is here");
        assert!(!begins(&two[0], 2, &[0, 1]), "the page before has its first line");
        assert!(begins(&two[2], 2, &[4, 5, 6]));
        let filled = page(&[("a", 4), ("a", 5)]);
        assert!(begins(&filled[0], 2, &[4, 5, 6]));
        assert!(!begins(&filled[0], 2, &[3, 4, 5, 6]));
    }
}

//! Reads an answer's JSON in one pass without copying it: its own fields, and the rows of its lists.
//!
//! It takes exactly what `serde_json` takes, and is quicker where it matters: rows of one list come with the same names
//! in the same order, so each name is first compared with the one in its place in the row before.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::record::{Rows, Spot};

/// An answer that is one JSON object: its fields, and of those that are wanted as lists, the rows.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// Names and values in their order, the values as JSON text; without the lists of rows.
    pub fields: Vec<(Cow<'a, str>, &'a str)>,
    /// The lists, each with its rank among the wanted names; `null` counts as no list.
    pub lists: Vec<(usize, Rows<'a>)>,
}

impl<'a> Parts<'a> {
    /// Splits `body`; the fields called as in `lists` have to be lists of objects, or `null`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the fact `byte` if the text is not one JSON object, or a
    /// wanted list is anything else.
    pub fn split(body: &'a str, lists: &[String]) -> Result<Self> {
        let mut scan = Scan { text: body, bytes: body.as_bytes(), open: Vec::new() };
        let split = scan.parts(lists);
        split.map_err(|Wrong(at)| Error::malformed("the answer is not the documented JSON").with("byte", at))
    }
}

/// The text is not what it has to be, at that byte.
#[derive(Debug)]
struct Wrong(usize);

type Scanned<T> = std::result::Result<T, Wrong>;

/// The place in the text goes from hand to hand instead of being kept here, so that it stays in a register.
#[derive(Debug)]
struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// The brackets that close what is open around the innermost.
    open: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn parts(&mut self, lists: &[String]) -> Scanned<Parts<'a>> {
        let mut parts = Parts::default();
        let mut at = blank(self.bytes, 0);
        at = blank(self.bytes, expect(self.bytes, at, b'{')?);
        if self.bytes.get(at) == Some(&b'}') {
            at += 1;
        } else {
            loop {
                let name;
                (name, at) = self.name(at)?;
                match lists.iter().position(|list| *list == name) {
                    Some(rank) if self.bytes.get(at) == Some(&b'[') => {
                        let rows;
                        (rows, at) = self.rows(at)?;
                        parts.lists.push((rank, rows));
                    }
                    Some(_) => at = literal(self.bytes, at, b"null")?,
                    None => {
                        let start = at;
                        at = self.value(start)?;
                        parts.fields.push((name, &self.text[start..at]));
                    }
                }
                let more;
                (more, at) = goes_on(self.bytes, at, b'}')?;
                if !more {
                    break;
                }
            }
        }
        at = blank(self.bytes, at);
        if at == self.bytes.len() { Ok(parts) } else { Err(Wrong(at)) }
    }

    /// The rows of the list that begins at `at`, and where it ends.
    fn rows(&mut self, at: usize) -> Scanned<(Rows<'a>, usize)> {
        let mut rows = Rows::of(self.text);
        let mut at = blank(self.bytes, expect(self.bytes, at, b'[')?);
        if self.bytes.get(at) == Some(&b']') {
            return Ok((rows, at + 1));
        }
        loop {
            at = self.row(&mut rows, at)?;
            let more;
            (more, at) = goes_on(self.bytes, at, b']')?;
            if !more {
                return Ok((rows, at));
            }
        }
    }

    /// Takes the row that begins at `at`; returns where it ends.
    fn row(&mut self, rows: &mut Rows<'a>, at: usize) -> Scanned<usize> {
        let before = rows.last();
        let mut alike = true;
        let mut n_fields = 0;
        let mut at = blank(self.bytes, expect(self.bytes, at, b'{')?);
        if self.bytes.get(at) == Some(&b'}') {
            at += 1;
        } else {
            loop {
                let expected = before.clone().nth(n_fields).and_then(|index| rows.name_at(index));
                if let Some(name) = expected.and_then(|(start, end)| self.same_name(at, start, end)) {
                    let start = after_name(self.bytes, name.1 + 1)?;
                    at = self.value(start)?;
                    rows.push_spots(name, (start, at));
                } else {
                    alike = false;
                    let (name, start) = self.name(at)?;
                    at = self.value(start)?;
                    rows.push(name, &self.text[start..at]);
                }
                n_fields += 1;
                let more;
                (more, at) = goes_on(self.bytes, at, b'}')?;
                if !more {
                    break;
                }
            }
        }
        rows.end(alike && n_fields == before.len());
        Ok(at)
    }

    /// Where the name lies that lies from `start` to `end` already, quotes left out, if it comes again at `at`.
    fn same_name(&self, at: usize, start: usize, end: usize) -> Option<Spot> {
        let known = &self.bytes[start - 1..=end];
        self.bytes[at..].starts_with(known).then_some((at + 1, at + known.len() - 1))
    }

    /// The name that begins at `at`, decoded, and where its value begins.
    fn name(&self, at: usize) -> Scanned<(Cow<'a, str>, usize)> {
        let end = string(self.bytes, at)?;
        let quoted = &self.text[at..end];
        let name = if quoted.contains('\\') {
            Cow::Owned(serde_json::from_str(quoted).map_err(|_| Wrong(end))?)
        } else {
            Cow::Borrowed(&quoted[1..quoted.len() - 1])
        };
        Ok((name, after_name(self.bytes, end)?))
    }

    /// Steps over the value that begins at `at`; returns where it ends.
    fn value(&mut self, mut at: usize) -> Scanned<usize> {
        let bytes = self.bytes;
        // What closes the innermost object or list; outside of any there is none.
        let mut close = None;
        self.open.clear();
        loop {
            at = match bytes.get(at) {
                Some(b'"') => string(bytes, at)?,
                Some(b'{') => {
                    at = blank(bytes, at + 1);
                    if bytes.get(at) == Some(&b'}') {
                        at + 1
                    } else {
                        self.open.extend(close.replace(b'}'));
                        at = after_name(bytes, string(bytes, at)?)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    at = blank(bytes, at + 1);
                    if bytes.get(at) == Some(&b']') {
                        at + 1
                    } else {
                        self.open.extend(close.replace(b']'));
                        continue;
                    }
                }
                Some(b't') => literal(bytes, at, b"true")?,
                Some(b'f') => literal(bytes, at, b"false")?,
                Some(b'n') => literal(bytes, at, b"null")?,
                Some(_) => number(bytes, at)?,
                None => return Err(Wrong(at)),
            };
            loop {
                let Some(closing) = close else { return Ok(at) };
                let more;
                (more, at) = goes_on(bytes, at, closing)?;
                if more {
                    if closing == b'}' {
                        at = after_name(bytes, string(bytes, at)?)?;
                    }
                    break;
                }
                close = self.open.pop();
            }
        }
    }
}

/// Steps over what stands between two parts.
#[inline]
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

#[inline]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Scanned<usize> {
    if bytes.get(at) == Some(&byte) { Ok(at + 1) } else { Err(Wrong(at)) }
}

/// After a part of an object or a list: whether another one follows, and where that or what is after the end begins.
#[inline]
fn goes_on(bytes: &[u8], at: usize, close: u8) -> Scanned<(bool, usize)> {
    let at = blank(bytes, at);
    match bytes.get(at) {
        Some(b',') => Ok((true, blank(bytes, at + 1))),
        Some(&byte) if byte == close => Ok((false, at + 1)),
        _ => Err(Wrong(at)),
    }
}

/// Steps over what stands between a name and its value.
#[inline]
fn after_name(bytes: &[u8], at: usize) -> Scanned<usize> {
    Ok(blank(bytes, expect(bytes, blank(bytes, at), b':')?))
}

#[inline]
fn literal(bytes: &[u8], at: usize, word: &[u8]) -> Scanned<usize> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Wrong(at)) }
}

#[inline]
fn digits(bytes: &[u8], start: usize) -> Scanned<usize> {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let others = no_digits(u64::from_le_bytes(*chunk));
        at += (others.trailing_zeros() / 8) as usize;
        if others != 0 {
            break;
        }
    }
    while matches!(bytes.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    if at > start { Ok(at) } else { Err(Wrong(at)) }
}

#[inline]
fn number(bytes: &[u8], mut at: usize) -> Scanned<usize> {
    at += usize::from(bytes.get(at) == Some(&b'-'));
    if bytes.get(at) == Some(&b'0') {
        at += 1;
        if matches!(bytes.get(at), Some(b'0'..=b'9')) {
            return Err(Wrong(at));
        }
    } else {
        at = digits(bytes, at)?;
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// Steps over the text that begins with a quote at `at`.
#[inline]
fn string(bytes: &[u8], at: usize) -> Scanned<usize> {
    let at = plain(bytes, expect(bytes, at, b'"')?);
    if bytes.get(at) == Some(&b'"') { Ok(at + 1) } else { string_with_escapes(bytes, at) }
}

/// Steps over what is neither a quote nor a backslash nor a control character.
#[inline]
fn plain(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let special = special(u64::from_le_bytes(*chunk));
        at += (special.trailing_zeros() / 8) as usize;
        if special != 0 {
            return at;
        }
    }
    while !matches!(bytes.get(at), None | Some(b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// Steps over the rest of a text, which holds an escape at `at` or is wrong there.
#[cold]
fn string_with_escapes(bytes: &[u8], mut at: usize) -> Scanned<usize> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => {
                at += 1;
                match bytes.get(at) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 1,
                    Some(b'u') => {
                        let code = bytes.get(at + 1..at + 5).ok_or(Wrong(at))?;
                        if !code.iter().all(u8::is_ascii_hexdigit) {
                            return Err(Wrong(at));
                        }
                        at += 5;
                    }
                    _ => return Err(Wrong(at)),
                }
            }
            _ => return Err(Wrong(at)),
        }
        at = plain(bytes, at);
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks quotes, backslashes and control characters among eight bytes in their highest bits; the lowest mark is right.
#[inline]
fn special(bytes: u64) -> u64 {
    let zeros = |n: u64| n.wrapping_sub(ONES) & !n;
    let below_blank = bytes.wrapping_sub(ONES * 0x20) & !bytes;
    (zeros(bytes ^ (ONES * 0x22)) | zeros(bytes ^ (ONES * 0x5C)) | below_blank) & HIGH
}

/// Marks what is no digit among eight bytes in their highest bits.
#[inline]
fn no_digits(bytes: u64) -> u64 {
    let values = bytes ^ (ONES * 0x30);
    (((values & !HIGH) + ONES * 0x76) | values) & HIGH
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// The fields of an answer and its records.
    type Answer = (Vec<(String, String)>, Vec<String>);

    /// What `serde_json` makes of it.
    fn by_serde(body: &str) -> Option<Answer> {
        let pairs: crate::record::Pairs<'_> = serde_json::from_str(body).ok()?;
        let (mut fields, mut records) = (Vec::new(), Vec::new());
        for (name, value) in &pairs.0 {
            if name == "list" {
                let rows: Option<Vec<Box<RawValue>>> = serde_json::from_str(value.get()).ok()?;
                let body = Arc::new(value.get().to_owned());
                let _: Rows<'_> = serde_json::from_str(&body).ok()?;
                records.extend(rows.unwrap_or_default().iter().map(|row| row.get().to_owned()));
            } else {
                fields.push((name.clone().into_owned(), value.get().to_owned()));
            }
        }
        Some((fields, records))
    }

    fn by_scan(body: &str) -> Option<Answer> {
        let body = Arc::new(body.to_owned());
        let parts = Parts::split(&body, &["list".to_owned()]).ok()?;
        let fields = parts.fields.iter().map(|(name, value)| (name.to_string(), (*value).to_owned())).collect();
        let mut records = Vec::new();
        for (_, rows) in parts.lists {
            let serde_rows = |text: &str| crate::Record::parse(text.to_owned()).unwrap();
            for record in rows.into_records(&body) {
                let again = serde_rows(record.text());
                assert!(record.fields().eq(again.fields()), "{record:?}");
                // An object without fields is kept as `{}`, whatever blanks it has.
                records.push(record.text().to_owned());
            }
        }
        Some((fields, records))
    }

    fn check(body: &str) {
        let tidy = |found: Option<Answer>| {
            found.map(|(fields, records)| {
                let empty = |row: String| if row[1..row.len() - 1].trim().is_empty() { "{}".into() } else { row };
                (fields, records.into_iter().map(empty).collect::<Vec<String>>())
            })
        };
        assert_eq!(tidy(by_scan(body)), tidy(by_serde(body)), "{body}");
    }

    const ANSWER: &str = r#" { "a" : [1,-0.10e+5 ,{"x":{} , "y":[ ]}],"total":2, "\u5355":"\"\\\u00e9",
        "list":[ {"id":1 , "n\n":"v" ,"o":[{"a":null}]},{"id":12345678901234567890,"n\n":"\t","o":[true,false]} , { },
        {"id":3,"id":4}, {"":1, "id" : 0} ,{"":2,"id":"中文十个字节以上的文本"}], "b":"" } "#;

    #[test]
    fn the_parts_of_an_answer() {
        check(ANSWER);
        for body in ["{}", "{\"list\":null}", "{\"list\":[]}", "{\"list\":[ ],\"list\":[{\"a\":1}]}"] {
            check(body);
        }
    }

    #[test]
    fn what_is_cut_or_spoilt_is_found_as_serde_finds_it() {
        for end in (0..ANSWER.len()).filter(|&end| ANSWER.is_char_boundary(end)) {
            check(&ANSWER[..end]);
        }
        for at in 0..ANSWER.len() {
            for other in
                ["\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "u", "n", " ", "\n", "\u{1}", "中"]
            {
                if ANSWER.is_char_boundary(at) && ANSWER.is_char_boundary(at + 1) {
                    check(&format!("{}{other}{}", &ANSWER[..at], &ANSWER[at + 1..]));
                    check(&format!("{}{other}{}", &ANSWER[..at], &ANSWER[at..]));
                }
            }
        }
    }

    #[test]
    fn numbers_and_words_are_read_strictly() {
        for value in [
            "0",
            "-0",
            "01",
            "-",
            "1.",
            ".1",
            "1.0",
            "1e",
            "1e5",
            "1E-05",
            "+1",
            "00",
            "-01",
            "0x1",
            "1e+",
            "tru",
            "True",
            "nul",
            "NaN",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"\\x\"",
            "\"a\tb\"",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "[,1]",
            "[[[[1]]]",
        ] {
            check(&format!("{{\"a\":{value}}}"));
            check(&format!("{{\"list\":[{{\"a\":{value}}}]}}"));
            check(&format!("{{\"list\":[{value}]}}"));
            check(&format!("{{\"list\":{value}}}"));
        }
    }

    #[test]
    fn rows_alike_are_known() {
        let body = Arc::new(r#"{"l":[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"a":6},{"a":6,"b":7}]}"#.to_owned());
        let mut parts = Parts::split(&body, &["l".to_owned()]).unwrap();
        let records = parts.lists.remove(0).1.into_records(&body);
        let alike: Vec<bool> = records.windows(2).map(|pair| pair[0].has_names_of(&pair[1])).collect();
        assert_eq!(alike, [true, false, true, false]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_as_serde_takes_it(body in r#"[{}\[\]",:\\a0-9.e \n中u-]{0,24}"#) {
            check(&body);
            check(&format!("{{\"list\":[{{\"a\":{body}}}]}}"));
            check(&format!("{{\"list\":[{{\"abcdefg\":\"{body}\"}},{{\"abcdefg\":\"{body}\"}}]}}"));
        }
    }
}

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
        let mut scan = Scan::new(body);
        let split = scan.parts(lists);
        split.map_err(|Wrong| Error::malformed("the answer is not the documented JSON").with("byte", scan.at))
    }
}

/// The text is not what it has to be, where the scan stands.
#[derive(Debug)]
struct Wrong;

type Scanned<T> = std::result::Result<T, Wrong>;

#[derive(Debug)]
struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that close what is open.
    open: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes that byte if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let here = self.byte() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, byte: u8) -> Scanned<()> {
        if self.take(byte) { Ok(()) } else { Err(Wrong) }
    }

    fn parts(&mut self, lists: &[String]) -> Scanned<Parts<'a>> {
        let mut parts = Parts::default();
        self.skip_blank();
        self.expect(b'{')?;
        self.skip_blank();
        if !self.take(b'}') {
            loop {
                let name = self.name()?;
                match lists.iter().position(|list| *list == name) {
                    Some(rank) if self.byte() == Some(b'[') => parts.lists.push((rank, self.rows()?)),
                    Some(_) => self.literal("null")?,
                    None => parts.fields.push((name, self.value()?)),
                }
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        self.skip_blank();
        if self.at == self.text.len() { Ok(parts) } else { Err(Wrong) }
    }

    /// After a part of an object or a list: whether another one follows.
    fn goes_on(&mut self, close: u8) -> Scanned<bool> {
        self.skip_blank();
        if self.take(b',') {
            self.skip_blank();
            return Ok(true);
        }
        self.expect(close).map(|()| false)
    }

    fn rows(&mut self) -> Scanned<Rows<'a>> {
        let mut rows = Rows::of(self.text);
        self.expect(b'[')?;
        self.skip_blank();
        if self.take(b']') {
            return Ok(rows);
        }
        loop {
            self.row(&mut rows)?;
            if !self.goes_on(b']')? {
                return Ok(rows);
            }
        }
    }

    fn row(&mut self, rows: &mut Rows<'a>) -> Scanned<()> {
        let before = rows.last();
        let mut alike = true;
        let mut n_fields = 0;
        self.expect(b'{')?;
        self.skip_blank();
        if !self.take(b'}') {
            loop {
                let expected = before.clone().nth(n_fields).and_then(|index| rows.name_at(index));
                if let Some(name) = expected.and_then(|(start, end)| self.same_name(start, end)) {
                    self.after_name()?;
                    let value = self.spot()?;
                    rows.push_spots(name, value);
                } else {
                    alike = false;
                    let name = self.name()?;
                    let value = self.value()?;
                    rows.push(name, value);
                }
                n_fields += 1;
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        rows.end(alike && n_fields == before.len());
        Ok(())
    }

    /// Takes the name that lies from `start` to `end` already, quotes left out, if it comes here again.
    fn same_name(&mut self, start: usize, end: usize) -> Option<Spot> {
        let bytes = self.text.as_bytes();
        let known = &bytes[start - 1..=end];
        if !bytes[self.at..].starts_with(known) {
            return None;
        }
        let from = self.at + 1;
        self.at += known.len();
        Some((from, self.at - 1))
    }

    /// A name, decoded, and what stands between it and its value.
    fn name(&mut self) -> Scanned<Cow<'a, str>> {
        let start = self.at;
        let has_escapes = self.string()?;
        let quoted = &self.text[start..self.at];
        let name = if has_escapes {
            Cow::Owned(serde_json::from_str(quoted).map_err(|_| Wrong)?)
        } else {
            Cow::Borrowed(&quoted[1..quoted.len() - 1])
        };
        self.after_name()?;
        Ok(name)
    }

    fn after_name(&mut self) -> Scanned<()> {
        self.skip_blank();
        self.expect(b':')?;
        self.skip_blank();
        Ok(())
    }

    fn value(&mut self) -> Scanned<&'a str> {
        let (start, end) = self.spot()?;
        Ok(&self.text[start..end])
    }

    /// Steps over one value.
    fn spot(&mut self) -> Scanned<Spot> {
        let start = self.at;
        loop {
            match self.byte().ok_or(Wrong)? {
                b'"' => {
                    self.string()?;
                }
                b'{' => {
                    self.at += 1;
                    self.skip_blank();
                    if !self.take(b'}') {
                        self.open.push(b'}');
                        self.inner_name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.skip_blank();
                    if !self.take(b']') {
                        self.open.push(b']');
                        continue;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&close) = self.open.last() else { return Ok((start, self.at)) };
                if self.goes_on(close)? {
                    if close == b'}' {
                        self.inner_name()?;
                    }
                    break;
                }
                self.open.pop();
            }
        }
    }

    fn inner_name(&mut self) -> Scanned<()> {
        self.string()?;
        self.after_name()
    }

    fn literal(&mut self, word: &str) -> Scanned<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Wrong);
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Wrong) }
    }

    fn number(&mut self) -> Scanned<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        } else if matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(Wrong);
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// Steps over a text; says whether it holds escapes.
    fn string(&mut self) -> Scanned<bool> {
        let bytes = self.text.as_bytes();
        self.expect(b'"')?;
        let mut has_escapes = false;
        loop {
            while let Some(chunk) = bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
                let special = special(u64::from_le_bytes(*chunk));
                self.at += (special.trailing_zeros() / 8) as usize;
                if special != 0 {
                    break;
                }
            }
            match self.byte().ok_or(Wrong)? {
                b'"' => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                b'\\' => {
                    has_escapes = true;
                    self.at += 1;
                    match self.byte().ok_or(Wrong)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            let code = bytes.get(self.at + 1..self.at + 5).ok_or(Wrong)?;
                            if !code.iter().all(u8::is_ascii_hexdigit) {
                                return Err(Wrong);
                            }
                            self.at += 5;
                        }
                        _ => return Err(Wrong),
                    }
                }
                0..0x20 => return Err(Wrong),
                _ => self.at += 1,
            }
        }
    }
}

/// Marks quotes, backslashes and control characters among eight bytes in their highest bits; the lowest mark is right.
fn special(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zeros = |n: u64| n.wrapping_sub(ONES) & !n;
    let below_blank = bytes.wrapping_sub(ONES * 0x20) & !bytes;
    (zeros(bytes ^ (ONES * 0x22)) | zeros(bytes ^ (ONES * 0x5C)) | below_blank) & HIGH
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

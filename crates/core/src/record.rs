//! One object as the vendor sent it: the bytes of the page, and where its fields lie in them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::error::{Error, Result};

/// A JSON object, kept byte for byte; its numbers are never turned into floats.
///
/// Cloning is cheap: the text of the page and the places of its fields are shared by all its records.
#[derive(Clone)]
pub struct Record {
    page: Arc<Places>,
    start: u32,
    end: u32,
    /// Which of the page's fields are this record's.
    first: u32,
    n_fields: u32,
    /// Records of one page that share this number have the same names in the same order.
    shape: u32,
}

/// A page's text, and where the fields of all its records lie in it.
struct Places {
    base: Arc<String>,
    fields: Vec<Field>,
    /// Names that hold escapes, decoded: `(index of the field, name)`, ascending.
    decoded: Vec<(usize, String)>,
}

/// Where the name (without quotes) and the value of one field lie in the page.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: (u32, u32),
    value: (u32, u32),
}

impl Record {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the text is not one JSON object.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let base = Arc::new(text.into());
        let mut rows = Rows::default();
        let mut de = serde_json::Deserializer::from_str(&base);
        let parsed = RowSeed(&mut rows).deserialize(&mut de).and_then(|()| de.end());
        parsed.map_err(|e| Error::malformed("the record is not a JSON object").caused_by(e))?;
        Ok(rows.into_records(&base).remove(0))
    }

    /// The object as the vendor wrote it.
    pub fn text(&self) -> &str {
        &self.page.base[self.start as usize..self.end as usize]
    }

    /// Where the object lies in `body`, as first byte and number of bytes, if it is a part of that very text.
    pub fn place_in(&self, body: &Arc<String>) -> Option<(u32, u32)> {
        Arc::ptr_eq(&self.page.base, body).then_some((self.start, self.end - self.start))
    }

    /// Whether it is known to have the same names in the same order as `other`, a record of the same page.
    pub fn has_names_of(&self, other: &Self) -> bool {
        self.shape == other.shape && Arc::ptr_eq(&self.page, &other.page)
    }

    /// How many fields the object has, repeated names counted each time.
    pub fn len(&self) -> usize {
        self.n_fields as usize
    }

    /// Whether the object has no field.
    pub fn is_empty(&self) -> bool {
        self.n_fields == 0
    }

    fn field(&self, index: usize) -> Field {
        assert!(index < self.len(), "the record has no field {index}");
        self.page.fields[self.first as usize + index]
    }

    /// The name of the field at `index`, decoded.
    pub fn name(&self, index: usize) -> &str {
        let Field { name: (start, end), .. } = self.field(index);
        if start == end {
            let index = self.first as usize + index;
            let decoded = &self.page.decoded;
            return decoded.binary_search_by_key(&index, |(i, _)| *i).map_or("", |at| &decoded[at].1);
        }
        &self.page.base[start as usize..end as usize]
    }

    /// The value of the field at `index`, as JSON text.
    pub fn value(&self, index: usize) -> &str {
        let (start, end) = self.field(index).value;
        &self.page.base[start as usize..end as usize]
    }

    /// The value of the field of that name as JSON text; of a repeated name, the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.position(name).map(|index| self.value(index))
    }

    /// Which field has that name; of a repeated name, the last.
    fn position(&self, name: &str) -> Option<usize> {
        let bytes = self.page.base.as_bytes();
        let is_it = |index: &usize| match self.field(*index).name {
            // An empty name, or one with escapes.
            (start, end) if start == end => self.name(*index) == name,
            (start, end) => bytes[start as usize..end as usize] == *name.as_bytes(),
        };
        (0..self.len()).rev().find(is_it)
    }

    /// The fields in the order they were written.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.len()).map(|i| (self.name(i), self.value(i)))
    }

    /// The value at a path of names and indexes, such as `orders[0].oid`, as JSON text.
    ///
    /// A name may hold dots if the object has a field of the whole name; `null` counts as a value.
    pub fn at(&self, path: &str) -> Option<Cow<'_, str>> {
        if let Some(value) = self.get(path) {
            return Some(Cow::Borrowed(value));
        }
        let (head, rest) = split_head(path)?;
        descend(self.get(head)?, rest).map(Cow::Borrowed)
    }

    /// A 128-bit fingerprint of the text (xxh3), to tell a changed record from an unchanged one.
    pub fn fingerprint(&self) -> u128 {
        xxh3_128(self.text().as_bytes())
    }
}

/// Finds the values at the same paths in record after record: those of a page that have the same names are searched once.
#[derive(Debug)]
pub struct Finder<'p> {
    paths: Vec<&'p str>,
    /// The record that was searched last.
    last: Option<Record>,
    /// Which of its fields each path is the name of.
    fields: Vec<Option<usize>>,
}

impl<'p> Finder<'p> {
    /// Finds the values at these paths, see [`Record::at`].
    pub fn new(paths: impl IntoIterator<Item = &'p str>) -> Self {
        Self { paths: paths.into_iter().collect(), last: None, fields: Vec::new() }
    }

    /// The value at each path, in their order.
    pub fn values<'a>(&'a mut self, record: &'a Record) -> impl Iterator<Item = Option<Cow<'a, str>>> {
        if !self.last.as_ref().is_some_and(|last| last.has_names_of(record)) {
            self.fields.clear();
            self.fields.extend(self.paths.iter().map(|path| record.position(path)));
            self.last = Some(record.clone());
        }
        self.paths.iter().zip(&self.fields).map(|(path, field)| match field {
            Some(index) => Some(Cow::Borrowed(record.value(*index))),
            None => record.at(path),
        })
    }
}

/// Splits `a.b[0]` into the first name and what follows it.
fn split_head(path: &str) -> Option<(&str, &str)> {
    let cut = path.find(['.', '['])?;
    Some((&path[..cut], &path[cut..]))
}

/// Follows `.name` and `[index]` steps into a JSON text.
fn descend<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    if path.is_empty() {
        return Some(text);
    }
    if let Some(rest) = path.strip_prefix('.') {
        let cut = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(cut);
        let pairs: Pairs<'a> = serde_json::from_str(text).ok()?;
        let value = pairs.0.into_iter().rev().find(|(n, _)| n == name)?.1;
        return descend(value.get(), rest);
    }
    let rest = path.strip_prefix('[')?;
    let (index, rest) = rest.split_once(']')?;
    let index: usize = index.parse().ok()?;
    let items: Vec<&'a RawValue> = serde_json::from_str(text).ok()?;
    descend(items.get(index)?.get(), rest)
}

/// The fields of a JSON object, one level deep, values as text.
#[derive(Debug)]
pub struct Pairs<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    pairs.push((name, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(V)
    }
}

/// A field name, borrowed where it holds no escape.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> std::result::Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> std::result::Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(V)
    }
}

/// Where a name with escapes begins (after its quote), found backwards from its value.
fn escaped_name_start(base: &str, value_start: usize) -> usize {
    let closing = base[..value_start].rfind('"').expect("a name ends with a quote");
    let bytes = base.as_bytes();
    let mut at = closing;
    loop {
        at = base[..at].rfind('"').expect("a name begins with a quote");
        let slashes = bytes[..at].iter().rev().take_while(|&&b| b == b'\\').count();
        if slashes % 2 == 0 {
            return at + 1;
        }
    }
}

/// The rows of a vendor's list, split in one pass; `null` counts as no list.
///
/// Use it as the type of the list's field in an envelope struct that is read with [`serde_json::from_str`], then
/// [`Rows::into_records`].
#[derive(Debug, Default)]
pub struct Rows<'a> {
    /// The address of the first name or value: places are counted from there until the text itself is known.
    anchor: Option<usize>,
    /// The fields of all rows, one after the other.
    fields: Vec<Field>,
    /// Names that hold escapes, decoded.
    decoded: Vec<(usize, String)>,
    /// For each row, where its fields end.
    ends: Vec<usize>,
    /// For each row, the first row of those in succession that have the same names.
    shapes: Vec<u32>,
    text: PhantomData<&'a str>,
}

/// The first byte of a part of a text, and the first one after it.
pub(crate) type Spot = (usize, usize);

impl<'a> Rows<'a> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// No rows yet, of that text.
    pub(crate) fn of(text: &'a str) -> Self {
        let (fields, ends) = (Vec::with_capacity(FIELDS_OF_A_PAGE), Vec::with_capacity(128));
        Self { anchor: Some(text.as_ptr() as usize), fields, ends, ..Self::default() }
    }

    /// Which fields are those of the last row.
    pub(crate) fn last(&self) -> Range<usize> {
        let before = self.ends.len().checked_sub(2).map_or(0, |row| self.ends[row]);
        self.ends.last().map_or(0..0, |&end| before..end)
    }

    /// Where a name lies that holds no escapes, in a text that the rows are counted [`of`](Self::of).
    pub(crate) fn name_at(&self, index: usize) -> Option<Spot> {
        let (start, end) = self.fields[index].name;
        (start < end).then_some((start as usize, end as usize))
    }

    /// Takes a field whose name holds no escapes.
    pub(crate) fn push_spots(&mut self, name: Spot, value: Spot) {
        let spot = |(start, end)| (narrow(start), narrow(end));
        self.fields.push(Field { name: spot(name), value: spot(value) });
    }

    /// Ends the row that is being read; `alike` if its names are those of the row before.
    pub(crate) fn end(&mut self, alike: bool) {
        let number = narrow(self.ends.len());
        let shape = self.shapes.last().copied().filter(|_| alike).unwrap_or(number);
        self.shapes.push(shape);
        self.ends.push(self.fields.len());
    }

    /// Takes a field of the row that is being read.
    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: &'a str) {
        let name = match name {
            Cow::Borrowed(name) => self.place(name),
            Cow::Owned(name) => {
                self.decoded.push((self.fields.len(), name));
                (0, 0)
            }
        };
        let value = self.place(value);
        self.fields.push(Field { name, value });
    }

    /// Where a part of the text lies, counted from the anchor: a text is read from its start to its end.
    fn place(&mut self, part: &'a str) -> (u32, u32) {
        let address = part.as_ptr() as usize;
        let start = address - *self.anchor.get_or_insert(address);
        (narrow(start), narrow(start + part.len()))
    }

    /// The records; `body` is the very text that was read.
    pub fn into_records(self, body: &Arc<String>) -> Vec<Record> {
        let Self { anchor, mut fields, decoded, ends, shapes, .. } = self;
        let shift = narrow(anchor.map_or(0, |anchor| anchor - body.as_ptr() as usize));
        fields.shrink_to_fit();
        for Field { name, value } in &mut fields {
            let decoded = name.0 == name.1;
            // A name that is decoded, or empty, has no place.
            *name = if decoded { (0, 0) } else { (name.0 + shift, name.1 + shift) };
            *value = (value.0 + shift, value.1 + shift);
        }
        let page = Arc::new(Places { base: Arc::clone(body), fields, decoded });
        let mut first = 0;
        let record = |(end, shape)| {
            let row = std::mem::replace(&mut first, end)..end;
            if row.is_empty() {
                return Record { page: Arc::new(Places::nothing()), start: 0, end: 2, first: 0, n_fields: 0, shape };
            }
            let (start, stop) = page.braces(row.clone());
            Record {
                page: Arc::clone(&page),
                start: narrow(start),
                end: narrow(stop),
                first: narrow(row.start),
                n_fields: narrow(row.len()),
                shape,
            }
        };
        ends.into_iter().zip(shapes).map(record).collect()
    }
}

impl Places {
    /// The places of an object without fields, whose text is put in its stead.
    fn nothing() -> Self {
        Self { base: Arc::new("{}".to_owned()), fields: Vec::new(), decoded: Vec::new() }
    }

    /// Where the object of these fields, of which there is at least one, begins and ends, braces included.
    fn braces(&self, row: Range<usize>) -> (usize, usize) {
        let body = self.base.as_str();
        let (first, last) = (self.fields[row.start], self.fields[row.end - 1]);
        let value_start = first.value.0 as usize;
        let name_start = match first.name {
            (start, end) if start == end => escaped_name_start(body, value_start),
            (start, _) => start as usize,
        };
        let start = body[..name_start].rfind('{').expect("an object begins with a brace");
        let tail = last.value.1 as usize;
        (start, tail + body[tail..].find('}').expect("an object ends with a brace") + 1)
    }
}

/// Positions fit 32 bits: the transport refuses bodies of 4 GiB and more.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("a page is shorter than 4 GiB")
}

/// Reads one object into the rows.
struct RowSeed<'r, 'a>(&'r mut Rows<'a>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let rows = self.0;
        while let Some(Name(name)) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            rows.push(name, value.get());
        }
        rows.end(false);
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Rows<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Rows<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Self::Value, A::Error> {
                let (fields, ends) = (Vec::with_capacity(FIELDS_OF_A_PAGE), Vec::with_capacity(128));
                let mut rows = Rows { fields, ends, ..Rows::default() };
                while seq.next_element_seed(RowSeed(&mut rows))?.is_some() {}
                Ok(rows)
            }
            fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
                Ok(Rows::default())
            }
        }
        deserializer.deserialize_any(V).map_err(D::Error::custom)
    }
}

/// Room for the fields of a usual page, 100 records of 80 fields, so that it seldom has to grow.
const FIELDS_OF_A_PAGE: usize = 8000;

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// The natural key of a record: whole numbers of up to 18 digits as numbers, everything else as text.
///
/// A number and the same digits as text are one key, because vendors mix the two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// A whole number without sign or leading zero.
    Int(i64),
    /// Any other text; parts of a composite key are joined by `|`.
    Text(String),
}

impl Key {
    /// The key for a text as a person would write it.
    pub fn of(text: &str) -> Self {
        let digits = text.len() <= 18 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits && (text == "0" || !text.starts_with('0')) {
            return Self::Int(text.parse().expect("18 digits fit 64 bits"));
        }
        Self::Text(text.to_owned())
    }

    /// The key of `record`, or `None` if a part of it is missing, null, empty, or not a plain value.
    pub fn read(record: &Record, paths: &[String]) -> Option<Self> {
        Self::join(paths.iter().map(|path| record.at(path)), paths.len())
    }

    /// The key whose `n_parts` parts are these values, see [`read`](Self::read).
    pub fn join<'a>(values: impl IntoIterator<Item = Option<Cow<'a, str>>>, n_parts: usize) -> Option<Self> {
        let mut joined: Option<String> = None;
        for value in values {
            let value = value?;
            let part = plain_text(&value)?;
            if part.is_empty() {
                return None;
            }
            match &mut joined {
                None if n_parts == 1 => return Some(Self::of(&part)),
                None => joined = Some(escape_part(&part).into_owned()),
                Some(text) => {
                    text.push('|');
                    text.push_str(&escape_part(&part));
                }
            }
        }
        joined.map(|text| Self::of(&text))
    }

    /// A 64-bit digest, for sets of keys.
    pub fn digest(&self) -> u64 {
        match self {
            Self::Int(n) => xxh3_64(&n.to_le_bytes()),
            Self::Text(text) => xxh3_64(text.as_bytes()),
        }
    }
}

fn escape_part(part: &str) -> Cow<'_, str> {
    if part.contains(['|', '\\']) {
        Cow::Owned(part.replace('\\', "\\\\").replace('|', "\\|"))
    } else {
        Cow::Borrowed(part)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => n.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A text, number or boolean of JSON as plain text; `None` for null, lists and objects.
pub fn plain_text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' if !json.contains('\\') => Some(Cow::Borrowed(&json[1..json.len() - 1])),
        b'"' => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        b'n' | b'[' | b'{' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Writes `text` as a JSON string onto `out`.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing to memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(body: &str) -> Vec<Record> {
        let body = Arc::new(body.to_owned());
        let rows: Rows = serde_json::from_str(&body).unwrap();
        rows.into_records(&body)
    }

    #[test]
    fn keeps_every_byte() {
        let text =
            r#"{ "oid" : 6920000000000000001,"n":1234567890123456789012, "a":0.10,"b":1000000000000000.01,"c":1E+2 }"#;
        let records = rows(&format!("[ {text} ,{{}},{text}]"));
        assert_eq!(records.len(), 3);
        assert_eq!(records[0].text(), text);
        assert_eq!(records[1].text(), "{}");
        assert_eq!(records[2].get("c"), Some("1E+2"));
        assert_eq!(records[0].get("oid"), Some("6920000000000000001"));
        assert_eq!(records[0], records[2]);
    }

    #[test]
    fn reads_escaped_names() {
        let text = r#"{"a\"\\":1,"\u5355\u53f7":"x","b":{"c":[1,{"d":"\u0041"}]}}"#;
        for records in [rows(&format!("[{text}]")), vec![Record::parse(text).unwrap()]] {
            assert_eq!(records[0].text(), text);
            assert_eq!(records[0].get("a\"\\"), Some("1"));
            assert_eq!(records[0].get("单号"), Some("\"x\""));
            assert_eq!(records[0].at("b.c[1].d").unwrap(), "\"\\u0041\"");
            assert_eq!(records[0].at("b.c[2].d"), None);
        }
    }

    #[test]
    fn a_finder_finds_what_each_record_has() {
        let list = r#"[{"a":1,"b":{"c":2}},{"a":3,"b":{"c":4}},{"b":{"c":5},"a":6},{"a":7,"a":8},{},{"b.c":9,"a":0}]"#;
        let records = rows(list);
        let mut finder = Finder::new(["b.c", "a"]);
        for record in records.iter().chain(&rows(list)).chain(records.iter().rev()) {
            let found: Vec<_> = finder.values(record).collect();
            assert_eq!(found, [record.at("b.c"), record.at("a")], "{record:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_object() {
        for text in ["", "[1]", "{\"a\":1", "{\"a\":1}x", "null"] {
            assert!(Record::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Rows>("[1]").is_err());
        assert!(serde_json::from_str::<Rows>("\"x\"").is_err());
        assert!(serde_json::from_str::<Rows>("null").unwrap().is_empty());
    }

    #[test]
    fn keys_of_numbers_and_texts_are_one() {
        let of = |text: &str, paths: &[&str]| {
            Key::read(&Record::parse(text).unwrap(), &paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(r#"{"id":17}"#, &["id"]), of(r#"{"id":"17"}"#, &["id"]));
        assert_eq!(of(r#"{"id":"017"}"#, &["id"]), Some(Key::Text("017".into())));
        assert_eq!(of(r#"{"id":6920000000000000001}"#, &["id"]), Some(Key::Text("6920000000000000001".into())));
        assert_eq!(of(r#"{"a":1,"b":"x|y"}"#, &["a", "b"]), Some(Key::Text("1|x\\|y".into())));
        for text in [r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":[1]}"#, "{}"] {
            assert_eq!(of(text, &["id"]), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_object_comes_back(pairs in proptest::collection::vec((".{0,6}", ".{0,6}"), 0..6)) {
            let quoted = |s: &str| serde_json::to_string(s).unwrap();
            let fields: Vec<_> = pairs.iter().map(|(n, v)| format!("{}:{}", quoted(n), quoted(v))).collect();
            let text = format!("{{ {}}}", fields.join(" , "));
            let body = format!("[{text}]");
            let record = &rows(&body)[0];
            if !pairs.is_empty() {
                proptest::prop_assert_eq!(record.text(), &text);
            }
            let read: Vec<_> = record.fields().map(|(n, v)| (n.to_owned(), serde_json::from_str::<String>(v).unwrap())).collect();
            proptest::prop_assert_eq!(read, pairs);
        }
    }
}

//! Applies a compiled mapping to one record.

mod computed;

use std::borrow::Cow;
use std::cell::RefCell;

use milkrun_core::Record;

use self::computed::Seen;
use crate::convert;
use crate::error::MapError;
use crate::expr::meter;
use crate::expr::value::Val;
use crate::json::{Elements, Fields, kind, write_text};
use crate::layout::{Found, Spot, Wanted};
use crate::mapping::Mapping;
use crate::path::descend;
use crate::rule::{Absent, Body, Each, Fate, Field, Node, Place, Source, Value};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It gave `n` documents; 0 if the list that `explode` names is empty or missing.
    Mapped {
        /// How many documents were appended.
        n: usize,
    },
    /// The filter turned it away.
    Filtered,
}

/// The documents, one after the other in one text, and what is kept between records to be quick.
///
/// One output serves any number of records; it may be used with different mappings, though not at its best.
#[derive(Debug, Default)]
pub struct Output {
    text: String,
    ends: Vec<usize>,
    /// Which mapping `found` belongs to.
    mapping: Option<u64>,
    found: Vec<Found>,
    /// The record that was mapped last: the fields of one with the same names lie in the same places.
    last: Option<Record>,
}

impl Output {
    /// Room for documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The document of that number, as JSON text.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start..end)
    }

    /// The documents in the order they were appended.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// All documents without anything between them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Forgets the documents and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        // It keeps its whole page in memory.
        self.last = None;
    }
}

impl Mapping {
    /// Maps one record and appends its documents to `out`; on an error nothing is appended.
    ///
    /// The same record gives the same documents, whenever and wherever it is mapped.
    ///
    /// # Errors
    /// If a value does not fit its rule.
    pub fn apply(&self, record: &Record, out: &mut Output) -> Result<Outcome, MapError> {
        if self.is_identity() {
            out.text.push_str(record.text());
            out.ends.push(out.text.len());
            return Ok(Outcome::Mapped { n: 1 });
        }
        if out.mapping != Some(self.version()) {
            out.mapping = Some(self.version());
            out.found.clear();
            out.found.resize_with(self.scopes.len(), Found::default);
            out.last = None;
        }
        let before = (out.text.len(), out.ends.len());
        if !out.last.as_ref().is_some_and(|last| last.has_names_of(record)) {
            let fields = (0..record.len()).map(|i| (record.name(i), (small(i), 0)));
            out.found[0].fill(&self.scopes[0], fields, false);
            out.last = Some(record.clone());
        }
        let read = RefCell::default();
        let mut run = Run { mapping: self, found: &mut out.found, out: &mut out.text, ends: &mut out.ends, read };
        if self.env.is_some() {
            meter::start(record.text().len());
        }
        let mut result = run.record(record);
        if result.is_ok() && (!self.checks.is_empty() || self.id.is_some()) {
            result = self.fit(record, before, out).and(result);
        }
        if result.is_err() {
            out.text.truncate(before.0);
            out.ends.truncate(before.1);
        }
        result
    }
}

impl Mapping {
    /// Gives the new documents their ids, and checks them.
    fn fit(&self, record: &Record, (start, first): (usize, usize), out: &mut Output) -> Result<(), MapError> {
        let mut start = start;
        for index in first..out.ends.len() {
            let number = self.explodes().then_some(index - first);
            let end = out.ends[index];
            if let Some(id) = &self.id {
                // What follows is moved by what is filled in.
                let rest = out.text.split_off(end);
                let filled = id.apply(record, number, start, &mut out.text);
                let moved = out.text.len() - end;
                out.text.push_str(&rest);
                out.ends[index..].iter_mut().for_each(|end| *end += moved);
                filled?;
            }
            let end = out.ends[index];
            let at_document = |e: MapError| if number.is_some() { e.in_document(index - first) } else { e };
            self.checks.check(&out.text[start..end]).map_err(at_document)?;
            start = end;
        }
        Ok(())
    }
}

/// One record being mapped.
struct Run<'a> {
    mapping: &'a Mapping,
    found: &'a mut Vec<Found>,
    out: &'a mut String,
    ends: &'a mut Vec<usize>,
    /// What expressions were given before, by the place of its text; most of them are given the same.
    read: RefCell<[Option<(*const u8, Val)>; 3]>,
}

/// The things that paths begin at.
#[derive(Clone, Copy)]
struct Here<'r> {
    record: &'r Record,
    exploded: &'r str,
    element: &'r str,
}

/// Whether a node wrote its value.
#[derive(PartialEq, Eq)]
enum Written {
    Yes,
    LeftOut,
}

impl Run<'_> {
    fn record(&mut self, record: &Record) -> Result<Outcome, MapError> {
        let mapping = self.mapping;
        let here = Here { record, exploded: "", element: "" };
        let needs_element = mapping.filter_needs_element;
        if let Some(filter) = mapping.filter.as_ref().filter(|_| !needs_element)
            && !filter.holds(&Seen { run: self, here })?
        {
            return Ok(Outcome::Filtered);
        }
        if let Body::Transform(expr) = &mapping.body {
            return self.transform(expr, here);
        }
        let Some(explode) = &mapping.explode else {
            self.document(here)?;
            return Ok(Outcome::Mapped { n: 1 });
        };
        let Some(list) = self.fetch(explode, here).filter(|&raw| raw != "null") else {
            return Ok(Outcome::Mapped { n: 0 });
        };
        let (mut n, mut n_filtered) = (0, 0);
        for (i, exploded) in elements(explode, list)?.enumerate() {
            let here = Here { exploded, ..here };
            self.enter(1, exploded).map_err(|reason| at_element(explode, i, exploded, reason))?;
            let filter = mapping.filter.as_ref().filter(|_| needs_element);
            let chosen = filter.map_or(Ok(true), |f| f.holds(&Seen { run: self, here }));
            let here_only = |e: MapError| e.exploded(&explode.written, i);
            if !chosen.map_err(here_only)? {
                n_filtered += 1;
                continue;
            }
            self.document(here).map_err(here_only)?;
            n += 1;
        }
        Ok(if n == 0 && n_filtered > 0 { Outcome::Filtered } else { Outcome::Mapped { n } })
    }

    /// Finds the wanted fields of an element.
    fn enter(&mut self, scope: usize, element: &str) -> Result<(), Cow<'static, str>> {
        let wanted: &Wanted = &self.mapping.scopes[scope];
        if wanted.len() == 0 {
            return Ok(());
        }
        let fields = Fields::of(element).ok_or_else(|| format!("is {}, not an object", kind(element)))?;
        let spots = fields.map(|(name, (start, end))| (name, (small(start), small(end))));
        self.found[scope].fill(wanted, spots, true);
        Ok(())
    }

    fn document(&mut self, here: Here<'_>) -> Result<(), MapError> {
        let mapping = self.mapping;
        match &mapping.body {
            // Documents that an expression gives are written by `transform`.
            Body::AsCame | Body::Transform(_) => self.out.push_str(here.record.text()),
            Body::Fields(fields) => self.object(fields, here)?,
            Body::KeepAll { fields, own, fate } => self.all_fields(fields, own, fate, here)?,
        }
        self.ends.push(self.out.len());
        Ok(())
    }

    fn object(&mut self, fields: &[Field], here: Here<'_>) -> Result<(), MapError> {
        self.out.push('{');
        let start = self.out.len();
        for field in fields {
            self.field(field, start, here)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// All fields of the record in their order, replaced ones in their place, further ones at the end.
    fn all_fields(&mut self, fields: &[Field], own: &[u16], fate: &[Fate], here: Here<'_>) -> Result<(), MapError> {
        self.out.push('{');
        let start = self.out.len();
        let record = here.record;
        let fate_of = |slot: u16| fate.get(usize::from(slot)).copied().unwrap_or(Fate::Copied);
        for i in 0..record.len() {
            let slot = self.found[0].by_field[i];
            match fate_of(slot) {
                Fate::Dropped => {}
                Fate::Replaced(rule) => {
                    // Of a repeated name, only the last place is written.
                    if self.found[0].spot(slot) == Some((small(i), 0)) {
                        self.field(&fields[rule], start, here)?;
                    }
                }
                fate => {
                    self.comma(start);
                    write_text(self.out, record.name(i));
                    self.out.push(':');
                    self.out.push_str(if fate == Fate::Element { here.exploded } else { record.value(i) });
                }
            }
        }
        for (field, &slot) in fields.iter().zip(own) {
            if self.found[0].spot(slot).is_none() {
                self.field(field, start, here)?;
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn comma(&mut self, start: usize) {
        if self.out.len() > start {
            self.out.push(',');
        }
    }

    fn field(&mut self, field: &Field, start: usize, here: Here<'_>) -> Result<(), MapError> {
        let before = self.out.len();
        if let Node::Value(value) = &field.node
            && value.plain
        {
            // The short way: one source, copied as it came.
            if let Some(raw) = self.fetch(&value.from[0], here) {
                self.comma(start);
                self.out.push_str(&field.key);
                self.out.push_str(raw);
            }
            return Ok(());
        }
        self.comma(start);
        self.out.push_str(&field.key);
        if self.node(&field.node, here).map_err(|e| e.under(&field.name))? == Written::LeftOut {
            self.out.truncate(before);
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, here: Here<'_>) -> Result<Written, MapError> {
        match node {
            Node::Const(json) => self.out.push_str(json),
            Node::Value(value) => return self.value(value, here),
            Node::Computed(computed) => return self.computed(computed, here),
            Node::Object(fields) => self.object(fields, here)?,
            Node::Each(each) => return self.each(each, here),
        }
        Ok(Written::Yes)
    }

    fn value(&mut self, rule: &Value, here: Here<'_>) -> Result<Written, MapError> {
        let mut is_null = false;
        for source in &rule.from {
            let Some(raw) = self.fetch(source, here) else { continue };
            is_null = true;
            if raw == "null" {
                continue;
            }
            let before = self.out.len();
            let written = convert::write(rule, raw, self.out);
            if written.map_err(|reason| MapError::new(&source.written, Some(raw), reason))? {
                return Ok(Written::Yes);
            }
            // What means null does not count, and the next source is asked.
            self.out.truncate(before);
        }
        self.absent(&rule.absent, is_null).map_err(|reason| {
            let sources: Vec<&str> = rule.from.iter().map(|s| s.written.as_str()).collect();
            MapError::new(&sources.join("`, `"), None, reason)
        })
    }

    /// Writes what stands for a value that is missing or null.
    fn absent(&mut self, rule: &Absent, is_null: bool) -> Result<Written, &'static str> {
        if let Some(default) = &rule.default {
            self.out.push_str(default);
            return Ok(Written::Yes);
        }
        if rule.required {
            return Err(if is_null {
                "is null, and the field is required"
            } else {
                "is missing, and the field is required"
            });
        }
        if rule.null.unwrap_or(is_null) {
            self.out.push_str("null");
            return Ok(Written::Yes);
        }
        Ok(Written::LeftOut)
    }

    fn each(&mut self, each: &Each, here: Here<'_>) -> Result<Written, MapError> {
        let list = self.fetch(&each.list, here);
        let Some(list) = list.filter(|&raw| raw != "null") else {
            let absent = self.absent(&each.absent, list.is_some());
            return absent.map_err(|reason| MapError::new(&each.list.written, None, reason));
        };
        self.out.push('[');
        let start = self.out.len();
        for (i, element) in elements(&each.list, list)?.enumerate() {
            let here = Here { element, ..here };
            self.enter(each.scope, element)
                .map_err(|reason| at_element(&each.list, i, element, reason).in_element(i))?;
            if let Some(filter) = &each.filter
                && !filter.holds(&Seen { run: self, here }).map_err(|e| e.in_element(i))?
            {
                continue;
            }
            let before = self.out.len();
            self.comma(start);
            if self.node(&each.body, here).map_err(|e| e.in_element(i))? == Written::LeftOut {
                self.out.truncate(before);
            }
        }
        if self.out.len() == start && each.absent.required {
            return Err(MapError::new(&each.list.written, None, "has no element, and the field is required"));
        }
        self.out.push(']');
        Ok(Written::Yes)
    }

    /// The JSON text of a value, or `None` if it is missing.
    fn fetch<'r>(&self, source: &Source, here: Here<'r>) -> Option<&'r str> {
        let text = match source.place {
            Place::Record => here.record.text(),
            Place::Exploded => here.exploded,
            Place::Element => here.element,
        };
        let found = &self.found[source.scope];
        let read = |(start, end): Spot| match source.place {
            Place::Record => Some(here.record.value(start as usize)),
            Place::Exploded | Place::Element => text.get(start as usize..end as usize),
        };
        if let Some(spot) = source.whole.and_then(|slot| found.spot(slot)) {
            return read(spot);
        }
        let first = match source.slot {
            Some(slot) => read(found.spot(slot)?)?,
            None => text,
        };
        descend(first, &source.rest)
    }
}

fn elements<'r>(source: &Source, list: &'r str) -> Result<Elements<'r>, MapError> {
    Elements::of(list)
        .ok_or_else(|| MapError::new(&source.written, Some(list), format!("is {}, not a list", kind(list))))
}

fn at_element(list: &Source, index: usize, element: &str, reason: Cow<'static, str>) -> MapError {
    MapError::new(&format!("{}[{index}]", list.written), Some(element), reason)
}

/// Positions fit 32 bits: the transport refuses bodies of 4 GiB and more.
fn small(n: usize) -> u32 {
    u32::try_from(n).expect("a page is shorter than 4 GiB")
}

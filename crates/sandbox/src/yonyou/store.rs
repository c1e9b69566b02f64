//! The simulated tenant's documents: those that the seed gives and those that callers wrote.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::entity::{Entity, Seeded};
use super::settings::Settings;
use super::token::millis;
use super::world;
use crate::beijing;
use crate::tree::Tree;
use crate::vendor::Received;

/// First id of a document that a caller makes.
const FIRST_NEW: i64 = 2_410_387_773_493_760_123;

/// One document; `tree` is always complete, with its lines and the current `pubts`.
#[derive(Clone, Debug)]
pub(crate) struct Doc {
    pub(crate) id: i64,
    /// When it was last modified, epoch milliseconds.
    pub(crate) modified: i64,
    pub(crate) version: u32,
    pub(crate) tree: Tree,
}

impl Doc {
    /// Notes a change at `now_ms`; `pubts` becomes another second with each.
    pub(crate) fn modify(&mut self, now_ms: i64) {
        self.modified = now_ms.max(self.modified / 1_000 * 1_000 + 1_000);
        self.version += 1;
        self.tree.set("pubts", Tree::text(beijing::format(self.modified)));
    }
}

/// The documents of one kind.
#[derive(Debug, Default)]
struct Table {
    docs: Vec<Doc>,
    places: HashMap<i64, usize>,
}

impl Table {
    fn insert(&mut self, doc: Doc) {
        self.places.insert(doc.id, self.docs.len());
        self.docs.push(doc);
    }
}

/// All documents; a kind's seeded ones are made when somebody first asks for the kind.
#[derive(Debug)]
pub(crate) struct Store {
    settings: Arc<Settings>,
    start_ms: i64,
    tables: BTreeMap<Entity, OnceCell<Table>>,
    received: BTreeMap<(Entity, String), Received>,
    made: i64,
    modified: u64,
}

impl Store {
    /// The data of these settings for a clock that starts at `start_ms`.
    pub(crate) fn new(settings: Arc<Settings>, start_ms: i64) -> Self {
        let tables = Entity::ALL.into_iter().map(|entity| (entity, OnceCell::new())).collect();
        Self { settings, start_ms, tables, received: BTreeMap::new(), made: 0, modified: 0 }
    }

    fn table(&self, entity: Entity) -> &Table {
        self.tables[&entity].get_or_init(|| self.seeded(entity))
    }

    fn table_mut(&mut self, entity: Entity) -> &mut Table {
        self.table(entity);
        self.tables.get_mut(&entity).and_then(OnceCell::get_mut).expect("it was made just now")
    }

    fn seeded(&self, entity: Entity) -> Table {
        let until = self.start_ms - millis(self.settings.quiet);
        let span = millis(self.settings.history);
        let n = self.n_seeded(entity);
        let mut table = Table::default();
        for seq in 0..n {
            // Whole seconds; one in 40 shares the second of the one before it.
            let place = if seq % 40 == 1 { seq - 1 } else { seq };
            let modified = until - span + span / i64::from(n) * i64::from(place) / 1_000 * 1_000;
            table.insert(world::doc(&self.settings, entity, seq, modified));
        }
        table
    }

    fn n_seeded(&self, entity: Entity) -> u32 {
        match entity.facts().seeded {
            Seeded::Documents => self.settings.n_documents,
            Seeded::Base => self.settings.n_documents.div_ceil(4).max(5),
            Seeded::Nothing => 0,
        }
    }

    /// How many documents of a kind there are.
    pub(crate) fn count(&self, entity: Entity) -> usize {
        self.tables[&entity].get().map_or(self.n_seeded(entity) as usize, |table| table.docs.len())
    }

    /// The documents of a kind, in the order in which they were made.
    pub(crate) fn docs(&self, entity: Entity) -> &[Doc] {
        &self.table(entity).docs
    }

    /// The document with this id.
    pub(crate) fn find(&self, entity: Entity, id: &str) -> Option<&Doc> {
        let table = self.table(entity);
        table.docs.get(*table.places.get(&id.parse().ok()?)?)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, entity: Entity, id: &str) -> Option<&mut Doc> {
        let table = self.table_mut(entity);
        table.docs.get_mut(*table.places.get(&id.parse().ok()?)?)
    }

    /// Adds a document.
    pub(crate) fn insert(&mut self, entity: Entity, doc: Doc) {
        self.table_mut(entity).insert(doc);
    }

    /// A new id, and how it is written.
    pub(crate) fn new_id(&mut self) -> (i64, Tree) {
        self.made += 1;
        // Odd steps, so that ids end in every digit.
        let id = FIRST_NEW + self.made * 32_768_333;
        (id, world::id(self.settings.ids, id))
    }

    /// How many documents callers have made; also the number in the next generated code.
    pub(crate) fn made(&self) -> i64 {
        self.made
    }

    /// Modifies a document by hand: its `memo` says the version.
    pub(crate) fn touch(&mut self, entity: Entity, place: usize, now_ms: i64) -> Option<String> {
        let doc = self.table_mut(entity).docs.get_mut(place)?;
        doc.modify(now_ms);
        doc.tree.set("memo", Tree::text(format!("v{}", doc.version)));
        let id = doc.id.to_string();
        self.modified += 1;
        Some(id)
    }

    /// Rows modified by hand or by drift so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Notes a call that carries a key.
    pub(crate) fn note(&mut self, entity: Entity, key: &str) {
        self.under(entity, key).calls += 1;
    }

    /// Notes what a key's call wrote, and the id of the document if it is a new one.
    pub(crate) fn wrote(&mut self, entity: Entity, key: &str, sent: &Tree, created: Option<i64>) {
        let received = self.under(entity, key);
        received.ids.extend(created.map(|id| id.to_string()));
        received.body = sent.to_string();
    }

    fn under(&mut self, entity: Entity, key: &str) -> &mut Received {
        let fresh = || Received { key: key.to_owned(), ids: Vec::new(), calls: 0, body: String::new() };
        self.received.entry((entity, key.to_owned())).or_insert_with(fresh)
    }

    /// What was written to a kind, in key order.
    pub(crate) fn received(&self, entity: Entity) -> Vec<Received> {
        self.received.iter().filter(|((of, _), _)| *of == entity).map(|(_, received)| received.clone()).collect()
    }
}

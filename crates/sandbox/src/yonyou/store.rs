//! The simulated tenant's documents: those that the seed gives and those that callers wrote.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::entity::{Entity, Seeded};
use super::settings::{IdForm, Settings};
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

/// All documents.
#[derive(Debug)]
pub(crate) struct Store {
    docs: BTreeMap<Entity, Vec<Doc>>,
    places: HashMap<(Entity, i64), usize>,
    received: BTreeMap<(Entity, String), Received>,
    ids: IdForm,
    made: i64,
    modified: u64,
}

impl Store {
    /// The data of these settings for a clock that starts at `start_ms`.
    pub(crate) fn new(settings: &Settings, start_ms: i64) -> Self {
        let mut store = Self {
            docs: BTreeMap::new(),
            places: HashMap::new(),
            received: BTreeMap::new(),
            ids: settings.ids,
            made: 0,
            modified: 0,
        };
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let until = start_ms - ms(settings.quiet);
        let span = ms(settings.history);
        for entity in Entity::ALL {
            let n = match entity.facts().seeded {
                Seeded::Documents => settings.n_documents,
                Seeded::Base => settings.n_documents.div_ceil(4).max(5),
                Seeded::Nothing => 0,
            };
            for seq in 0..n {
                // Whole seconds; one in 40 shares the second of the one before it.
                let place = if seq % 40 == 1 { seq - 1 } else { seq };
                let modified = until - span + span / i64::from(n) * i64::from(place) / 1_000 * 1_000;
                store.insert(entity, world::doc(settings, entity, seq, modified));
            }
        }
        store
    }

    /// The documents of a kind, oldest first.
    pub(crate) fn docs(&self, entity: Entity) -> &[Doc] {
        self.docs.get(&entity).map_or(&[], Vec::as_slice)
    }

    /// The document with this id.
    pub(crate) fn find(&self, entity: Entity, id: &str) -> Option<&Doc> {
        let place = *self.places.get(&(entity, id.parse().ok()?))?;
        self.docs(entity).get(place)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, entity: Entity, id: &str) -> Option<&mut Doc> {
        let place = *self.places.get(&(entity, id.parse().ok()?))?;
        self.docs.get_mut(&entity)?.get_mut(place)
    }

    /// Adds a document.
    pub(crate) fn insert(&mut self, entity: Entity, doc: Doc) {
        let docs = self.docs.entry(entity).or_default();
        self.places.insert((entity, doc.id), docs.len());
        docs.push(doc);
    }

    /// A new id, and how it is written.
    pub(crate) fn new_id(&mut self) -> (i64, Tree) {
        self.made += 1;
        // Odd steps, so that ids end in every digit.
        let id = FIRST_NEW + self.made * 32_768_333;
        (id, world::id(self.ids, id))
    }

    /// How many documents callers have made; also the number in the next generated code.
    pub(crate) fn made(&self) -> i64 {
        self.made
    }

    /// Modifies a document by hand: its `memo` says the version.
    pub(crate) fn touch(&mut self, entity: Entity, place: usize, now_ms: i64) -> Option<String> {
        let doc = self.docs.get_mut(&entity)?.get_mut(place)?;
        doc.modify(now_ms);
        doc.tree.set("memo", Tree::text(format!("v{}", doc.version)));
        self.modified += 1;
        Some(doc.id.to_string())
    }

    /// Rows modified by hand or by drift so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Notes a call that carries a key, and the document it made, if any.
    pub(crate) fn note(&mut self, entity: Entity, key: &str, sent: &Tree, made: Option<i64>) {
        let fresh = || Received { key: key.to_owned(), ids: Vec::new(), calls: 0, body: String::new() };
        let received = self.received.entry((entity, key.to_owned())).or_insert_with(fresh);
        received.calls += 1;
        if let Some(id) = made {
            received.ids.push(id.to_string());
            received.body = sent.to_string();
        }
    }

    /// What was written to a kind, in key order.
    pub(crate) fn received(&self, entity: Entity) -> Vec<Received> {
        self.received.iter().filter(|((of, _), _)| *of == entity).map(|(_, received)| received.clone()).collect()
    }
}

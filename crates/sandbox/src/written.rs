//! What callers wrote to one target: each key with the documents it made, so that a double is visible.

use std::collections::BTreeMap;

use crate::vendor::Received;

/// The documents of one target, in key order.
#[derive(Debug, Default)]
pub(crate) struct Written {
    documents: BTreeMap<String, Document>,
}

#[derive(Debug, Default)]
struct Document {
    ids: Vec<String>,
    calls: u32,
    body: String,
}

impl Written {
    /// Notes one more call that carried `key`; gives the ids of its documents, none if the key is new.
    ///
    /// A key is remembered from its first document on: calls that were refused before do not count.
    pub(crate) fn knock(&mut self, key: &str) -> &[String] {
        match self.documents.get_mut(key) {
            Some(document) => {
                document.calls += 1;
                &document.ids
            }
            None => &[],
        }
    }

    /// Adds a document under `key`, made by the call that was noted last or by the first one.
    pub(crate) fn add(&mut self, key: &str, id: String, body: &str) {
        let document = self.documents.entry(key.to_owned()).or_default();
        document.calls = document.calls.max(1);
        document.ids.push(id);
        body.clone_into(&mut document.body);
    }

    /// Replaces the newest body of a key that is there.
    pub(crate) fn rewrite(&mut self, key: &str, body: &str) {
        if let Some(document) = self.documents.get_mut(key) {
            body.clone_into(&mut document.body);
        }
    }

    /// Whether there is a document under `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.documents.contains_key(key)
    }

    /// Documents made so far.
    pub(crate) fn count(&self) -> usize {
        self.documents.values().map(|document| document.ids.len()).sum()
    }

    /// Each key with its newest id and body, in key order.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.documents.iter().filter_map(|(key, document)| {
            document.ids.last().map(|id| (key.as_str(), id.as_str(), document.body.as_str()))
        })
    }

    /// For the control endpoint.
    pub(crate) fn received(&self) -> Vec<Received> {
        let received = |(key, document): (&String, &Document)| Received {
            key: key.clone(),
            ids: document.ids.clone(),
            calls: document.calls,
            body: document.body.clone(),
        };
        self.documents.iter().map(received).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_two_ids_under_one_key() {
        let mut written = Written::default();
        assert!(written.knock("a").is_empty());
        written.add("a", "1".to_owned(), "first");
        assert!(written.has("a") && !written.has("b"));
        assert_eq!(written.knock("a"), ["1"]);
        written.add("a", "2".to_owned(), "second");
        written.rewrite("a", "third");
        written.rewrite("b", "never there");
        let received = written.received();
        assert_eq!((received.len(), written.count()), (1, 2));
        assert_eq!((received[0].calls, received[0].body.as_str()), (2, "third"));
        assert_eq!(written.newest().collect::<Vec<_>>(), [("a", "2", "third")]);
    }
}

//! Value tables for `lookup`: rows of plain values, given by whoever compiles the mapping.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, RwLock};

use milkrun_core::Record;
use xxhash_rust::xxh3::Xxh3;

/// The tables a mapping may look values up in, by name.
#[derive(Clone, Debug, Default)]
pub struct Tables(BTreeMap<String, Table>);

impl Tables {
    /// No tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, table: Table) {
        self.0.insert(name.into(), table);
    }

    /// The table of that name.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.0.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Feeds a hash with everything that a mapping could read.
    pub(crate) fn feed(&self, hash: &mut Xxh3) {
        for (name, table) in self.0.iter().filter(|(_, table)| !table.live) {
            hash.update(name.as_bytes());
            for part in table.columns.iter().chain(table.rows.iter().flatten()) {
                hash.update(&[0]);
                hash.update(part.as_bytes());
            }
        }
    }
}

/// For the columns of a condition, the first row of each combination of values.
type Index = HashMap<Vec<String>, usize>;

/// Rows of values; each value is JSON text.
///
/// The first column is the key that `lookup("table"; key)` asks for, and the second is what it gives unless a column is
/// named. Where several rows fit, the first counts.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    live: bool,
    /// Made when a combination of columns is first asked for.
    indexes: RwLock<HashMap<Vec<usize>, Arc<Index>>>,
}

impl Table {
    /// A table of these columns; each row has one JSON text for each of them.
    ///
    /// # Errors
    /// If a column has no name or a name twice, or a row has another number of values, or a value is not JSON.
    pub fn new(columns: Vec<String>, rows: Vec<Vec<String>>) -> Result<Self, String> {
        if columns.is_empty() {
            return Err("the table has no column".to_owned());
        }
        for (i, column) in columns.iter().enumerate() {
            if column.is_empty() {
                return Err(format!("column {} has no name", i + 1));
            }
            if columns[..i].contains(column) {
                return Err(format!("there are two columns `{column}`"));
            }
        }
        for (i, row) in rows.iter().enumerate() {
            if row.len() != columns.len() {
                return Err(format!(
                    "row {}: values and columns differ in number: {} and {}",
                    i + 1,
                    row.len(),
                    columns.len()
                ));
            }
            let no_json = |value: &&String| serde_json::from_str::<&serde_json::value::RawValue>(value).is_err();
            if let Some(value) = row.iter().find(no_json) {
                return Err(format!("row {}: `{value}` is not JSON", i + 1));
            }
        }
        Ok(Self { columns, rows, live: false, indexes: RwLock::default() })
    }

    /// A table of two columns, `key` and `value`: plain texts and the JSON text that each stands for.
    ///
    /// # Errors
    /// If a value is not JSON.
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let row = |(key, value): (&str, &str)| vec![json_text(key), value.to_owned()];
        Self::new(vec!["key".to_owned(), "value".to_owned()], pairs.into_iter().map(row).collect())
    }

    /// A table of texts with a header line, as a CSV file has it.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn of_texts(columns: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> Result<Self, String> {
        let row = |row: Vec<String>| row.iter().map(|value| json_text(value)).collect();
        Self::new(columns, rows.into_iter().map(row).collect())
    }

    /// A table of JSON objects, one text for each; its columns are the names of the first.
    ///
    /// What an object lacks is null.
    ///
    /// # Errors
    /// If a text is no object, or has a name that the first has not.
    pub fn of_objects<'a>(objects: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut columns: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        for (i, text) in objects.into_iter().enumerate() {
            let record = Record::parse(text).map_err(|_| format!("row {} is no object", i + 1))?;
            let names = || (0..record.len()).map(|at| record.name(at).to_owned());
            let columns = columns.get_or_insert_with(|| names().collect());
            let mut row = vec!["null".to_owned(); columns.len()];
            for at in 0..record.len() {
                let name = record.name(at);
                let place = columns.iter().position(|column| column == name);
                let place =
                    place.ok_or_else(|| format!("row {} has a column `{name}`, and the first has not", i + 1))?;
                record.value(at).clone_into(&mut row[place]);
            }
            rows.push(row);
        }
        Self::new(columns.unwrap_or_default(), rows)
    }

    /// The same, and its rows change while the flow runs, as remote ids do: they are no part of the mapping's version.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The JSON text in `column` of the first row whose values in `where_` are these plain texts.
    pub(crate) fn find(&self, where_: &[usize], values: &[String], column: usize) -> Option<&str> {
        let index = self.index(where_);
        let row = *index.get(values)?;
        Some(&self.rows[row][column])
    }

    fn index(&self, where_: &[usize]) -> Arc<Index> {
        let known = self.indexes.read().expect("no reader panics").get(where_).cloned();
        if let Some(index) = known {
            return index;
        }
        let mut index = Index::with_capacity(self.rows.len());
        for (i, row) in self.rows.iter().enumerate() {
            let key: Vec<String> = where_.iter().map(|&column| comparable(&row[column])).collect();
            index.entry(key).or_insert(i);
        }
        let index = Arc::new(index);
        self.indexes.write().expect("no writer panics").insert(where_.to_vec(), Arc::clone(&index));
        index
    }
}

impl Clone for Table {
    fn clone(&self) -> Self {
        let indexes = self.indexes.read().expect("no reader panics").clone();
        let Self { columns, rows, live, .. } = self;
        Self { columns: columns.clone(), rows: rows.clone(), live: *live, indexes: RwLock::new(indexes) }
    }
}

/// Without the rows, which may be many.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { columns, rows, live, .. } = self;
        write!(f, "Table {{ columns: {columns:?}, rows: {}, live: {live} }}", rows.len())
    }
}

/// A value as it is compared: numbers and the same digits as text are one.
fn comparable(json: &str) -> String {
    crate::json::plain_text(json).map_or_else(|| json.to_owned(), std::borrow::Cow::into_owned)
}

fn json_text(text: &str) -> String {
    let mut out = String::new();
    crate::json::write_text(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(table: &Table, column: &str, value: &str, wanted: &str) -> Option<String> {
        let place = |name| table.column(name).unwrap();
        table.find(&[place(column)], &[value.to_owned()], place(wanted)).map(str::to_owned)
    }

    #[test]
    fn tables_come_from_pairs_texts_and_objects() {
        let pairs = Table::of_pairs([("S1", "\"0518\""), ("S2", "7")]).unwrap();
        assert_eq!(find(&pairs, "key", "S2", "value").as_deref(), Some("7"));
        let texts = Table::of_texts(vec!["a".into(), "b".into()], [vec!["x".into(), "1".into()]]).unwrap();
        assert_eq!(find(&texts, "b", "1", "a").as_deref(), Some("\"x\""));
        let objects = Table::of_objects([r#"{"k":1,"v":"a"}"#, r#"{"v":"b","k":"2"}"#, r#"{"k":3}"#]).unwrap();
        assert_eq!(find(&objects, "k", "1", "v").as_deref(), Some("\"a\""));
        assert_eq!(find(&objects, "k", "2", "v").as_deref(), Some("\"b\""));
        assert_eq!(find(&objects, "k", "3", "v").as_deref(), Some("null"));
        assert_eq!(find(&objects, "k", "4", "v"), None);
        assert_eq!((objects.len(), objects.columns()), (3, &["k".to_owned(), "v".to_owned()][..]));
    }

    #[test]
    fn tables_that_are_none_are_refused() {
        let of = |columns: &[&str], rows: &[&[&str]]| {
            let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
            Table::new(owned(columns), rows.iter().map(|row| owned(row)).collect()).unwrap_err()
        };
        assert_eq!(of(&[], &[]), "the table has no column");
        assert_eq!(of(&["a", ""], &[]), "column 2 has no name");
        assert_eq!(of(&["a", "a"], &[]), "there are two columns `a`");
        assert_eq!(of(&["a"], &[&["1"], &["1", "2"]]), "row 2: values and columns differ in number: 2 and 1");
        assert_eq!(of(&["a"], &[&["x"]]), "row 1: `x` is not JSON");
        assert_eq!(Table::of_objects(["[1]"]).unwrap_err(), "row 1 is no object");
        let other = Table::of_objects([r#"{"a":1}"#, r#"{"b":1}"#]).unwrap_err();
        assert_eq!(other, "row 2 has a column `b`, and the first has not");
    }

    #[test]
    fn what_a_table_says_is_part_of_the_version_unless_it_is_live() {
        let version = |value: &str, live: bool| {
            let table = Table::of_pairs([("a", value)]).unwrap();
            let mut tables = Tables::new();
            tables.insert("t", if live { table.live() } else { table });
            let options = crate::Options { tables: Arc::new(tables), ..crate::Options::default() };
            let text = "fields.x = { expr = 'lookup(\"t\"; .a)' }";
            crate::Mapping::compile_str_with(text, &options).unwrap().version()
        };
        assert_ne!(version("1", false), version("2", false));
        assert_eq!(version("1", true), version("2", true));
    }
}

//! Which tables there are, and how an older file is brought up to date.

use milkrun_core::{Error, ErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use crate::database::Database;
use crate::fault::{Fault, Work};
use crate::ledger;

/// The tables of one database: each step leads to the next version, and is never changed once it has been released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema {
    /// Marks the file as ours in its header.
    pub application_id: i32,
    /// The step at index `n` leads from version `n` to version `n + 1`.
    pub steps: &'static [Step],
}

/// One step from a version to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What SQLite does by itself.
    sql: &'static str,
    /// What is left to do then.
    then: fn(&Connection) -> Work<()>,
}

impl Step {
    const fn sql(sql: &'static str) -> Self {
        Self { sql, then: |_| Ok(()) }
    }
}

/// `state.db`; the id reads `MRst`.
pub(crate) const STATE: Schema = Schema {
    application_id: 0x4d52_7374,
    steps: &[
        Step::sql(include_str!("sql/state-1.sql")),
        Step::sql(include_str!("sql/state-2.sql")),
        Step::sql(include_str!("sql/state-3.sql")),
        Step::sql(include_str!("sql/state-4.sql")),
        Step { sql: include_str!("sql/state-5.sql"), then: ledger::pack_rows },
    ],
};

/// `quota.db`; the id reads `MRqu`.
pub(crate) const QUOTA: Schema =
    Schema { application_id: 0x4d52_7175, steps: &[Step::sql(include_str!("sql/quota-1.sql"))] };

impl Schema {
    /// The version that this program writes.
    pub(crate) fn version(self) -> usize {
        self.steps.len()
    }

    /// The version of the file, 0 if it is new. Nothing is written.
    pub(crate) fn check(self, conn: &Connection, database: &Database) -> Work<usize> {
        let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let n_tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let version = version_of(conn)?;
        if id != self.application_id && (id != 0 || version != 0 || n_tables != 0) {
            let error = Error::new(ErrorKind::State, format!("the {} is another program's database", database.what))
                .with("file", database.path().display())
                .advise("nothing was changed; name another folder, or move the file away");
            return Err(Fault::Told(error));
        }
        if version > self.version() {
            let message = format!(
                "the {} was written by a newer milkrun (schema {version}, this one knows {})",
                database.what,
                self.version()
            );
            let error = Error::new(ErrorKind::State, message)
                .with("file", database.path().display())
                .advise("nothing was changed; use that version of milkrun, or a state folder of its own for this one");
            return Err(Fault::Told(error));
        }
        Ok(version)
    }

    /// Takes the steps that are missing, each in a transaction of its own.
    pub(crate) fn migrate(self, conn: &mut Connection, database: &Database) -> Work<()> {
        loop {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version = self.check(&transaction, database)?;
            let Some(step) = self.steps.get(version) else { return Ok(()) };
            transaction.execute_batch(step.sql)?;
            (step.then)(&transaction)?;
            transaction.pragma_update(None, "application_id", self.application_id)?;
            transaction.pragma_update(None, "user_version", i64::try_from(version + 1).expect("few versions"))?;
            transaction.commit()?;
            if version > 0 {
                tracing::info!(file = %database.path().display(), to = version + 1, "the {} was migrated", database.what);
            }
        }
    }
}

#[cfg(test)]
impl Schema {
    /// Makes the tables of the version that this program writes, in an empty database.
    pub(crate) fn create(self, conn: &Connection) -> Work<()> {
        for step in self.steps {
            conn.execute_batch(step.sql)?;
            (step.then)(conn)?;
        }
        Ok(())
    }
}

fn version_of(conn: &Connection) -> Work<usize> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| Fault::unexpected("the file's version is below zero"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use milkrun_core::Key;
    use milkrun_core::state::LedgerRow;

    use super::*;

    fn database(folder: &Path, steps: &'static [Step]) -> Database {
        let schema = Schema { steps, ..STATE };
        Database { path: folder.join("state.db"), what: "state file", schema, durable: true }
    }

    fn prepare(database: &Database) -> Result<(), Error> {
        database.prepare(|| Ok(())).map_err(|f| database.explain(f))
    }

    /// A file of version 1, with something in it.
    fn version_1(folder: &Path) -> Connection {
        let database = database(folder, &STATE.steps[..1]);
        prepare(&database).unwrap();
        let conn = database.writer().unwrap();
        conn.execute_batch(include_str!("sql/state-1-filled.sql")).unwrap();
        conn
    }

    fn columns(conn: &Connection, table: &str) -> Vec<String> {
        let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid").unwrap();
        statement.query_map([table], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn flows(conn: &Connection) -> String {
        conn.query_row("SELECT group_concat(name || fence || sink_mark) FROM flow", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_file_of_version_1_is_brought_up_to_date_and_keeps_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let before = flows(&version_1(folder.path()));
        let database = Database { schema: STATE, ..database(folder.path(), &[]) };
        prepare(&database).unwrap();
        let conn = database.writer().unwrap();
        assert_eq!(version_of(&conn).unwrap(), STATE.version());
        assert_eq!(flows(&conn), before);
        let keys = [Key::Int(7), Key::Text("a|b".to_owned())];
        let rows = keys.map(|key| ledger::row_of(&conn, 1, &key).unwrap().expect("a row of the ledger"));
        let told = |row: &LedgerRow| (row.entry.version, row.entry.remote_id.clone(), row.page, row.index);
        assert_eq!(told(&rows[0]), (None, None, 1, 0));
        assert_eq!(told(&rows[1]), (Some(2), Some("R".to_owned()), 1, 1));
        assert_eq!(rows[1].idempotency_key.as_deref(), Some("K"));
    }

    #[test]
    fn missing_steps_are_taken_in_order_and_once() {
        const STEPS: &[Step] = &[
            STATE.steps[0],
            Step::sql("ALTER TABLE flow ADD COLUMN b TEXT; UPDATE flow SET b = name || '!'"),
            Step::sql("ALTER TABLE flow RENAME COLUMN b TO c"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let conn = version_1(folder.path());
        let before = flows(&conn);
        for _ in 0..2 {
            let database = database(folder.path(), STEPS);
            prepare(&database).unwrap();
            assert_eq!(version_of(&conn).unwrap(), 3);
            assert_eq!(columns(&conn, "flow").last().map(String::as_str), Some("c"));
            assert_eq!(flows(&conn), before);
        }
        let error = prepare(&database(folder.path(), &STEPS[..2])).unwrap_err();
        assert!(error.message().contains("newer milkrun (schema 3, this one knows 2)"), "{error}");
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        const STEPS: &[Step] = &[
            STATE.steps[0],
            Step::sql("ALTER TABLE flow ADD COLUMN good TEXT"),
            Step::sql("ALTER TABLE flow ADD COLUMN half TEXT; UPDATE flow SET fence = fence / 0, name = NULL"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let conn = version_1(folder.path());
        let before = flows(&conn);
        let error = prepare(&database(folder.path(), STEPS)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert_eq!(version_of(&conn).unwrap(), 2);
        assert_eq!(columns(&conn, "flow").last().map(String::as_str), Some("good"));
        assert_eq!(flows(&conn), before);
    }

    #[test]
    fn an_older_file_in_use_is_not_changed() {
        const STEPS: &[Step] = &[STATE.steps[0], Step::sql("ALTER TABLE flow ADD COLUMN b TEXT")];
        let folder = tempfile::tempdir().unwrap();
        let conn = version_1(folder.path());
        let database = database(folder.path(), STEPS);
        let refused = database.prepare(|| Err(Error::new(ErrorKind::Busy, "others use it")));
        assert_eq!(database.explain(refused.unwrap_err()).kind(), ErrorKind::Busy);
        assert_eq!(version_of(&conn).unwrap(), 1);
    }
}

//! State on SQLite, the journal of raw pages, and the sealed token vault.

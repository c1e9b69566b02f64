-- The state of flows, version 5: rows of the ledger are packed, many neighbours in one row. `leaf.rs` says how.
--
-- Rows are added at the end, wherever their keys lie, and found by their first and last key.

ALTER TABLE ledger RENAME TO ledger_of_rows;

CREATE TABLE ledger(
    id INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    first ANY NOT NULL,
    last ANY NOT NULL,
    rows BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_by_key ON ledger(flow, first, last);

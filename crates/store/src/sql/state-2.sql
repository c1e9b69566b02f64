-- The state of flows, version 2: changed rows of the ledger wait in a table of their own.
--
-- They come scattered over the ledger, and each would cost a whole page there. Here they cost as much as new ones; they
-- are merged in key order when they are many, and when the flow's lease is given back or taken. Until then the row with
-- the highest `seq` is the key's.

CREATE TABLE recent(
    seq INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    key ANY NOT NULL,
    fingerprint BLOB NOT NULL,
    version INTEGER,
    remote_id TEXT,
    page INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    idempotency_key TEXT,
    at INTEGER NOT NULL
) STRICT;

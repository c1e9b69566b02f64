-- The state of flows, version 1. A released step is never changed: a further one is added instead.
--
-- Instants are RFC 3339 text in UTC, except `ledger.at` and `page.first_sent`, which are milliseconds since 1970.

CREATE TABLE flow(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Grows with every lease.
    fence INTEGER NOT NULL DEFAULT 0,
    -- Who has the lease: the name of its lock file, and who that is in words.
    worker TEXT,
    owner TEXT,
    since TEXT,
    next_slice INTEGER NOT NULL DEFAULT 1,
    next_page INTEGER NOT NULL DEFAULT 1,
    next_letter INTEGER NOT NULL DEFAULT 1,
    ledger_rows INTEGER NOT NULL DEFAULT 0,
    sink_mark TEXT,
    resume_version TEXT,
    -- The last committed entry of the journal; segment 0: there is none.
    journal_segment INTEGER NOT NULL DEFAULT 0,
    journal_offset INTEGER NOT NULL DEFAULT 0,
    journal_len INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE planned(
    flow INTEGER NOT NULL,
    axis TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY(flow, axis)
) STRICT, WITHOUT ROWID;

CREATE TABLE slice(
    flow INTEGER NOT NULL,
    id INTEGER NOT NULL,
    spec TEXT NOT NULL,
    reading TEXT NOT NULL,
    PRIMARY KEY(flow, id)
) STRICT, WITHOUT ROWID;

-- The digests of one page's keys: 64 bits each, lowest byte first.
CREATE TABLE digest(
    id INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    slice INTEGER NOT NULL,
    reading INTEGER NOT NULL,
    digests BLOB NOT NULL
) STRICT;
CREATE INDEX digest_of_slice ON digest(flow, slice, reading);

-- `todo` is NULL when nothing of the page has to be delivered; segment 0: it is not in the journal.
CREATE TABLE page(
    flow INTEGER NOT NULL,
    id INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    len INTEGER NOT NULL,
    n_records INTEGER NOT NULL,
    todo BLOB,
    sent BLOB,
    -- Milliseconds since 1970: when the first record of `sent` was sent.
    first_sent INTEGER,
    PRIMARY KEY(flow, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX page_open ON page(flow, id) WHERE todo IS NOT NULL;

-- Natural keys, numbers as INTEGER and others as TEXT: they mostly grow, and keys in order are ten times cheaper.
CREATE TABLE ledger(
    flow INTEGER NOT NULL,
    key ANY NOT NULL,
    fingerprint BLOB NOT NULL,
    version INTEGER,
    remote_id TEXT,
    page INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    idempotency_key TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY(flow, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letter(
    flow INTEGER NOT NULL,
    id INTEGER NOT NULL,
    key ANY,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    page INTEGER NOT NULL,
    version INTEGER,
    at TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE(flow, id)
) STRICT;
CREATE UNIQUE INDEX dead_letter_of_key ON dead_letter(flow, key) WHERE key IS NOT NULL;

CREATE TABLE run(
    flow INTEGER NOT NULL,
    id INTEGER NOT NULL,
    -- The lease it ran under.
    fence INTEGER NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    verdict TEXT,
    report TEXT NOT NULL,
    UNIQUE(flow, id)
) STRICT;

-- Sealed: 24 bytes of nonce, then the ciphertext; `key_id` says with which key.
CREATE TABLE token(
    account TEXT PRIMARY KEY,
    generation INTEGER NOT NULL DEFAULT 0,
    key_id TEXT,
    sealed BLOB,
    -- Grows with every renewal that began.
    fence INTEGER NOT NULL DEFAULT 0,
    -- Who is renewing, and until when it may.
    worker TEXT,
    until TEXT,
    -- A renewal of this generation began, and its end is not known.
    intent INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE secret(
    name TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

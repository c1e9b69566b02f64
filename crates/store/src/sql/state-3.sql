-- The state of flows, version 3: notes and records of those who operate it, and what can be asked without a key.

CREATE TABLE note(
    shelf TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY(shelf, name)
) STRICT, WITHOUT ROWID;

-- `at` is nanoseconds since 1970. Numbers are never given twice, also when the newest lines are forgotten.
CREATE TABLE line(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    shelf TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX line_of_shelf ON line(shelf);
CREATE INDEX line_by_age ON line(shelf, at);

CREATE INDEX run_by_start ON run(started);

-- When the token was had and when it ends, and why it cannot be renewed any more.
ALTER TABLE token ADD COLUMN since TEXT;
ALTER TABLE token ADD COLUMN expires TEXT;
ALTER TABLE token ADD COLUMN dead TEXT;

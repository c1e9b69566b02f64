-- Calls under way and ended, version 1. Instants are nanoseconds since 1970.

CREATE TABLE lane(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- `ended` is NULL while the call is under way. A call counts in each of its lanes.
CREATE TABLE call(
    ticket INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    worker TEXT NOT NULL,
    ended INTEGER,
    PRIMARY KEY(ticket, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_by_end ON call(lane, ended);

-- The last change of each key: its value, with the rest of it in `entry`, or neither where it was deleted.
CREATE TABLE kv (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    entry TEXT,
    value BLOB,
    sum INTEGER NOT NULL
) STRICT;

-- Sessions that have not ended.
CREATE TABLE kv_session (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    terms TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT;

-- Keys that nobody can lock yet.
CREATE TABLE kv_delay (key TEXT PRIMARY KEY, millis INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;

-- The last revision at which a session came or ended (`sessions`), and the last of a deleted key that is forgotten
-- (`forgotten`).
CREATE TABLE kv_mark (of TEXT PRIMARY KEY, revision INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;

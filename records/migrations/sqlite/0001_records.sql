-- Times are microseconds since 1970.
CREATE TABLE record (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    fingerprint TEXT,
    -- May it answer another request of its kind and fingerprint?
    shared INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'complete', 'closed', 'failed')),
    request TEXT NOT NULL,
    result TEXT,
    received INTEGER NOT NULL,
    ends_at INTEGER,
    finished INTEGER,
    asked INTEGER NOT NULL,
    answered INTEGER NOT NULL DEFAULT 0,
    -- Few and small, and never looked for: JSON lists, so that a request is one row.
    steps TEXT NOT NULL,
    waiters TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX record_shared ON record (kind, fingerprint) WHERE shared AND fingerprint IS NOT NULL;
CREATE INDEX record_history ON record (kind, received);
CREATE INDEX record_due ON record (kind, ends_at) WHERE state = 'open';

CREATE TABLE reply (
    record BLOB NOT NULL REFERENCES record (id) ON DELETE CASCADE,
    responder TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (record, responder)
) STRICT, WITHOUT ROWID;

-- What is to be published: written together with the record that it follows from, and removed once it is taken.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    topic TEXT NOT NULL,
    channel TEXT,
    correlation TEXT,
    reply_to TEXT,
    body TEXT NOT NULL,
    written INTEGER NOT NULL
) STRICT;

-- Times are microseconds since 1970.
CREATE TABLE mainstay.record (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    fingerprint text,
    -- May it answer another request of its kind and fingerprint?
    shared boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'complete', 'closed', 'failed')),
    request text NOT NULL,
    result text,
    received bigint NOT NULL,
    ends_at bigint,
    finished bigint,
    asked bigint NOT NULL,
    answered bigint NOT NULL DEFAULT 0,
    -- Few and small, and never looked for: lists in the row, so that its lock is theirs too.
    steps jsonb NOT NULL,
    waiters jsonb NOT NULL
);

CREATE UNIQUE INDEX record_shared ON mainstay.record (kind, fingerprint) WHERE shared AND fingerprint IS NOT NULL;
CREATE INDEX record_history ON mainstay.record (kind, received);
CREATE INDEX record_due ON mainstay.record (kind, ends_at) WHERE state = 'open';

CREATE TABLE mainstay.reply (
    record uuid NOT NULL REFERENCES mainstay.record (id) ON DELETE CASCADE,
    responder text NOT NULL,
    body text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (record, responder)
);

-- What is to be published: written together with the record that it follows from, and removed once it is taken.
CREATE TABLE mainstay.outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    topic text NOT NULL,
    channel text,
    correlation text,
    reply_to text,
    body text NOT NULL,
    written bigint NOT NULL
);

-- Numbers of messages: the topic's number in the bits from 40 up, the message's within it below.
-- `live` and `dead`: the channels that still have to consume it, and those among whose dead letters it is; a bit for
-- each channel. Bit 62 is always set, so that a word is always as long: a message is not written anew to clear a bit.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    live INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    id TEXT NOT NULL,
    target TEXT,
    correlation TEXT,
    reply_to TEXT,
    body TEXT NOT NULL
) STRICT;

-- What a channel could not consume, and how often.
CREATE TABLE tries (
    seq INTEGER,
    mark INTEGER,
    tries INTEGER NOT NULL,
    PRIMARY KEY (seq, mark)
) STRICT, WITHOUT ROWID;

-- Ids of messages that were taken, in two generations: a new one begins by emptying the older.
CREATE TABLE ids_0 (topic INTEGER, id TEXT, PRIMARY KEY (topic, id)) STRICT, WITHOUT ROWID;
CREATE TABLE ids_1 (topic INTEGER, id TEXT, PRIMARY KEY (topic, id)) STRICT, WITHOUT ROWID;

CREATE TABLE topics (
    topic INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE channels (
    topic INTEGER,
    mark INTEGER,
    name TEXT NOT NULL,
    visibility_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    backoff_ms INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    PRIMARY KEY (topic, mark)
) STRICT, WITHOUT ROWID;

-- How often this was opened, which generation of ids is the newer one, and since when in seconds of the Unix era.
CREATE TABLE engine (run INTEGER NOT NULL, generation INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
INSERT INTO engine VALUES (0, 0, unixepoch());

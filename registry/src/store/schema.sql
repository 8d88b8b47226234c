-- One row: which life of the registry's memory this is, its last revision, and the last of those that are forgotten.
CREATE TABLE life (epoch INTEGER NOT NULL, revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;

-- The last change of each instance: listed as `json` says, with what its checks say as `health`, if it has such; or `gone`
-- for that reason.
CREATE TABLE instance (
    service TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    lease TEXT,
    json BLOB,
    gone TEXT,
    health TEXT,
    sum INTEGER NOT NULL,
    PRIMARY KEY (service, id)
) STRICT, WITHOUT ROWID;

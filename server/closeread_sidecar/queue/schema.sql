-- Everything the sidecar must not lose. One file, so that one transaction settles a task, its answer and its audit line.

CREATE TABLE IF NOT EXISTS entry (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT NOT NULL UNIQUE,          -- idempotency: the same key is the same entry
    kind      TEXT NOT NULL,                 -- task: to be handled; answer: to be sent; record: to be delivered to the collector
    lane      TEXT NOT NULL,
    parent    INTEGER,                       -- the task that an answer or a record came from
    body      TEXT NOT NULL,                 -- JSON
    state     TEXT NOT NULL,                 -- held ready leased done completed dead cancelled; see entries.py
    attempts  INTEGER NOT NULL DEFAULT 0,
    due       REAL NOT NULL,                 -- seconds since 1970; when it may be taken
    lease     TEXT,                          -- who has it
    expires   REAL,                          -- until when
    result    TEXT,                          -- JSON
    error     TEXT NOT NULL DEFAULT '',
    created   REAL NOT NULL,
    changed   REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_next ON entry (kind, state, due, id);
CREATE INDEX IF NOT EXISTS entry_lane ON entry (lane, state, id);
CREATE INDEX IF NOT EXISTS entry_parent ON entry (parent, state) WHERE parent IS NOT NULL;

-- How many there are of each, kept by the database itself: nothing counts ten thousand rows to accept one.
CREATE TABLE IF NOT EXISTS tally (
    kind TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, state)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS entry_made AFTER INSERT ON entry BEGIN
    INSERT INTO tally VALUES (new.kind, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER IF NOT EXISTS entry_moved AFTER UPDATE OF state ON entry WHEN new.state <> old.state BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = old.kind AND state = old.state;
    INSERT INTO tally VALUES (new.kind, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER IF NOT EXISTS entry_gone AFTER DELETE ON entry BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = old.kind AND state = old.state;
END;

-- The keys of entries that were purged: a late duplicate is still one.
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time     TEXT NOT NULL,
    event    TEXT NOT NULL,
    facts    TEXT NOT NULL,                  -- JSON, canonical
    digest   TEXT NOT NULL                   -- over the digest before it and all of the above
);
CREATE TRIGGER IF NOT EXISTS audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE IF NOT EXISTS known (platform TEXT NOT NULL, sender TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (platform, sender));
CREATE TABLE IF NOT EXISTS pairing (platform TEXT PRIMARY KEY, digest TEXT NOT NULL, expires REAL NOT NULL, tries INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS muted (finding TEXT PRIMARY KEY, sender TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);

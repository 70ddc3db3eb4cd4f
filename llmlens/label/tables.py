"""The tables of a store of labels, as SQL."""

from __future__ import annotations

#: In the header of the file: it is ours, and of this form.
APPLICATION = 0x11_E2_5A_B1
VERSION = 1

TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('score', 'undo', 'skip', 'done')),
    trace_id TEXT, span_id TEXT, session_id TEXT,
    name TEXT, value TEXT, data_type TEXT, comment TEXT,
    author TEXT NOT NULL, at TEXT NOT NULL, undo_of TEXT REFERENCES events (event_id),
    score_id TEXT, score_at TEXT, config_id TEXT, queue_id TEXT
);
CREATE UNIQUE INDEX undone_once ON events (undo_of) WHERE undo_of IS NOT NULL;
CREATE INDEX by_label ON events (trace_id, span_id, session_id, name, author);
CREATE INDEX by_score ON events (score_id);
CREATE TRIGGER never_changed BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;
CREATE TRIGGER never_deleted BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;

-- Undoing an undo brings back what it took back: an event is active under an even number of undos.
CREATE VIEW active AS SELECT e.* FROM events e WHERE e.kind <> 'undo' AND (
    NOT EXISTS (SELECT 1 FROM events u WHERE u.undo_of = e.event_id AND u.kind = 'undo') OR (
        WITH RECURSIVE undos (event_id, n) AS (
            SELECT e.event_id, 0
            UNION ALL
            SELECT u.event_id, n + 1 FROM undos JOIN events u ON u.undo_of = undos.event_id WHERE u.kind = 'undo'
        ) SELECT max(n) FROM undos
    ) % 2 = 0
);

-- Of each item, name and author the last label.
CREATE VIEW in_force AS SELECT e.* FROM active e WHERE e.kind = 'score' AND NOT EXISTS (
    SELECT 1 FROM active later
    WHERE later.trace_id IS e.trace_id AND later.span_id IS e.span_id AND later.session_id IS e.session_id
    AND later.name = e.name AND later.author = e.author AND later.kind = 'score' AND later.seq > e.seq
);

CREATE TABLE deliveries (
    sink TEXT NOT NULL, score_id TEXT NOT NULL,
    wanted_seq INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'confirmed', 'rejected')),
    reason TEXT, tries INTEGER NOT NULL DEFAULT 0, attempted INTEGER NOT NULL DEFAULT 0,
    next_try REAL NOT NULL DEFAULT 0, leased_until REAL NOT NULL DEFAULT 0, leased_by TEXT, sent_at REAL,
    PRIMARY KEY (sink, score_id)
);
CREATE INDEX by_progress ON deliveries (sink, wanted_seq);
CREATE INDEX by_state ON deliveries (sink, state, wanted_seq);
"""

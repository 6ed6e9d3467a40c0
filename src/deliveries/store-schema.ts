import { DatabaseSync } from 'node:sqlite';

// Each entry brings the file from the version before to its own; never change one that was released.
const MIGRATIONS = [
  `CREATE TABLE events (
     id TEXT PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, extension TEXT NOT NULL, call TEXT NOT NULL, json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE deliveries (
     id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL REFERENCES events (id), rule TEXT NOT NULL,
     method TEXT NOT NULL, url TEXT NOT NULL, content_type TEXT, body TEXT,
     state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
     created_at REAL NOT NULL, next_attempt_at REAL NOT NULL, finished_at REAL,
     last_status INTEGER, last_error TEXT,
     UNIQUE (event, rule)
   ) STRICT;
   CREATE INDEX deliveries_state ON deliveries (state, id);
   CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;`,
  `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE bindings (account TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE deliveries ADD COLUMN call TEXT NOT NULL DEFAULT '';
   ALTER TABLE deliveries ADD COLUMN follows TEXT;
   ALTER TABLE deliveries ADD COLUMN script TEXT NOT NULL DEFAULT '';
   ALTER TABLE deliveries ADD COLUMN requeued_at REAL;
   ALTER TABLE deliveries ADD COLUMN is_requeued INTEGER;
   UPDATE deliveries SET call = (SELECT call FROM events WHERE id = deliveries.event),
     script = substr(url, 1, instr(url || '?', '?') - 1);
   DROP INDEX deliveries_state;
   CREATE INDEX deliveries_pending ON deliveries (id, call, script, follows, next_attempt_at, state) WHERE state = 'pending';
   CREATE INDEX deliveries_failed ON deliveries (state, id) WHERE state IN ('stale', 'dead');
   CREATE INDEX deliveries_requeued ON deliveries (id) WHERE is_requeued IS NOT NULL;
   CREATE INDEX deliveries_call ON deliveries (call);
   CREATE TABLE attempts (
     delivery INTEGER NOT NULL, at REAL NOT NULL, duration_ms REAL NOT NULL,
     status INTEGER NOT NULL, error TEXT NOT NULL, answer TEXT NOT NULL
   ) STRICT;
   CREATE INDEX attempts_delivery ON attempts (delivery);
   CREATE TABLE calls (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;`,
  `CREATE TABLE rules (
     place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL, modified REAL NOT NULL
   ) STRICT;`,
  `ALTER TABLE calls RENAME TO calls_before;
   CREATE TABLE calls (key INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
   INSERT INTO calls (json) SELECT json FROM calls_before ORDER BY rowid;
   DROP TABLE calls_before;`,
];

/** Opens a file, makes it if there is none, and brings an older one up to date. */
export function openDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    // FULL: a commit survives the loss of power, not only of the process. Commits are grouped, so it costs little.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF');
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) throw new Error(`it was written by a newer version of Ringside (schema ${version})`);
  for (let next = version; next < MIGRATIONS.length; next++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]!}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
}

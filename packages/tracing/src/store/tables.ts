/** `migrate()`: the tables of traces, brought forward from whatever version is found. */
import type { DatabaseSync } from 'node:sqlite'
import { TraceError } from './trace-error.ts'
import { transaction } from './transaction.ts'

/**
 * What stands beside the attributes of a span was read from them when it was written, so that lists need no JSON.
 * `head`: it may be the root of a run. `seq` counts writes, so that a reader asks for what came since. Content (prompts,
 * answers, arguments, results, whatever is long) has its own table, so that a span is small however much was said.
 */
const first = `
  CREATE TABLE clock (seq INTEGER NOT NULL) STRICT;
  INSERT INTO clock VALUES (0);
  CREATE TABLE writers (no INTEGER PRIMARY KEY AUTOINCREMENT, mark TEXT NOT NULL, heard INTEGER NOT NULL) STRICT;
  CREATE TABLE origins (no INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE traces (trace_id TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX traces_by_last ON traces (last);
  CREATE TABLE spans (
    no INTEGER PRIMARY KEY, seq INTEGER NOT NULL, head INTEGER NOT NULL, writer INTEGER,
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT,
    name TEXT NOT NULL, kind TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER,
    status TEXT NOT NULL, message TEXT, attributes TEXT NOT NULL, events TEXT, links TEXT, origin INTEGER NOT NULL,
    op TEXT, agent TEXT, model TEXT, provider TEXT, tool TEXT, run TEXT, outcome TEXT, stop TEXT,
    input REAL, output REAL, cached REAL, reasoning REAL, usd REAL, first_ms REAL, retries INTEGER,
    UNIQUE (trace_id, span_id)
  ) STRICT;
  CREATE INDEX spans_by_parent ON spans (trace_id, parent_id);
  CREATE INDEX spans_by_seq ON spans (seq);
  CREATE INDEX heads_by_start ON spans (start) WHERE head = 1;
  CREATE INDEX heads_by_run ON spans (run) WHERE head = 1;
  CREATE TABLE content (
    span INTEGER NOT NULL, name TEXT NOT NULL, isText INTEGER NOT NULL, bytes INTEGER NOT NULL, value TEXT,
    PRIMARY KEY (span, name)
  ) STRICT;`

/** Each brings the tables one version forward; none may be changed once it was released. */
export const steps: readonly string[] = [first]

/** @throws TraceError when the tables are a later Clew's, or are not there and cannot be made. */
export function migrate(db: DatabaseSync, path: string, readOnly: boolean, all = steps): void {
  const known = versionOf(db)
  check(known, path, all)
  if (known === all.length) return
  if (readOnly)
    throw new TraceError(
      `${path} cannot be written, and its tables are of version ${known}. Open it once where it can be written.`,
    )
  transaction(db, () => {
    const found = versionOf(db)
    check(found, path, all)
    db.exec('CREATE TABLE IF NOT EXISTS clew_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
    for (const step of all.slice(found)) db.exec(step)
    db.prepare("INSERT OR REPLACE INTO clew_version VALUES ('traces', ?)").run(all.length)
  })
}

function check(found: number, path: string, all: readonly string[]): void {
  if (found <= all.length) return
  throw new TraceError(
    `${path} was written by a newer version of Clew (its traces are v${found}, this reads v${all.length}). Update Clew to open it.`,
  )
}

function versionOf(db: DatabaseSync): number {
  if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'clew_version'").get()) return 0
  const row = db.prepare("SELECT version FROM clew_version WHERE part = 'traces'").get()
  return (row?.version as number | undefined) ?? 0
}

/** `migrate()`: the tables of memories, brought forward from whatever version is found. */
import { MemoryError } from './memory-error.ts'
import { type Program, query } from './sql.ts'

/** What the databases call things. */
export type Types = {
  real: string
  row: string
  /** What the words of entries stand in, behind the table of entries. */
  words(prefix: string, bare: string): string[]
  /** What turns the vectors of a table, which were texts in base64, into what the database can measure. */
  vectors(table: string): string[]
  /** What lets a table's rows be seen by their tenant alone. */
  protect(table: string): string[]
}

/** Each brings the tables one version forward; none may be changed once it was released. */
export type Step = (prefix: string, types: Types) => string[]

/**
 * `usr` and `thread` are empty where a scope has none. Ids and names are found by their `key`, a digest, since databases
 * bound what an index takes. Each width of a scope has its own index by time, so that the newest are the first of one.
 */
const first: Step = (prefix, { real, row, words, protect }) => [
  `CREATE TABLE ${prefix}scopes (
    tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, epoch integer NOT NULL, held integer NOT NULL,
    PRIMARY KEY (tenant, usr, thread)
  )`,
  `CREATE TABLE ${prefix}blocks (
    tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, key text NOT NULL, revision integer NOT NULL,
    name text NOT NULL, value text NOT NULL, token text NOT NULL,
    PRIMARY KEY (tenant, usr, thread, key, revision)
  )`,
  `CREATE TABLE ${prefix}entries (
    no ${row}, tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, key text NOT NULL,
    id text NOT NULL, kind text NOT NULL, text text NOT NULL, source text, at ${real} NOT NULL,
    length integer NOT NULL, dimension integer, vector text,
    UNIQUE (tenant, usr, thread, key)
  )`,
  ...['tenant', 'tenant, usr', 'tenant, usr, thread'].map(
    (scope, depth) => `CREATE INDEX ${bare(prefix)}entries_by_time_${depth} ON ${prefix}entries (${scope}, at)`,
  ),
  `CREATE INDEX ${bare(prefix)}entries_by_dimension ON ${prefix}entries (tenant, usr, thread, dimension)
    WHERE dimension IS NOT NULL`,
  ...words(prefix, bare(prefix)),
  `CREATE TABLE ${prefix}artifacts (
    tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, id text NOT NULL, part integer NOT NULL,
    length integer NOT NULL, text text NOT NULL,
    PRIMARY KEY (tenant, usr, thread, id, part)
  )`,
  `CREATE TABLE ${prefix}batches (
    tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, key text NOT NULL, at integer NOT NULL,
    "end" integer NOT NULL, session text NOT NULL, id text NOT NULL, events text NOT NULL,
    PRIMARY KEY (tenant, usr, thread, key, at)
  )`,
  ...['scopes', 'blocks', 'entries', 'artifacts', 'batches'].flatMap((table) => protect(`${prefix}${table}`)),
]

/** When things were written last, by which they expire, and who works on which session. */
const second: Step = (prefix, { real, protect }) => {
  const name = bare(prefix)
  // What is there by now counts from now on. As a default: no update sees the rows of tenants that it does not name.
  const now = Date.now()
  const dated = { blocks: 'revision = 1', artifacts: 'part = 0', batches: 'at = 0' }
  return [
    ...Object.entries(dated).flatMap(([table, isFirst]) => [
      `ALTER TABLE ${prefix}${table} ADD COLUMN written ${real} NOT NULL DEFAULT ${now}`,
      `CREATE INDEX ${name}${table}_by_time ON ${prefix}${table} (tenant, written) WHERE ${isFirst}`,
    ]),
    `CREATE INDEX ${name}batches_by_use ON ${prefix}batches (tenant, usr, thread, key, written)`,
    `CREATE TABLE ${prefix}leases (
      tenant text NOT NULL, usr text NOT NULL, thread text NOT NULL, key text NOT NULL, token text NOT NULL,
      holder text NOT NULL, renewed ${real} NOT NULL,
      PRIMARY KEY (tenant, usr, thread, key)
    )`,
    ...protect(`${prefix}leases`),
  ]
}

const third: Step = (prefix, { vectors }) => vectors(`${prefix}entries`)

export const steps: Step[] = [first, second, third]

/** An index is named without its schema. */
const bare = (prefix: string) => prefix.slice(prefix.lastIndexOf('.') + 1)

/**
 * `version` is the table of versions, which is there. Gives whether anything was done.
 * @throws MemoryError when the tables are a later Clew's; `place` names them.
 */
export function* migrate(
  { version, prefix, types, place }: { version: string; prefix: string; types: Types; place: string },
  all = steps,
): Program<boolean> {
  const [row] = yield* query(`SELECT version FROM ${version} WHERE part = 'memory'`)
  const found = (row?.version as number | undefined) ?? 0
  if (checkVersion(found, place, all)) return false
  for (const step of all.slice(found)) for (const text of step(prefix, types)) yield* query(text)
  yield* query(
    `INSERT INTO ${version} (part, version) VALUES ('memory', ${all.length})
       ON CONFLICT (part) DO UPDATE SET version = excluded.version`,
  )
  return true
}

/** Whether nothing is to be done. @throws MemoryError */
export function checkVersion(found: number, place: string, all = steps): boolean {
  if (found <= all.length) return found === all.length
  throw new MemoryError(
    `${place} was written by a newer version of Clew (its memory is v${found}, this reads v${all.length}). Update Clew to open it.`,
  )
}

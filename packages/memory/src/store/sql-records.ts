/** Entries in a database, and the list of all that is in a scope and below. */
import type { Value } from '../postgres-pool.ts'
import type { EntryRow, Expiry, ListedShelf } from './backend.ts'
import { wrongDimension } from './check.ts'
import { lapsedEntry } from './expired.ts'
import {
  covered,
  type Dialect,
  decode,
  encode,
  exactly,
  isExactly,
  keyOf,
  type Program,
  pathOf,
  query,
  type Row,
  type RowNumber,
  type Vectors,
} from './sql.ts'
import { blockOf } from './sql-blocks.ts'
import { isFresh, isLapsed } from './sql-expiry.ts'
import { checkHold, isHeld } from './sql-scopes.ts'
import { lengthOf, wordsOf } from './words.ts'

type Path = readonly string[]

export function sqlRecords(dialect: Dialect) {
  const { prefix, vectors } = dialect
  /** Of an entry: not what stands beside its vector. */
  const columns = 'tenant, usr, thread, id, kind, text, source, at, vector'
  const entryOf = (row: Row) => toEntryRow(row, vectors)

  return {
    *add(path: Path, entries: EntryRow[]): Program<void> {
      const dimension = entries.find(({ vector }) => vector)?.vector?.length
      if (dimension !== undefined) yield* dialect.lock(`vectors of ${JSON.stringify(path)}`, false)
      const given = [...new Map(entries.map((entry) => [entry.id, entry])).values()]
      yield* checkReplaced(path, given)
      for (let from = 0; from < given.length; from += dialect.atOnce)
        yield* put(path, given.slice(from, from + dialect.atOnce))
      if (dimension === undefined) return
      // Unlike `<>`, each of these is one look into the index.
      const [below, above] = ['<', '>'].map(
        (than) => `SELECT dimension FROM ${prefix}entries WHERE ${isExactly} AND dimension ${than} $4`,
      )
      const text = `${below} UNION ALL ${above} LIMIT 1`
      const [other] = yield* query(text, ...exactly(path), dimension)
      if (other) throw wrongDimension([other.dimension as number, dimension])
    },

    *get(path: Path, id: string, expiry?: Expiry): Program<EntryRow | undefined> {
      const text = `SELECT ${columns} FROM ${prefix}entries WHERE ${isExactly} AND key = $4`
      const [row] = yield* query(text, ...exactly(path), keyOf(id))
      const entry = row && entryOf(row)
      return entry && expiry && lapsedEntry(entry, expiry) && !(yield* isHeld(dialect, path)) ? undefined : entry
    },

    *remove(path: Path, ids: string[]): Program<number> {
      yield* checkHold(dialect, path, 'Removing entries', false)
      const where = `${isExactly} AND ${dialect.isOneOf('key', '$4', 'text')}`
      return (yield* removeEntries(dialect, where, ...exactly(path), JSON.stringify(ids.map(keyOf)))).entries
    },

    *count(path: Path, expiry?: Expiry): Program<number> {
      const lapsed = isLapsed(dialect, expiry?.entries ?? [], encode, 3)
      const where = `${isExactly} AND NOT ${lapsed.where}`
      const text = `SELECT CAST(count(*) AS integer) AS count FROM ${prefix}entries AS here WHERE ${where}`
      const [row] = yield* query(text, ...exactly(path), ...lapsed.values)
      return row?.count as number
    },

    *dump(path: Path, expiry?: Expiry): Program<ListedShelf[]> {
      const { where, values } = covered(path)
      const shelves = new Map<string, ListedShelf>()
      const shelf = (row: Row) => {
        const inner = pathOf(row)
        const key = JSON.stringify(inner)
        const found = shelves.get(key) ?? { path: inner, blocks: [], entries: [], artifacts: [], sessions: [] }
        shelves.set(key, found)
        return found
      }
      const fresh = (name: 'blocks' | 'artifacts' | 'batches', what: string, before: number | undefined, more = '') => {
        const is = isFresh(dialect, name, before, `$${values.length + 1}`)
        const text = `SELECT ${what} FROM ${prefix}${name} AS here WHERE ${where} AND ${is.where} ${more}`
        return query(text, ...values, ...is.values)
      }
      for (const row of yield* fresh('blocks', '*', expiry?.blocks, 'ORDER BY key, revision'))
        shelf(row).blocks.push(blockOf(row))
      const lapsed = isLapsed(dialect, expiry?.entries ?? [], encode, values.length)
      const entries = `SELECT ${columns} FROM ${prefix}entries AS here WHERE ${where} AND NOT ${lapsed.where}`
      for (const row of yield* query(entries, ...values, ...lapsed.values)) shelf(row).entries.push(entryOf(row))
      const scope = 'tenant, usr, thread'
      for (const row of yield* fresh('artifacts', `${scope}, id`, expiry?.artifacts, 'AND part = 0'))
        shelf(row).artifacts.push(row.id as string)
      for (const row of yield* fresh('batches', `${scope}, session`, expiry?.sessions, 'AND at = 0'))
        shelf(row).sessions.push(decode(row.session as string))
      return [...shelves.values()]
    },
  }

  function* checkReplaced(path: Path, entries: EntryRow[]): Program<void> {
    if (!(yield* isHeld(dialect, path))) return
    for (const { id } of entries) {
      const text = `SELECT 1 AS one FROM ${prefix}entries WHERE ${isExactly} AND key = $4`
      if ((yield* query(text, ...exactly(path), keyOf(id))).length > 0)
        yield* checkHold(dialect, path, `Replacing entry ${JSON.stringify(id)}`, false)
    }
  }

  function* put(path: Path, entries: EntryRow[]): Program<void> {
    const given = new Map(entries.map((entry) => [keyOf(entry.id), { entry, words: wordsOf(entry.text) }]))
    const values: Value[] = []
    const rows = [...given].map(([key, { entry, words }]) => {
      const { id, kind, text, source, at, vector } = entry
      const row = [...exactly(path), key, encode(id), encode(kind), encode(text), source ?? null, at, lengthOf(words)]
      values.push(...row, vector?.length ?? null, ...(vector ? vectors.write(vector) : vectors.columns.map(() => null)))
      const first = values.length - row.length - vectors.columns.length
      return `(${Array.from({ length: values.length - first + 1 }, (_, column) => `$${first + column}`).join(', ')})`
    })
    const changing = ['kind', 'text', 'source', 'at', 'length', 'dimension', ...vectors.columns]
    const numbered = yield* query(
      `INSERT INTO ${prefix}entries (tenant, usr, thread, key, id, ${changing.join(', ')})
         VALUES ${rows.join(', ')}
         ON CONFLICT (tenant, usr, thread, key) DO UPDATE SET ${changing.map((name) => `${name} = excluded.${name}`).join(', ')}
         RETURNING no, key, ${dialect.isReplacing} AS replacing`,
      ...values,
    )
    const indexed = numbered.map(({ no, key, replacing }) => {
      const { entry, words } = given.get(key as string) as NonNullable<ReturnType<(typeof given)['get']>>
      return { no: no as RowNumber, kind: entry.kind, words, length: lengthOf(words), isReplacing: Boolean(replacing) }
    })
    yield* dialect.words.put(path, indexed)
  }
}

/** With their words; gives how many, and how many had a vector. */
export function* removeEntries(
  { prefix, words }: Dialect,
  where: string,
  ...values: Value[]
): Program<{ entries: number; vectors: number }> {
  const gone = yield* query(`DELETE FROM ${prefix}entries WHERE ${where} RETURNING no, dimension`, ...values)
  if (gone.length > 0) yield* words.drop(gone.map(({ no }) => no as RowNumber))
  return { entries: gone.length, vectors: gone.filter(({ dimension }) => dimension !== null).length }
}

/** With its vector, if `vectors` is given. */
export function toEntryRow({ id, kind, text, source, at, vector }: Row, vectors?: Vectors): EntryRow {
  return {
    id: decode(id as string),
    kind: decode(kind as string),
    text: decode(text as string),
    ...(source !== null && { source: source as string }),
    at: at as number,
    ...(vectors && vector !== null && { vector: vectors.read(vector) }),
  }
}

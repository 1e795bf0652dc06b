/** Prune and erase in a database. */
import type { Expiry, Pruning } from './backend.ts'
import type { Receipt } from './memory.ts'
import { covered, type Dialect, encode, exactly, isExactly, keyOf, type Program, pathOf, query } from './sql.ts'
import { isFresh, isLapsed } from './sql-expiry.ts'
import { removeEntries } from './sql-records.ts'
import { checkHold } from './sql-scopes.ts'

/** How many rows one has, the first of them by `isFirst`. */
const kinds = {
  blocks: { table: 'blocks', id: 'key', isFirst: 'revision = 1' },
  artifacts: { table: 'artifacts', id: 'id', isFirst: 'part = 0' },
  sessions: { table: 'batches', id: 'key', isFirst: 'at = 0' },
} as const
type Kind = (typeof kinds)[keyof typeof kinds]

export function sqlRemoval(dialect: Dialect) {
  const { prefix } = dialect
  return {
    *prune(path: readonly string[], { expiry, limit, only, skipsHeld }: Pruning): Program<Receipt> {
      yield* checkHold(dialect, path, 'Pruning', !skipsHeld)
      const gone = only ? { entries: 0, vectors: 0 } : yield* pruneEntries(path, expiry.entries, limit)
      let left = limit - gone.entries
      const take = function* (
        kind: Kind,
        before: number | undefined,
        key?: string,
      ): Program<[things: number, rows: number]> {
        if (left === 0 || before === undefined || (only && key === undefined)) return [0, 0]
        const counts = yield* pruneKeyed(kind, only ? exactly(path) : path, before, left, key)
        left -= counts[0]
        return counts
      }
      const block = only && 'block' in only ? keyOf(only.block) : undefined
      const session = only && 'session' in only ? keyOf(only.session) : undefined
      const [blocks, blockVersions] = yield* take(kinds.blocks, expiry.blocks, block)
      const [artifacts] = yield* take(kinds.artifacts, expiry.artifacts)
      const [sessions] = yield* take(kinds.sessions, expiry.sessions, session)
      return { blocks, blockVersions, ...gone, artifacts, sessions }
    },

    *erase(path: readonly string[]): Program<Receipt> {
      yield* checkHold(dialect, path, 'Erasing', true)
      const { where, values } = covered(path)
      const count = function* (what: string, from: string, also = ''): Program<number> {
        const text = `SELECT CAST(count(${what}) AS integer) AS count FROM ${prefix}${from} WHERE ${where}${also}`
        return (yield* query(text, ...values))[0]?.count as number
      }
      const receipt = {
        blocks: yield* count('*', 'blocks', ' AND revision = 1'),
        blockVersions: yield* count('*', 'blocks'),
        entries: yield* count('*', 'entries'),
        vectors: yield* count('dimension', 'entries'),
        artifacts: yield* count('*', 'artifacts', ' AND part = 0'),
        sessions: yield* count('*', 'batches', ' AND at = 0'),
      }
      yield* removeEntries(dialect, where, ...values)
      for (const table of ['blocks', 'artifacts', 'batches', 'leases'])
        yield* query(`DELETE FROM ${prefix}${table} WHERE ${where}`, ...values)
      yield* raiseEpoch(path)
      return receipt
    },
  }

  function* pruneEntries(path: readonly string[], rules: Expiry['entries'], limit: number) {
    const { where, values } = covered(path)
    const lapsed = isLapsed(dialect, rules, encode, values.length)
    const given = [...values, ...lapsed.values, limit]
    const old = `SELECT no FROM ${prefix}entries AS here WHERE ${where} AND ${lapsed.where} ORDER BY at, no LIMIT $${given.length}`
    return yield* removeEntries(dialect, `no IN (${old})`, ...given)
  }

  /** `path` has all three parts for exactly one scope. Gives how many blocks, artifacts or sessions went, and their rows. */
  function* pruneKeyed(
    { table, id, isFirst }: Kind,
    path: readonly string[],
    before: number,
    limit: number,
    key?: string,
  ): Program<[things: number, rows: number]> {
    const { where, values } = covered(path)
    const time = `$${values.length + 1}`
    const fresh = isFresh(dialect, table, before, time)
    const one = key === undefined ? '' : ` AND here.${id} = $${values.length + 2}`
    const found = yield* query(
      `SELECT tenant, usr, thread, ${id} AS id FROM ${prefix}${table} AS here
         WHERE ${where} AND ${isFirst} AND here.written < ${time} AND NOT ${fresh.where}${one} LIMIT ${limit}`,
      ...[...values, before, ...(key === undefined ? [] : [key])],
    )
    let rows = 0
    for (const [scope, some] of Map.groupBy(found, (row) => JSON.stringify(pathOf(row)))) {
      const listed = JSON.stringify(some.map(({ id }) => id))
      const text = `DELETE FROM ${prefix}${table} WHERE ${isExactly} AND ${dialect.isOneOf(id, '$4', 'text')} RETURNING 1 AS one`
      rows += (yield* query(text, ...exactly(JSON.parse(scope) as string[]), listed)).length
    }
    return [found.length, rows]
  }

  /** What was below needs no epoch of its own any more: whoever opened it remembers this one's too. */
  function* raiseEpoch(path: readonly string[]): Program<void> {
    const { where, values } = covered(path)
    const below = ['usr', 'thread'].slice(path.length - 1).map((column) => `${column} <> ''`)
    if (below.length > 0)
      yield* query(`DELETE FROM ${prefix}scopes WHERE ${where} AND (${below.join(' OR ')})`, ...values)
    yield* query(
      `INSERT INTO ${prefix}scopes AS scope (tenant, usr, thread, epoch, held) VALUES ($1, $2, $3, 1, 0)
         ON CONFLICT (tenant, usr, thread) DO UPDATE SET epoch = scope.epoch + 1`,
      ...exactly(path),
    )
  }
}

/** Prune and erase in a database. */
import type { Receipt } from './memory.ts'
import { covered, type Dialect, encode, exactly, type Program, query } from './sql.ts'
import { removeEntries } from './sql-records.ts'
import { checkHold } from './sql-scopes.ts'

export function sqlRemoval(dialect: Dialect) {
  const { prefix } = dialect
  return {
    *prune(path: readonly string[], { kind, before, limit }: { kind: string; before: number; limit: number }) {
      yield* checkHold(dialect, path, 'Pruning', true)
      const { where, values } = covered(path)
      const [kindAt, beforeAt, limitAt] = [1, 2, 3].map((more) => `$${values.length + more}`)
      const old = `SELECT no FROM ${prefix}entries WHERE ${where} AND kind = ${kindAt} AND at < ${beforeAt} ORDER BY at, no LIMIT ${limitAt}`
      const given = [...values, encode(kind), before, limit]
      return yield* removeEntries(dialect, `no IN (${old})`, ...given)
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
      for (const table of ['blocks', 'artifacts', 'batches'])
        yield* query(`DELETE FROM ${prefix}${table} WHERE ${where}`, ...values)
      yield* raiseEpoch(path)
      return receipt
    },
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

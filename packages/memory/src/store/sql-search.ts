/** Search in a database: it gives the best by words, by vector or by time; `rank()` fuses them, as on every store. */
import type { Expiry, Needle } from './backend.ts'
import { checkQueryDimension } from './check.ts'
import { toFound } from './convert.ts'
import type { Found } from './memory.ts'
import { best, type Candidate, cosineTo, poolOf, rank } from './rank.ts'
import {
  among,
  covered,
  type Dialect,
  decode,
  type Program,
  pathOf,
  query,
  type RowNumber,
  type Scored,
} from './sql.ts'
import { entryOf, unpacked } from './sql-records.ts'

type Item = Candidate & { no: RowNumber }

/** How many vectors are in this process at a time. */
const atOnce = 1000

export function sqlSearch(dialect: Dialect) {
  const { prefix } = dialect
  const entries = `${prefix}entries`

  return function* search(path: readonly string[], needle: Needle, most = poolOf(needle.limit)): Program<Found[]> {
    const { words, vector, limit, kinds, expiry } = needle
    const text =
      words && words.length > 0 ? yield* dialect.words.find(path, { words, ...(kinds && { kinds }) }, most) : []
    const near = vector ? yield* nearest(path, vector, most, kinds, expiry) : []
    const newest = words || vector ? [] : yield* newestOf(path, most, kinds, expiry)
    const items = yield* load(
      path,
      [...text, ...near, ...newest].map(({ no }) => no),
      kinds,
      expiry,
    )
    // What has expired may stand before the rest of what has the words.
    if (expiry && text.length === most && text.some(({ no }) => !items.has(no)))
      return yield* search(path, needle, most * 4)
    for (const { no, score } of text) Object.assign(items.get(no) ?? {}, { text: score })
    for (const { no, score } of near) Object.assign(items.get(no) ?? {}, { near: score })
    const ranked = rank([...items.values()], limit)
    const rows = new Map<unknown, Parameters<typeof entryOf>[0]>()
    const nos = ranked.map(({ item }) => item.no)
    for (const row of yield* rowsOf('id, text, source, at', path, nos)) rows.set(row.no, row)
    return ranked.flatMap(({ item, score, ranks }) => {
      const row = rows.get(item.no)
      return row ? [toFound(entryOf(row), item.path, score, ranks)] : []
    })
  }

  function* nearest(
    path: readonly string[],
    vector: Float32Array,
    most: number,
    kinds?: string[],
    expiry?: Expiry,
  ): Program<Scored[]> {
    const scope = covered(path)
    const known = yield* query(
      `SELECT DISTINCT dimension FROM ${entries} WHERE ${scope.where} AND dimension IS NOT NULL`,
      ...scope.values,
    )
    checkQueryDimension(vector.length, new Set(known.map(({ dimension }) => dimension as number)))
    const { where, values } = among(dialect, path, kinds, expiry)
    const nos = yield* query(
      `SELECT no FROM ${entries} AS here WHERE ${where} AND dimension = ${vector.length}`,
      ...values,
    )
    const nearness = cosineTo(vector)
    let found: (Scored & { at: number })[] = []
    for (let from = 0; from < nos.length; from += atOnce) {
      const some = nos.slice(from, from + atOnce).map(({ no }) => no as RowNumber)
      const rows = yield* rowsOf('at, vector', path, some)
      const scored = rows.map(({ no, at, vector }) => ({
        no: no as RowNumber,
        at: at as number,
        score: nearness(unpacked(vector as string)),
      }))
      found = best([...found, ...scored], most, (one, two) => two.score - one.score || two.at - one.at)
    }
    return found
  }

  function* newestOf(
    path: readonly string[],
    most: number,
    kinds?: string[],
    expiry?: Expiry,
  ): Program<{ no: RowNumber }[]> {
    const { where, values } = among(dialect, path, kinds, expiry)
    const text = `SELECT no FROM ${entries} AS here WHERE ${where} ORDER BY at DESC LIMIT ${most}`
    return (yield* query(text, ...values)) as { no: RowNumber }[]
  }

  /** By number, those that are of the scope and the kinds, and have not expired. */
  function* load(
    path: readonly string[],
    nos: RowNumber[],
    kinds?: string[],
    expiry?: Expiry,
  ): Program<Map<RowNumber, Item>> {
    const rows = yield* rowsOf('id, at', path, [...new Set(nos)], kinds, expiry)
    return new Map(
      rows.map((row) => {
        const no = row.no as RowNumber
        return [no, { no, path: pathOf(row), id: decode(row.id as string), at: row.at as number }]
      }),
    )
  }

  function rowsOf(columns: string, path: readonly string[], nos: RowNumber[], kinds?: string[], expiry?: Expiry) {
    const { where, values } = among(dialect, path, kinds, expiry)
    const listed = dialect.isOneOf('no', `$${values.length + 1}`, 'bigint')
    // First by number, and written down: without statistics SQLite would go through all entries of the scope instead.
    const text = `WITH given AS MATERIALIZED (
        SELECT no, tenant, usr, thread, kind, ${columns} FROM ${entries} WHERE ${listed}
      ) SELECT no, tenant, usr, thread, kind, ${columns} FROM given AS here WHERE ${where}`
    return query(text, ...values, JSON.stringify(nos))
  }
}

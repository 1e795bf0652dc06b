/** Search in a database: it gives the best by words, by vector or by time; `rank()` fuses them, as on every store. */
import type { Value } from '../postgres-pool.ts'
import type { Expiry, Needle } from './backend.ts'
import { checkQueryDimension } from './check.ts'
import { toFound } from './convert.ts'
import type { Found } from './memory.ts'
import { best, type Candidate, cosineTo, lengthOf, newestFirst, poolOf, rank } from './rank.ts'
import {
  among,
  covered,
  type Dialect,
  decode,
  lengths,
  type Program,
  pathOf,
  query,
  type Row,
  type RowNumber,
} from './sql.ts'
import { toEntryRow } from './sql-records.ts'

type Item = Candidate & { no: RowNumber }
type Near = Item & { near: number }

/** How many vectors are in this process at a time. */
const atOnce = 1000

export function sqlSearch(dialect: Dialect) {
  const { prefix, vectors } = dialect
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
    for (const { no, near: score } of near) Object.assign(items.get(no) ?? {}, { near: score })
    const ranked = rank([...items.values()], limit)
    const rows = new Map<unknown, Row>()
    const nos = ranked.map(({ item }) => item.no)
    for (const row of yield* rowsOf('id, text, source, at', path, nos)) rows.set(row.no, row)
    return ranked.flatMap(({ item, score, ranks }) => {
      const row = rows.get(item.no)
      return row ? [toFound(toEntryRow(row), item.path, score, ranks)] : []
    })
  }

  function* nearest(
    path: readonly string[],
    vector: Float32Array,
    most: number,
    kinds?: string[],
    expiry?: Expiry,
  ): Program<Near[]> {
    const scope = covered(path)
    const known = yield* query(
      `SELECT DISTINCT dimension FROM ${entries} WHERE ${scope.where} AND dimension IS NOT NULL`,
      ...scope.values,
    )
    checkQueryDimension(vector.length, new Set(known.map(({ dimension }) => dimension as number)))
    const nos = yield* comparable(path, vector, most, kinds, expiry)
    const nearness = cosineTo(vector)
    let found: Near[] = []
    for (let from = 0; from < nos.length; from += atOnce) {
      const some = nos.slice(from, from + atOnce)
      const rows = yield* rowsOf('id, at, vector', path, some)
      const scored = rows.map((row) => ({ ...itemOf(row), near: nearness(vectors.read(row.vector)) }))
      found = best([...found, ...scored], most, (one, two) => two.near - one.near || newestFirst(one, two))
    }
    return found
  }

  /**
   * Among which the nearest are: all whose vector has as many numbers, or as far as the database can tell those that may be
   * among the first `most`. It measures with 32-bit arithmetic; what is no farther than that may err is measured again here, so
   * that the order is the same on every store.
   */
  function* comparable(
    path: readonly string[],
    vector: Float32Array,
    most: number,
    kinds?: string[],
    expiry?: Expiry,
  ): Program<RowNumber[]> {
    const { where, values } = among(dialect, path, kinds, expiry)
    const from = `FROM ${entries} AS here WHERE ${where} AND dimension = ${vector.length}`
    const distance = isMeasurable(vector) ? yield* vectors.distance(`$${values.length + 1}`, vector.length) : undefined
    const rows = distance
      ? yield* query(
          `WITH measured AS MATERIALIZED (SELECT no, ${distance} AS distance ${from}),
             edge AS (SELECT distance FROM measured WHERE distance IS NOT NULL ORDER BY distance LIMIT 1 OFFSET ${most - 1})
           SELECT no FROM measured WHERE distance IS NULL OR NOT EXISTS (SELECT 1 FROM edge)
             OR distance <= (SELECT distance FROM edge) + ${errorOf(vector.length)}`,
          ...values,
          vectors.write(vector).at(-1) as Value,
        )
      : yield* query(`SELECT no ${from}`, ...values)
    return rows.map(({ no }) => no as RowNumber)
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
    return new Map(rows.map((row) => [row.no as RowNumber, itemOf(row)]))
  }

  function rowsOf(columns: string, path: readonly string[], nos: RowNumber[], kinds?: string[], expiry?: Expiry) {
    const { where, values } = among(dialect, path, kinds, expiry)
    const listed = dialect.isOneOf('no', `$${values.length + 1}`, 'bigint')
    // First by number, and written down: without statistics SQLite would go through all entries of the scope instead.
    const text = `WITH given AS MATERIALIZED (
        SELECT no, tenant, usr, thread, kind, ${columns} FROM ${entries} WHERE ${listed}
      ) SELECT * FROM given AS here WHERE ${where}`
    return query(text, ...values, JSON.stringify(nos))
  }
}

function itemOf(row: Row): Item {
  return { no: row.no as RowNumber, path: pathOf(row), id: decode(row.id as string), at: row.at as number }
}

function isMeasurable(vector: Float32Array): boolean {
  const length = lengthOf(vector)
  return length >= lengths.least && length <= lengths.most
}

/** By how much two distances may be wrong together, of as many numbers in 32-bit floats: three sums, each step of which is rounded. */
function errorOf(dimension: number): number {
  return (dimension + 8) * 2 ** -21
}

/** Search in a database: it gives what could be meant; which of it is best is decided by `rank()`, as on every store. */
import type { Needle } from './backend.ts'
import { checkQueryDimension } from './check.ts'
import { toFound } from './convert.ts'
import type { Found } from './memory.ts'
import { type Candidate, rank } from './rank.ts'
import { covered, type Dialect, decode, encode, type Program, pathOf, query, type Row } from './sql.ts'
import { entryOf, unpacked } from './sql-records.ts'

type Item = Candidate & { no: number }

export function sqlSearch({ prefix }: Dialect) {
  return function* (path: readonly string[], needle: Needle): Program<Found[]> {
    const { words, vector, limit, kinds } = needle
    const scope = covered(path)
    const values = [...scope.values, ...(kinds ?? []).map(encode)]
    const listed = (kinds ?? []).map((_, index) => `$${scope.values.length + index + 1}`)
    const where = `${scope.where}${kinds ? ` AND kind IN (${listed.join(', ')})` : ''}`
    const columns = 'no, tenant, usr, thread, id, at, length'
    const items = new Map<unknown, Item>()
    const itemOf = (row: Row): Item => {
      const item = items.get(row.no) ?? toItem(row)
      items.set(row.no, item)
      return item
    }

    if (words && words.length > 0) {
      const places = words.map((_, index) => `$${values.length + index + 1}`).join(', ')
      const text = `SELECT e.*, w.word, w.count FROM ${prefix}words AS w
        JOIN (SELECT ${columns} FROM ${prefix}entries WHERE ${where}) AS e ON e.no = w.no
        WHERE w.tenant = $1 AND w.word IN (${places})`
      for (const row of yield* query(text, ...values, ...words))
        itemOf(row).counts.set(row.word as string, row.count as number)
    }
    if (vector) {
      const dimensions = yield* query(
        `SELECT DISTINCT dimension FROM ${prefix}entries WHERE ${where} AND dimension IS NOT NULL`,
        ...values,
      )
      checkQueryDimension(vector.length, new Set(dimensions.map(({ dimension }) => dimension as number)))
      const text = `SELECT ${columns}, vector FROM ${prefix}entries WHERE ${where} AND dimension = ${vector.length}`
      for (const row of yield* query(text, ...values)) itemOf(row).vector = unpacked(row.vector as string)
    }
    if (!words && !vector) {
      // One more of each time would change no rank: of one time, they go by scope and id.
      const text = `SELECT ${columns} FROM ${prefix}entries WHERE ${where} AND at >= coalesce(
        (SELECT at FROM ${prefix}entries WHERE ${where} ORDER BY at DESC LIMIT 1 OFFSET ${limit - 1}), ${lowest})`
      for (const row of yield* query(text, ...values)) itemOf(row)
    }

    const [sums] = yield* query(
      `SELECT CAST(count(*) AS integer) AS entries, CAST(coalesce(sum(length), 0) AS double precision) AS length FROM ${prefix}entries WHERE ${where}`,
      ...values,
    )
    const entries = sums?.entries as number
    const totals = { entries, averageLength: (sums?.length as number) / (entries || 1) }
    const asked = { limit, ...(words && { words }), ...(vector && { vector }) }
    const found: Found[] = []
    for (const { item, score, ranks } of rank([...items.values()], totals, asked)) {
      const [row] = yield* query(
        `SELECT id, kind, text, source, at FROM ${prefix}entries WHERE tenant = $1 AND no = $2`,
        path[0] as string,
        item.no,
      )
      if (row) found.push(toFound(entryOf(row), item.path, score, ranks))
    }
    return found
  }
}

/** Below every time. */
const lowest = '-1.7976931348623157e308'

function toItem(row: Row): Item {
  return {
    no: row.no as number,
    path: pathOf(row),
    id: decode(row.id as string),
    at: row.at as number,
    length: row.length as number,
    counts: new Map(),
  }
}

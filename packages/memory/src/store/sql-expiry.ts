/** What has expired, as conditions on a row `here` of a database: `isLapsed()` for entries, `isFresh()` for the rest. */
import type { Expiry } from './backend.ts'

export type Condition = { where: string; values: (string | number)[] }

/** There is a hold on its scope, or one above. */
const isKept = (prefix: string) =>
  `EXISTS (SELECT 1 FROM ${prefix}scopes AS hold WHERE hold.tenant = here.tenant AND hold.held = 1
     AND hold.usr IN ('', here.usr) AND hold.thread IN ('', here.thread))`

/** `encode` is how kinds are written. `at` is how many parameters stand before. */
export function isLapsed(
  { prefix }: { prefix: string },
  rules: Expiry['entries'],
  encode: (kind: string) => string,
  at: number,
): Condition {
  if (rules.length === 0) return { where: 'FALSE', values: [] }
  const values: (string | number)[] = []
  const next = (value: string | number) => `$${at + values.push(value)}`
  const any = rules.map(({ kind, before }) => {
    const isOld = `here.at < ${next(before)}`
    return kind === undefined ? isOld : `(${isOld} AND here.kind = ${next(encode(kind))})`
  })
  return { where: `((${any.join(' OR ')}) AND NOT ${isKept(prefix)})`, values }
}

const ids = { blocks: 'key', artifacts: 'id', batches: 'key' }

/** Anything of the block, artifact or session was written since; `parameter` stands for the time. */
export function isFresh(
  { prefix }: { prefix: string },
  table: keyof typeof ids,
  before: number | undefined,
  parameter: string,
): Condition {
  if (before === undefined) return { where: 'TRUE', values: [] }
  const isSame = ['tenant', 'usr', 'thread', ids[table]]
    .map((column) => `newer.${column} = here.${column}`)
    .join(' AND ')
  const newer = `EXISTS (SELECT 1 FROM ${prefix}${table} AS newer WHERE ${isSame} AND newer.written >= ${parameter})`
  return { where: `(${newer} OR ${isKept(prefix)})`, values: [before] }
}

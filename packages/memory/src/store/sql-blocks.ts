/** Blocks in a database. */
import type { BlockRow, Expiry } from './backend.ts'
import { newBlocks } from './check.ts'
import { lapsedBlock } from './expired.ts'
import { type Dialect, decode, encode, exactly, isExactly, keyOf, type Program, query, type Row } from './sql.ts'
import { isHeld } from './sql-scopes.ts'

type Path = readonly string[]

export function sqlBlocks(dialect: Dialect) {
  const table = `${dialect.prefix}blocks`

  function* read(path: Path, { name, all }: { name?: string; all?: boolean }, expiry?: Expiry): Program<BlockRow[]> {
    const named = name === undefined ? '' : ' AND key = $4'
    const last = all
      ? ''
      : ` AND revision = (SELECT max(revision) FROM ${table} AS other WHERE other.tenant = here.tenant
            AND other.usr = here.usr AND other.thread = here.thread AND other.key = here.key)`
    const text = `SELECT * FROM ${table} AS here WHERE ${isExactly}${named}${last} ORDER BY key, revision`
    const rows = yield* query(text, ...exactly(path), ...(name === undefined ? [] : [keyOf(name)]))
    const found = rows.map(blockOf)
    const lapsed = [...Map.groupBy(found, (block) => block.name)].filter(
      ([, all]) => expiry && lapsedBlock(all, expiry),
    )
    if (lapsed.length === 0 || (yield* isHeld(dialect, path))) return found
    const names = new Set(lapsed.map(([name]) => name))
    return found.filter((block) => !names.has(block.name))
  }

  function* insert(path: Path, { name, revision, value, token, written }: BlockRow): Program<boolean> {
    const text = `INSERT INTO ${table} (tenant, usr, thread, key, revision, name, value, token, written)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, usr, thread, key, revision) DO NOTHING RETURNING revision`
    const values = [...exactly(path), keyOf(name), revision, encode(name), value, token, written]
    return (yield* query(text, ...values)).length > 0
  }

  return {
    read,

    *write(path: Path, block: BlockRow): Program<{ current: BlockRow | undefined } | undefined> {
      // Twice: of two writers of one revision the slower is told by its insertion, and then sees the faster's.
      for (const isLast of [false, true]) {
        const [current] = yield* read(path, { name: block.name })
        if (current?.token === block.token) return undefined
        if (isLast || (current?.revision ?? 0) !== block.revision - 1) return { current }
        if (yield* insert(path, block)) return undefined
      }
      return undefined
    },

    *load(path: Path, given: BlockRow[]): Program<void> {
      if (given.length === 0) return
      for (const block of newBlocks(yield* read(path, { all: true }), given)) yield* insert(path, block)
    },
  }
}

export function blockOf({ name, value, revision, token, written }: Row): BlockRow {
  return {
    name: decode(name as string),
    value: value as string,
    revision: revision as number,
    token: token as string,
    written: written as number,
  }
}

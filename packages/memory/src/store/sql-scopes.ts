/** Scopes in a database: their epochs, holds, and the locks that keep an erasure and writers apart. */
import type { Ticket } from './backend.ts'
import { chainOf } from './convert.ts'
import { ErasedError, HeldError } from './memory-error.ts'
import { covers, Scope } from './scope.ts'
import { type Dialect, exactly, isExactly, type Program, pathOf, query } from './sql.ts'

export function sqlScopes({ prefix }: Dialect) {
  return {
    epoch: (path: readonly string[]) => epochOf(prefix, path),

    *hold(path: readonly string[], on: boolean): Program<void> {
      yield* query(
        `INSERT INTO ${prefix}scopes (tenant, usr, thread, epoch, held) VALUES ($1, $2, $3, 0, $4)
           ON CONFLICT (tenant, usr, thread) DO UPDATE SET held = excluded.held`,
        ...exactly(path),
        on ? 1 : 0,
      )
    },
  }
}

/**
 * Refuses a ticket of before an erasure. A writer holds the locks of its scope and those above, shared; who erases, holds,
 * prunes or imports has its own scope's alone. So a writer that was let through ends before the erasure begins, or is
 * looked at after it.
 */
export function* guard(dialect: Dialect, { path, scope, epoch }: Ticket, alone: boolean): Program<void> {
  for (const each of chainOf(path)) yield* dialect.lock(JSON.stringify(each), !alone || each.length < path.length)
  if ((yield* epochOf(dialect.prefix, path)) !== epoch) throw new ErasedError(String(scope))
}

function* epochOf(prefix: string, path: readonly string[]): Program<string> {
  const epochs: number[] = []
  for (const each of chainOf(path)) {
    const [row] = yield* query(`SELECT epoch FROM ${prefix}scopes WHERE ${isExactly}`, ...exactly(each))
    epochs.push((row?.epoch as number | undefined) ?? 0)
  }
  return epochs.join('.')
}

/** @throws HeldError when there is a hold on the scope, above it, or (`isBelowToo`) below it. */
export function* checkHold(
  dialect: Dialect,
  path: readonly string[],
  doing: string,
  isBelowToo: boolean,
): Program<void> {
  const holder = yield* holderOf(dialect, path, isBelowToo)
  if (holder) throw new HeldError(doing, String(new Scope(path)), String(new Scope(holder)))
}

/** The scope, or one above it. */
export function* isHeld(dialect: Dialect, path: readonly string[]): Program<boolean> {
  return (yield* holderOf(dialect, path, false)) !== undefined
}

function* holderOf({ prefix }: Dialect, path: readonly string[], isBelowToo: boolean): Program<string[] | undefined> {
  const text = `SELECT tenant, usr, thread FROM ${prefix}scopes WHERE tenant = $1 AND held = 1`
  const held = (yield* query(text, path[0] as string)).map(pathOf)
  return held.find((each) => covers(each, path) || (isBelowToo && covers(path, each)))
}

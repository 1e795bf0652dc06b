/** `takeRow()`: the lease on a session of a SQLite file, a row that its holder renews. */
import type { Lease } from '@clew/core'
import { type Holder, heldError, isGone, parseHolder, thisProcess } from './holder.ts'
import { keepLease } from './keep-lease.ts'

/** The row of one session. */
export type LeaseRow = {
  read(): { holder: string; renewed: number } | undefined
  write(holder: Holder, renewed: number): void
  /** False when the row has another token. */
  renew(token: string, renewed: number): boolean
  drop(token: string): void
}

/** To be called in a transaction. @throws SessionError that names the holder. */
export function takeRow(id: string, row: LeaseRow, now: () => number): Lease {
  const mine = thisProcess(now())
  const found = row.read()
  const holder = found && parseHolder(found.holder)
  if (found && !isGone(holder, found.renewed, now())) throw heldError(id, holder)
  row.write(mine, now())
  return keepLease(id, {
    renew: () => row.renew(mine.token, now()),
    drop: () => row.drop(mine.token),
  })
}

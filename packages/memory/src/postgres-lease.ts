/**
 * `acquireAdvisory()`: the lease on a session of PostgreSQL, an advisory lock of one connection that is kept for it. When
 * that connection ends, with its process or by itself, the server has released the lock. All leases of a pool are on one
 * connection, so that many of them do not use the pool up; which of them this process has is therefore known here.
 */
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Lease, SessionError } from '@clew/core'
import { heldError, isGone, parseHolder, thisProcess } from './holder.ts'
import { warnLost } from './keep-lease.ts'
import type { PostgresClient, PostgresPool } from './postgres-pool.ts'

/** `lock` names it. `read` and `write` keep the text that says who has it, for the message that the next one gets. */
type Wanted = {
  id: string
  lock: string
  read(): Promise<string | undefined>
  write(holder: string, ask: PostgresClient['query']): Promise<void>
}
/** The connection, asked one thing at a time, and the ids of the sessions by their lock. */
type Desk = { ask: PostgresClient['query']; close(): Promise<void>; held: Map<string, string> }

const desks = new WeakMap<PostgresPool, Desk>()

/** @throws SessionError that names the holder, or when the pool has a single connection. */
export async function acquireAdvisory(pool: PostgresPool, wanted: Wanted): Promise<Lease> {
  const { id } = wanted
  if (pool.options?.max === 1) {
    throw new SessionError(
      `The pool of session "${id}" has one connection (max: 1), which a lease would keep for itself. Give it two or more.`,
    )
  }
  const lock = lockNumber(wanted.lock)
  const desk = desks.get(pool) ?? openDesk(pool)
  const mine = thisProcess(Date.now())
  const readHolder = async () => parseHolder((await wanted.read()) ?? '')
  // The server gives a connection its own lock twice, so this process's leases are told apart here.
  if (desk.held.has(lock)) throw heldError(id, await readHolder())
  desk.held.set(lock, id)
  try {
    for (let tries = 1; ; tries += 1) {
      const { rows } = await desk.ask('SELECT pg_try_advisory_lock($1::bigint) AS taken', [lock])
      if (rows[0]?.taken) break
      const holder = await readHolder()
      // Seen to be dead from here: the server is about to notice that its connection has ended.
      if (tries === 20 || !isGone(holder, Number.POSITIVE_INFINITY, Date.now())) throw heldError(id, holder)
      await wait(25)
    }
    await wanted.write(JSON.stringify(mine), desk.ask)
  } catch (error) {
    await giveBack(pool, desk, lock)
    throw error
  }
  let released: Promise<void> | undefined
  return {
    release() {
      released ??= giveBack(pool, desk, lock)
      return released
    },
  }
}

function openDesk(pool: PostgresPool): Desk {
  const held = new Map<string, string>()
  const opening = pool.connect().then((client) => {
    client.on('error', () => {
      if (desks.get(pool) === desk) desks.delete(pool)
      for (const id of held.values()) warnLost(id)
      held.clear()
      client.release(true)
    })
    return client
  })
  let last: Promise<unknown> = opening
  const ask: Desk['ask'] = async (text, values) => {
    const client = await opening
    const answer = last.then(() => client.query(text, values))
    last = answer.catch(() => {})
    return await answer
  }
  const close = async () => {
    const client = await opening.catch(() => undefined)
    client?.release(true)
  }
  const desk: Desk = { ask, close, held }
  desks.set(pool, desk)
  // A machine that vanished without a word is noticed within about twelve seconds, not after hours.
  ask('SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3').catch(() => {})
  return desk
}

/** Behind the last lease the connection is closed. */
async function giveBack(pool: PostgresPool, desk: Desk, lock: string): Promise<void> {
  if (!desk.held.has(lock)) return
  // Said, and waited for: that a connection was closed is noticed by the server some time later.
  await desk.ask('SELECT pg_advisory_unlock($1::bigint)', [lock]).catch(() => {})
  if (!desk.held.delete(lock) || desk.held.size > 0 || desks.get(pool) !== desk) return
  desks.delete(pool)
  await desk.close()
}

/** Advisory locks are numbers of 64 bits. */
function lockNumber(lock: string): string {
  return createHash('sha256').update(`clew lease ${lock}`).digest().readBigInt64BE().toString()
}

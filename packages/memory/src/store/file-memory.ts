/**
 * `fileMemory()`: a memory store in a file that people can read, for one machine and memories that fit into the process.
 *
 * A change is one line and one fsync, under a lock file (`PATH.lock`), behind what other processes wrote meanwhile. When
 * something is forgotten, the file is written anew without it, and takes the old one's place in one step.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ClewError } from '@clew/core'
import { reasonOf } from '../failure.ts'
import { realPath, syncFolder } from '../file-session.ts'
import { heldError } from '../holder.ts'
import { keepLease } from '../keep-lease.ts'
import { dropLock, renewLock, takeLock } from '../lock-file.ts'
import { applyLines, header, lineOf, linesOf } from './change-log.ts'
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory, MemoryError } from './memory-error.ts'
import type { RetentionOptions } from './retention.ts'
import { State } from './state.ts'
import { type Door, stateBackend } from './state-backend.ts'

/** How long, in milliseconds, a change waits for those of other processes. */
const patienceMs = 15_000

/** File and folder are made with the first change. */
export function fileMemory(path: string, options: RetentionOptions = {}): MemoryStore {
  const { now = Date.now } = options
  const given = resolve(path)
  let known: { state: State; inode: number; bytes: number } | undefined
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false

  /** One after the other, since they share what is known of the file. */
  function attempt<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    const result = last.then(async () => {
      if (isClosed) throw closedMemory()
      try {
        return await work()
      } catch (cause) {
        if (cause instanceof ClewError) throw cause
        throw new MemoryError(`The memory could not be ${doing} (${given}): ${reasonOf(cause)}`, { cause })
      }
    })
    last = result.catch(() => {})
    return result
  }

  async function locked<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
    await mkdir(dirname(given), { recursive: true })
    const real = await realPath(given)
    const started = performance.now()
    for (;;) {
      const lock = await takeLock(`${real}.lock`, Date.now)
      if ('token' in lock) return await work(real).finally(() => dropLock(`${real}.lock`, lock))
      if (performance.now() - started > patienceMs) {
        const who = lock.heldBy ? `process ${lock.heldBy.pid} on ${lock.heldBy.host}` : 'another process'
        throw new MemoryError(
          `The memory in ${given} is being written by ${who}. Let it finish or stop it, then try again.`,
        )
      }
      await wait(1 + Math.random() * 4)
    }
  }

  /** What stands in the file by now, and how many bytes behind it are no whole line. */
  async function catchUp(file: FileHandle): Promise<{ state: State; torn: number }> {
    const { ino, size } = await file.stat()
    if (known?.inode !== ino || size < known.bytes) known = { state: new State(), inode: ino, bytes: 0 }
    const mine = known
    const tail = Buffer.alloc(size - mine.bytes)
    let length = 0
    while (length < tail.length) {
      const { bytesRead } = await file.read(tail, length, tail.length - length, mine.bytes + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    try {
      mine.bytes += applyLines(given, mine.state, mine.bytes, tail.subarray(0, length))
    } catch (error) {
      // Some lines may be applied by now: the next one reads it all.
      known = undefined
      throw error
    }
    return { state: mine.state, torn: size - mine.bytes }
  }

  async function append(file: FileHandle, real: string, line: string): Promise<void> {
    const mine = known as NonNullable<typeof known>
    const isNew = mine.bytes === 0
    const bytes = Buffer.from(isNew ? header + line : line)
    try {
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
      await file.sync()
      if (isNew) await syncFolder(dirname(real))
    } catch (error) {
      // What was written of it is no change; should cutting it off fail too, the next one does.
      await file.truncate(mine.bytes).catch(() => {})
      throw error
    }
    mine.bytes += bytes.length
  }

  async function rewrite(real: string, state: State): Promise<{ inode: number; bytes: number }> {
    const draft = `${real}.${randomUUID()}.new`
    try {
      const file = await open(draft, 'wx')
      try {
        for (const line of linesOf(state)) await file.appendFile(line)
        await file.sync()
        const { ino, size } = await file.stat()
        await rename(draft, real)
        await syncFolder(dirname(real))
        return { inode: ino, bytes: size }
      } finally {
        await file.close()
      }
    } finally {
      await rm(draft, { force: true })
    }
  }

  const door: Door = {
    read: (work) =>
      attempt('read', async () => {
        const file = await open(given, 'r').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined
          throw error
        })
        if (!file) return work(new State())
        try {
          return work((await catchUp(file)).state)
        } finally {
          await file.close()
        }
      }),

    write: (work, forgets = false) =>
      attempt('written', () =>
        locked(async (real) => {
          const file = await open(real, 'a+')
          try {
            const { state, torn } = await catchUp(file)
            if (torn > 0) await file.truncate((known as NonNullable<typeof known>).bytes)
            const { change, result } = work(state)
            if (!change) return result
            if (forgets) {
              // This state is ahead of the file until the new one has taken its place; should that fail, it is read anew.
              known = undefined
              state.apply(change)
              known = { state, ...(await rewrite(real, state)) }
            } else {
              await append(file, real, lineOf(change))
              state.apply(change)
            }
            return result
          } finally {
            await file.close()
          }
        }),
      ),

    acquire: (id, key) =>
      attempt('leased', async () => {
        await mkdir(dirname(given), { recursive: true })
        const leasePath = `${await realPath(given)}.${key}.lease`
        const lock = await takeLock(leasePath, now)
        if (!('token' in lock)) throw heldError(id, lock.heldBy)
        return keepLease(id, {
          renew: () => renewLock(leasePath, lock, now()),
          drop: () => dropLock(leasePath, lock),
        })
      }),

    async close() {
      isClosed = true
      await last
    },
  }
  return storeOver(stateBackend(door), options)
}

/**
 * `fileSession()`: a session in a file that people can read, for one machine.
 *
 * An append is one line and one fsync, under a lock file (`PATH.lock`), so that the position holds between processes:
 * what they appended meanwhile is read first. What a crash left of a line is cut off before the next append.
 */
import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Batch, type Lease, type LoggedEvent, type Session, SessionError } from '@clew/core'
import { closed, failure, stale } from './failure.ts'
import { emptyLog, header, type Log, parseLog } from './file-log.ts'
import { heldError } from './holder.ts'
import { keepLease } from './keep-lease.ts'
import { dropLock, renewLock, takeLock } from './lock-file.ts'

export type FileSessionOptions = {
  /** Default: the file's name without `.jsonl`. */
  id?: string
  /** The clock, in milliseconds since 1970; for tests. Default: `Date.now`. */
  now?: () => number
}

/** How long, in milliseconds, an append waits for those of other processes. */
const patienceMs = 15_000

/**
 * The session that is kept in the file at `path`; file and folder are made with the first append.
 * @throws SessionError (from its methods) when the file is no session or damaged, cannot be read or written, or is held.
 */
export function fileSession(path: string, options: FileSessionOptions = {}): Required<Session> {
  const { id = basename(path).replace(/\.jsonl$/, ''), now = Date.now } = options
  const given = resolve(path)
  let log: Required<Log> & { inode?: number } = emptyLog()
  let lease: Lease | undefined
  let isClosed = false
  let hasWarned = false

  /** Every failure becomes a `SessionError`. */
  async function attempt<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    if (isClosed) throw closed(id)
    return await work().catch((cause) => {
      throw failure(id, doing, given, cause)
    })
  }

  function warnTorn(bytes: number): void {
    if (hasWarned) return
    hasWarned = true
    process.emitWarning(
      `${given} ends in ${bytes} bytes of a batch whose writing was cut off; they are left out. It was never acknowledged: a crash in the middle of an append leaves this.`,
      { code: 'CLEW_TORN_SESSION' },
    )
  }

  async function locked<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
    await mkdir(dirname(given), { recursive: true })
    const path = await realPath(given)
    const started = performance.now()
    for (;;) {
      const lock = await takeLock(`${path}.lock`, now)
      if ('token' in lock) return await work(path).finally(() => dropLock(`${path}.lock`, lock))
      if (performance.now() - started > patienceMs) throw heldError(id, lock.heldBy)
      await wait(1 + Math.random() * 4)
    }
  }

  async function readAll(path: string): Promise<{ events: LoggedEvent[]; at: number; torn: number }> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    const bytes = file ? await readFrom(file, 0).finally(() => file.close()) : Buffer.alloc(0)
    const read: Log = { bytes: 0, at: 0 }
    const { events, torn } = parseLog(given, read, bytes)
    return { events, at: read.at, torn }
  }

  /** Under the lock: what stands in the file by now. */
  async function catchUp(file: FileHandle): Promise<void> {
    const { ino, size } = await file.stat()
    const isSame = log.inode === ino && size >= log.bytes
    const next = { ...(isSame ? log : emptyLog()), inode: ino }
    const { torn } = parseLog(given, next, await readFrom(file, next.bytes))
    log = next
    if (torn > 0) {
      warnTorn(torn)
      await file.truncate(log.bytes)
    }
  }

  async function write(file: FileHandle, path: string, at: number, batch: { id: string; count: number; line: string }) {
    const bytes = Buffer.from(log.bytes === 0 ? header + batch.line : batch.line)
    try {
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
      await file.sync()
      if (log.bytes === 0) await syncFolder(dirname(path))
    } catch (error) {
      // What was written of it is no part of the log; should cutting it off fail too, the next append does.
      await file.truncate(log.bytes).catch(() => {})
      throw error
    }
    log.bytes += bytes.length
    log.at = at + batch.count
    log.batches.set(at, { id: batch.id, end: log.at })
  }

  return {
    id,
    read: () =>
      attempt('read', async () => {
        // Without the lock first. What looks torn or damaged then may be a line that is being written.
        let found = await readAll(await realPath(given)).catch((error) => {
          if (error instanceof SessionError) return undefined
          throw error
        })
        if (!found || found.torn > 0) found = await locked(readAll)
        if (found.torn > 0) warnTorn(found.torn)
        return { events: found.events, at: found.at }
      }),

    async append(at, { id: batchId, events }: Batch) {
      // Now, not when the lock is there: what the caller does with its objects later is not appended.
      const line = `${JSON.stringify({ id: batchId, at, events })}\n`
      const count = events.length
      return await attempt('appended to', () =>
        locked(async (path) => {
          const file = await open(path, 'a+')
          try {
            await catchUp(file)
            const known = log.batches.get(at)
            if (known?.id === batchId) return known.end
            if (at !== log.at) throw stale(id, log.at, at)
            if (count > 0) await write(file, path, at, { id: batchId, count, line })
            return log.at
          } finally {
            await file.close()
          }
        }),
      )
    },

    acquire: () =>
      attempt('acquired', async () => {
        await mkdir(dirname(given), { recursive: true })
        const leasePath = `${await realPath(given)}.lease`
        const lock = await takeLock(leasePath, now)
        if (!('token' in lock)) throw heldError(id, lock.heldBy)
        if (isClosed) {
          await dropLock(leasePath, lock)
          throw closed(id)
        }
        lease = keepLease(id, {
          renew: () => renewLock(leasePath, lock, now()),
          drop: () => dropLock(leasePath, lock),
        })
        return lease
      }),

    async close() {
      isClosed = true
      await lease?.release()
    },
  }
}

/** All bytes from there on, at once: `readFile` takes them piece by piece, which takes four times as long. */
async function readFrom(file: FileHandle, from: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe((await file.stat()).size - from)
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

/** The same for every name of the file, since the lock's name follows from it. */
export async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path))
  })
}

/** A new file's name is durable when its folder is. Where folders cannot be opened (Windows), it is already. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

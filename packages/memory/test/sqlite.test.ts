/** Sessions in SQLite. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type LoggedEvent, SessionError } from '@clew/core'
import { describe, expect, it, vi } from 'vitest'
import { thisProcess } from '../src/holder.ts'
import { sqliteSession } from '../src/index.ts'
import { batch } from './child.ts'
import { testStore } from './every-store.ts'
import { testFull } from './full.ts'
import { temporary } from './temporary.ts'

const folder = temporary()

describe('sqliteSession', () => testStore((id) => ({ store: 'sqlite', id, file: join(folder, 'all.db') })))

const fresh = () => join(folder, `${randomUUID()}.db`)

testFull(folder, (place) => ({ store: 'sqlite', id: 'full', file: join(place, `${randomUUID()}.db`) }))

describe('a SQLite file', () => {
  it('is made with its folder, and its connection is closed behind the last session of it', async () => {
    const file = join(folder, 'new', 'folder', 'a.db')
    const [one, two] = [sqliteSession('one', { file }), sqliteSession('two', { file })]
    await one.append(0, batch('a'))
    await two.append(0, batch('a'))
    await one.close()
    expect(existsSync(`${file}-wal`)).toBe(true)
    await expect(one.read()).rejects.toThrow('Session "one" is closed. Open it anew.')
    expect(await two.append(1, batch('b'))).toBe(2)
    await two.close()
    // SQLite removes it with the last connection.
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  it('keeps what was written as it was written, and is durable with each commit', async () => {
    const file = fresh()
    const session = sqliteSession('one', { file })
    await session.append(0, batch('a'))
    const db = new DatabaseSync(file)
    expect(db.prepare('SELECT session, at, end, id, events FROM batches').get()).toEqual({
      session: 'one',
      at: 0,
      end: 1,
      id: 'a',
      events: JSON.stringify(batch('a').events),
    })
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    db.close()
    await session.close()
  })

  it('gives back batches of every size, across the pages that they are read in', async () => {
    const session = sqliteSession('one', { file: fresh() })
    const steer = (turn: number, content: string): LoggedEvent => ({
      type: 'steer',
      turn,
      messages: [{ role: 'user', content }],
    })
    const sizes = [...Array.from({ length: 250 }, () => 1), 600, 1, 5, 1]
    const written: LoggedEvent[] = []
    for (const [index, size] of sizes.entries()) {
      // One of them is larger than what is read together with others.
      const text = index === 252 ? 'é'.repeat(600_000) : `é ${index}`
      const events = Array.from({ length: size }, (_, at) => steer(at, text))
      expect(await session.append(written.length, { id: String(index), events })).toBe(written.length + size)
      written.push(...events)
    }
    expect(await session.read()).toEqual({ events: written, at: written.length })
    await session.close()
  })

  it('from the future is refused', async () => {
    const file = fresh()
    const session = sqliteSession('one', { file })
    await session.append(0, batch('a'))
    await session.close()
    const db = new DatabaseSync(file)
    db.exec("UPDATE clew_version SET version = 2 WHERE part = 'sessions'")
    db.close()
    await expect(sqliteSession('one', { file }).read()).rejects.toThrow(
      `${file} was written by a newer version of Clew (its sessions are v2, this reads v1). Update Clew to open it.`,
    )
  })

  it('that is something else is refused and left as it is', async () => {
    const file = fresh()
    writeFileSync(file, 'Dear diary, '.repeat(100))
    const session = sqliteSession('one', { file })
    await expect(session.append(0, batch('a'))).rejects.toThrow(/That file is no SQLite database: name another one/)
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(100))
    // The next use tries anew.
    rmSync(file)
    expect(await session.append(0, batch('a'))).toBe(1)
    await session.close()
  })

  it('that cannot be opened says so', async () => {
    await expect(sqliteSession('one', { file: folder }).read()).rejects.toThrow(
      /It cannot be opened: see that this user/,
    )
    const file = fresh()
    writeFileSync(file, '')
    await expect(sqliteSession('one', { file: join(file, 'below.db') }).read()).rejects.toThrow(
      /could not be read .*(EEXIST|ENOTDIR)/,
    )
  })

  it('takes ids that it can tell apart only', () => {
    expect(() => sqliteSession('a\0b')).toThrow(SessionError)
    expect(() => sqliteSession('half \ud83d')).toThrow(/"half \\ud83d" holds a NUL character or half of a character/)
  })
})

describe('a lease in SQLite', () => {
  it("of another machine is refused, until ten seconds of silence by this one's clock; the one that lost it notices", async () => {
    const file = fresh()
    let clock = 1_000_000_000_000
    const session = sqliteSession('one', { file, now: () => clock })
    await session.read()
    const db = new DatabaseSync(file)
    const holder = { ...thisProcess(clock), place: 'elsewhere', host: 'far', pid: 7 }
    db.prepare('INSERT INTO leases VALUES (?, ?, ?, ?)').run('one', holder.token, JSON.stringify(holder), clock)
    clock += 9_999
    await expect(session.acquire()).rejects.toThrow('process 7 on far, since 2001-09-09T01:46:40.000Z')
    clock += 1
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    try {
      const lease = await session.acquire()
      clock += 3_000
      await vi.advanceTimersByTimeAsync(3_000)
      expect(db.prepare('SELECT renewed FROM leases').get()).toEqual({ renewed: clock })
      expect(warned).not.toHaveBeenCalled()
      db.exec("UPDATE leases SET token = 'of another'")
      await vi.advanceTimersByTimeAsync(6_000)
      expect(warned).toHaveBeenCalledOnce()
      await lease.release()
      expect(db.prepare('SELECT count(*) AS count FROM leases').get()).toEqual({ count: 1 })
    } finally {
      vi.useRealTimers()
      warned.mockRestore()
    }
    db.close()
    await session.close()
  })
})

/** Sessions in files. */
import { createHash, randomUUID } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { header } from '../src/file-log.ts'
import { isGone, thisProcess } from '../src/holder.ts'
import { fileSession } from '../src/index.ts'
import { keepLease } from '../src/keep-lease.ts'
import { dropLock, type Lock, renewLock, takeLock } from '../src/lock-file.ts'
import { batch } from './child.ts'
import { slow, testStore } from './every-store.ts'
import { testFull } from './full.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const nameOf = (id: string) => createHash('sha256').update(id).digest('hex')

describe('fileSession', () => testStore((id) => ({ store: 'file', id, path: join(folder, `${nameOf(id)}.jsonl`) })))

const fresh = () => join(folder, `${randomUUID()}.jsonl`)
const warnings = () => {
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  spies.push(spy)
  return spy
}
const spies: { mockRestore(): void }[] = []
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore()
})

testFull(folder, (place) => ({ store: 'file', id: 'full', path: join(place, `${randomUUID()}.jsonl`) }))

/** Few bytes, since each of them is a place to be torn at. */
const short = (id: string, count = 1) => ({
  id,
  events: batch(id, count).events.map((event) => ({ ...event, path: [id] })),
})

describe('a file that was torn', { timeout: slow }, () => {
  it('at any byte of its last line is read up to there, told once, cut off and continued', async () => {
    const whole = fresh()
    await fileSession(whole).append(0, short('a'))
    const kept = readFileSync(whole)
    await fileSession(whole).append(1, short('b', 2))
    const bytes = readFileSync(whole)
    const path = fresh()
    for (let length = kept.length; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length))
      const warned = warnings()
      const session = fileSession(path)
      expect(await session.read()).toMatchObject({ events: short('a').events, at: 1 })
      await session.read()
      expect(await session.append(1, short('c'))).toBe(2)
      const told =
        length === kept.length
          ? []
          : [[expect.stringContaining(`${path} ends in ${length - kept.length} bytes`), { code: 'CLEW_TORN_SESSION' }]]
      expect(warned.mock.calls).toEqual(told)
      warned.mockRestore()
      expect((await fileSession(path).read()).events.map((event) => event.path?.[0])).toEqual(['a', 'c'])
    }
  })

  it('at any byte of its first lines is an empty session', async () => {
    const whole = fresh()
    await fileSession(whole).append(0, short('a'))
    const bytes = readFileSync(whole)
    const path = fresh()
    warnings()
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length))
      expect(await fileSession(path).read()).toEqual({ events: [], at: 0 })
      await fileSession(path).append(0, short('a'))
      expect(readFileSync(path)).toEqual(bytes)
    }
  })

  it('by a power failure, with blocks of zeros, loses them only', async () => {
    const path = fresh()
    await fileSession(path).append(0, short('a'))
    const bytes = readFileSync(path)
    for (const tail of ['\0\0\0\0', '{"id":"b","at":1,\0\0\0]}\n']) {
      const warned = warnings()
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(tail)]))
      expect((await fileSession(path).read()).at).toBe(1)
      expect(warned).toHaveBeenCalledOnce()
      warned.mockRestore()
    }
  })

  it('is continued by an append that did not read before', async () => {
    const path = fresh()
    await fileSession(path).append(0, short('a'))
    appendFileSync(path, '{"id":"torn')
    const warned = warnings()
    const session = fileSession(path)
    expect(await session.append(1, short('b'))).toBe(2)
    expect(warned).toHaveBeenCalledOnce()
    expect((await fileSession(path).read()).at).toBe(2)
  })
})

describe('a file that is something else', () => {
  it.each([
    ['text', 'Dear diary,\n'],
    ['text without a line end', 'Dear diary'],
    ['other JSON lines', '{"role":"user"}\n'],
    ['a line of a session only', '{"id":"b","at":0,"events":[]}\n'],
    ['an empty line', '\n'],
  ])('(%s) is refused and left as it is', async (_, text) => {
    const path = fresh()
    writeFileSync(path, text)
    for (const use of [() => fileSession(path).read(), () => fileSession(path).append(0, batch('a'))])
      await expect(use()).rejects.toThrow(
        /is no session: it does not begin with .* Name another file; this one is left/,
      )
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it.each([
    ['of a later version', '{"clew":"session","v":2}\n', /newer version of Clew \(its lines are v2, this reads v1\)/],
    [
      'with a damaged line',
      `${header}{"id":"a","at":0,"events":[{}]}\n{"id":"b"x\n{"id":"c","at":2,"events":[]}\n`,
      /damaged at byte 57: the line is no JSON/,
    ],
    ['with a missing line', `${header}{"id":"a","at":1,"events":[{}]}\n`, /a batch of position 1 stands at 0/],
    ['with a line that is no batch', `${header}[]\n`, /the line is no batch/],
  ])('%s says so', async (_, text, message) => {
    const path = fresh()
    writeFileSync(path, text)
    await expect(fileSession(path).read()).rejects.toThrow(message)
    await expect(fileSession(path).append(0, batch('a'))).rejects.toThrow(message)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('in the way of a folder, or a folder itself, says so', async () => {
    const path = fresh()
    writeFileSync(path, '')
    await expect(fileSession(join(path, 'below.jsonl')).append(0, batch('a'))).rejects.toThrow(
      /could not be appended to \(.*\): (EEXIST|ENOTDIR)/,
    )
    await expect(fileSession(folder).append(0, batch('a'))).rejects.toThrow(/That is a folder: name a file in it/)
  })
})

describe('fileSession', () => {
  it('makes the folder with the first append, not before; its id is the name of the file', async () => {
    const path = join(folder, 'new', 'folder', 'chat-1.jsonl')
    const session = fileSession(path)
    expect(session.id).toBe('chat-1')
    expect(await session.read()).toEqual({ events: [], at: 0 })
    expect(existsSync(join(folder, 'new'))).toBe(false)
    await session.append(0, batch('a'))
    expect(readdirSync(join(folder, 'new', 'folder'))).toEqual(['chat-1.jsonl'])
  })

  it('sees by which name ever that somebody appended, and when the file was replaced', async () => {
    const path = fresh()
    symlinkSync(folder, `${path}-folder`)
    const [one, two] = [fileSession(path), fileSession(join(`${path}-folder`, basename(path)))]
    await one.append(0, batch('a'))
    const early = readFileSync(path)
    await two.append(1, batch('b'))
    const outcomes = await Promise.allSettled([one.append(2, batch('c')), two.append(2, batch('d'))])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    writeFileSync(path, early)
    expect(await one.append(1, batch('e'))).toBe(2)
    rmSync(path)
    expect(await one.append(0, batch('f'))).toBe(1)
  })

  it('waits for nobody who is dead: the lock of a killed append is taken over', async () => {
    const path = fresh()
    writeFileSync(`${path}.lock`, JSON.stringify({ ...thisProcess(Date.now()), began: '1' }))
    expect(await fileSession(path).append(0, batch('a'))).toBe(1)
    expect(readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`))).toEqual([])
  })
})

describe('a lock file', () => {
  const now = () => Date.now()
  const dead = { ...thisProcess(0), began: '1' }

  it('of a dead holder is taken over by exactly one of many', async () => {
    for (let round = 0; round < 20; round++) {
      const path = fresh()
      writeFileSync(path, JSON.stringify({ ...dead, token: `dead-${round}` }))
      // One that died while it took over, too.
      if (round % 2) writeFileSync(`${path}.dead-${round}`, JSON.stringify({ ...dead, token: 'also-dead' }))
      const locks = await Promise.all(Array.from({ length: 8 }, () => takeLock(path, now)))
      const taken = locks.filter((lock) => 'token' in lock)
      expect(taken).toHaveLength(1)
      expect(JSON.parse(readFileSync(path, 'utf8')).token).toBe(taken[0]?.token)
      expect(readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`))).toEqual([])
    }
  })

  it('that was taken over meanwhile is left to the one who did', async () => {
    const path = fresh()
    const live = { ...thisProcess(0), token: 'live' }
    writeFileSync(path, JSON.stringify(dead))
    // The clock is asked when the dead holder was just seen: there another one takes over.
    const taking = takeLock(path, () => {
      writeFileSync(path, JSON.stringify(live))
      return Date.now()
    })
    expect(await taking).toEqual({ heldBy: live })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(live)
  })

  it.each([
    ['of another machine', { ...thisProcess(0), place: 'elsewhere', host: 'other' }],
    ['that nobody can read', undefined],
  ])('%s is kept until ten seconds after it was last renewed', async (_, holder) => {
    const path = fresh()
    let clock = 1_000_000_000_000
    writeFileSync(path, holder ? JSON.stringify(holder) : '')
    utimesSync(path, clock / 1000, clock / 1000)
    clock += 9_999
    expect(await takeLock(path, () => clock)).toEqual({ heldBy: holder })
    clock += 1
    const lock = await takeLock(path, () => clock)
    expect(lock).toHaveProperty('token')
    expect(statSync(path).mtimeMs).toBe(clock)
    expect(await renewLock(path, lock as Lock, clock + 3000)).toBe(true)
    expect(statSync(path).mtimeMs).toBe(clock + 3000)
    // The one that lost it neither renews nor removes it.
    expect(await renewLock(path, { token: 'elsewhere' }, clock)).toBe(false)
    await dropLock(path, { token: 'elsewhere' })
    expect(existsSync(path)).toBe(true)
    await dropLock(path, lock as Lock)
    expect(existsSync(path)).toBe(false)
  })
})

describe('a lease on a file', () => {
  it("of another machine is refused, until ten seconds of silence by this one's clock", async () => {
    const path = fresh()
    let clock = 1_000_000_000_000
    const session = fileSession(path, { now: () => clock })
    writeFileSync(`${path}.lease`, JSON.stringify({ ...thisProcess(clock), place: 'elsewhere', host: 'far', pid: 7 }))
    utimesSync(`${path}.lease`, clock / 1000, clock / 1000)
    clock += 9_999
    await expect(session.acquire()).rejects.toThrow('process 7 on far, since 2001-09-09T01:46:40.000Z')
    clock += 1
    await (await session.acquire()).release()
    await session.close()
  })
})

describe('keepLease', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  it('renews every three seconds until it is released, once', async () => {
    const done: string[] = []
    const lease = keepLease('s', { renew: () => done.push('renew') > 0, drop: () => void done.push('drop') })
    await vi.advanceTimersByTimeAsync(9_000)
    await lease.release()
    await lease.release()
    await vi.advanceTimersByTimeAsync(9_000)
    expect(done).toEqual(['renew', 'renew', 'renew', 'drop'])
  })

  it('tells once that it was lost, and tries again when renewing fails', async () => {
    const warned = warnings()
    const answers = [() => true, () => Promise.reject(new Error('busy')), () => false, () => true]
    keepLease('s', { renew: () => answers.shift()!(), drop: () => {} })
    await vi.advanceTimersByTimeAsync(12_000)
    expect(answers).toHaveLength(1)
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('The lease on session "s" was lost'), { code: 'CLEW_LEASE_LOST' }],
    ])
  })
})

describe('isGone', () => {
  const me = thisProcess(0)
  it.each([
    ['this process', me, false],
    ['a pid that was given away again', { ...me, began: '1' }, true],
    ['a pid that is nobody', { ...me, pid: 2 ** 22 + 1 }, true],
    ['another boot or pid namespace, just heard of', { ...me, place: 'other', pid: 2 ** 22 + 1 }, false],
  ])('%s', (_, holder, gone) => {
    expect(isGone(holder, 1000, 1000)).toBe(gone)
    // A live one of this machine keeps what it has, however long it was not heard of.
    expect(isGone(holder, 0, 1e12)).toBe(gone || holder.place === 'other')
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inJail, type JailOptions } from '../src/jail/jail.ts'
import { Kept, kept } from '../src/jail/kept.ts'

const probe = (request: object, options: Partial<JailOptions> = {}) =>
  inJail({
    runner: '../test/probe-runner',
    request,
    reads: [`${import.meta.dirname}/`],
    timeoutMs: 20_000,
    residentMb: 400,
    heapMb: 64,
    answerBytes: 100_000,
    ...options,
  })

describe.concurrent('the jail', () => {
  it('holds a program that got out of its interpreter', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-jail-'))
    const file = join(folder, 'secret')
    writeFileSync(file, 'secret')
    process.env.CLEW_TEST_SECRET = 'secret'
    const outcome = await probe({ type: 'reach', port: 9, file })
    expect(outcome).toMatchObject({
      status: 'answered',
      answer: {
        connect: 'refused: There is no network here.',
        listen: 'refused: There is no network here.',
        lookup: 'refused: There is no network here.',
        fetch: 'undefined',
        socket: 'undefined',
        read: expect.stringContaining('restricted'),
        write: expect.stringContaining('restricted'),
        start: expect.stringContaining('restricted'),
        thread: expect.stringContaining('restricted'),
        evaluate: expect.stringContaining('Code generation from strings disallowed'),
        environment: '',
      },
    })
    expect(readFileSync(file, 'utf8')).toBe('secret')
    rmSync(folder, { recursive: true })
  })

  it('tells an end by itself, a lie, and an answer that is too long', async () => {
    expect(await probe({ type: 'abort' })).toMatchObject({
      status: 'ended',
      reason: expect.stringMatching(/ended early/),
    })
    expect(await probe({ type: 'lie' })).toEqual({ status: 'ended', reason: 'its answer could not be read' })
    expect(await probe({ type: 'talk' })).toEqual({ status: 'ended', reason: 'its answer was too long' })
  })

  it.runIf(process.platform === 'linux')('ends what holds too much outside of every heap', async () => {
    expect(await probe({ type: 'hold' })).toEqual({ status: 'ended', reason: 'it held too much memory' })
  })

  it('ends what does not come to an end', async () => {
    expect(await probe({ type: 'spin' }, { timeoutMs: 100 })).toEqual({ status: 'timeout' })
  })

  it('lets nobody wait who has left', async () => {
    const leave = new AbortController()
    const busy = Array.from({ length: 3 }, () => probe({ type: 'spin' }, { timeoutMs: 300 }))
    const waiting = Array.from({ length: 40 }, () => probe({ type: 'spin' }, { signal: leave.signal }))
    leave.abort(new Error('left'))
    const ends = await Promise.allSettled(waiting)
    expect(ends.every((end) => end.status === 'rejected' && end.reason.message === 'left')).toBe(true)
    expect(await Promise.all(busy)).toEqual([{ status: 'timeout' }, { status: 'timeout' }, { status: 'timeout' }])
  })

  it('works behind its walls only', () => {
    const runner = join(import.meta.dirname, 'probe-runner.ts')
    const output = execFileSync(process.execPath, [runner], { input: '{"type":"lie"}\n', encoding: 'utf8' })
    expect(output).toContain('"refused":"could not be loaded (permission model is not in force)"')
  })
})

describe('kept output', () => {
  it('is the text where it fits, else its beginning and its end', () => {
    const pieces = new Kept(10)
    for (const piece of ['abc', 'def', 'ghi', 'jkl']) pieces.add(piece)
    expect(String(pieces)).toBe('abcde\n[… 2 characters left out …]\nhijkl')
    expect(kept('abcdefghij', 10)).toBe('abcdefghij')
  })
})

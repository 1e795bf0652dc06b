/** Servers that are processes of ours: what they inherit, how they end, what is survived. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent } from '@clew/core'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type McpOptions, mcp } from '../src/index.ts'
import { runCall } from './run-call.ts'

const folder = mkdtempSync(join(tmpdir(), 'clew-mcp-'))
afterAll(() => rmSync(folder, { recursive: true }))

const script = join(import.meta.dirname, 'stdio-server.ts')

async function start(way: string, options: Partial<McpOptions> = {}) {
  const file = join(folder, way)
  const server = await mcp({
    command: process.execPath,
    args: [script, way, file],
    name: '',
    onWarning() {},
    ...options,
  })
  const run = (more: Parameters<typeof runCall>[3] = {}) => runCall(server.tools(), 'act', {}, more)
  /** The children so far. */
  const pids = () => readFileSync(file, 'utf8').trim().split('\n').map(Number)
  return { server, run, pids, [Symbol.asyncDispose]: () => server.close() }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const isGone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), { interval: 10, timeout: 30_000 })

describe.concurrent('a server on stdio', () => {
  it('is called, and ends with close', async () => {
    const one = await start('honest')
    const [pid] = one.pids()
    expect(one.server.info).toEqual({ name: 'child', version: '1' })
    expect(await one.run()).toMatchObject({ content: `pid ${pid}` })
    await one.server.close()
    await isGone(pid as number)
  })

  it('P126: that dies in a call gives an error result with its last words, and is started again by the next call', async () => {
    await using one = await start('dies')
    expect(await one.run()).toMatchObject({
      isError: true,
      content: expect.stringMatching(
        /failed: Connection closed\. The server ended with exit code 7\..*Something is on fire\./s,
      ),
    })
    expect(await one.run()).toMatchObject({ isError: true })
    expect(one.pids().length).toBe(2)
  })

  it('P126: that is killed from outside ends the calls under way at once', async () => {
    await using one = await start('never')
    const [pid] = one.pids()
    const { promise, resolve } = Promise.withResolvers<void>()
    const both = [one.run({ onEvent: () => resolve() }), one.run()]
    await promise
    process.kill(pid as number, 'SIGKILL')
    const ends = await Promise.all(both)
    expect(ends).toMatchObject([{ isError: true }, { isError: true }])
    expect(JSON.stringify(ends)).toContain('ended by SIGKILL')
  })

  it('that does not answer when it is started again is not waited for by close', async () => {
    const one = await start('mute-later')
    await one.run()
    const ending = one.run()
    await vi.waitFor(() => expect(one.pids().length).toBe(2), { timeout: 30_000 })
    await one.server.close()
    expect(await ending).toMatchObject({ isError: true })
    await isGone(one.pids()[1] as number)
  })

  it('P126: that dies while another process holds its pipes is noticed all the same', async () => {
    await using one = await start('orphan')
    expect(await one.run()).toMatchObject({ isError: true, content: expect.stringContaining('exit code 7') })
    process.kill(one.pids()[1] as number, 'SIGKILL')
  })

  it('that leaves after its answer is started again', async () => {
    await using one = await start('dies-once')
    const first = await one.run()
    expect(first).toMatchObject({ content: `pid ${one.pids()[0]}` })
    await isGone(one.pids()[0] as number)
    await vi.waitFor(async () => expect(await one.run()).toMatchObject({ content: `pid ${one.pids()[1]}` }), {
      timeout: 30_000,
    })
  })

  it('that says its tools have changed and dies is not started over and over', async () => {
    await using one = await start('changes-and-dies')
    for (let at = 0; at < 3; at++) await one.server.refresh().catch(() => {})
    await isGone(one.pids().at(-1) as number)
    expect(await one.run()).toMatchObject({ type: 'tool-end' })
    // Once in the beginning, and at most once for each of the four that asked.
    expect(one.pids().length).toBeLessThanOrEqual(5)
  })

  it('that tells of changes before it is ready is listened to later on', async () => {
    await using one = await start('early')
    expect(one.server.tools().length).toBe(1)
    await one.run()
    await vi.waitFor(() => expect(one.server.tools().length).toBe(2), { timeout: 10_000 })
  })

  it('that cannot start says why', async () => {
    await expect(start('crash-at-start')).rejects.toThrow(/exit code 3.*No key was given\./s)
    await expect(mcp({ command: 'clew-no-such-program' })).rejects.toThrow('ENOENT')
    await expect(mcp({ command: process.execPath, cwd: '/no/such/folder' })).rejects.toThrow('ENOENT')
  })

  it('that never answers gives an error result when its time is over', async () => {
    await using one = await start('never', { timeoutMs: 500 })
    expect(await one.run()).toMatchObject({ isError: true, content: expect.stringContaining('for 500 ms') })
  })

  it('that answers twice is heard once', async () => {
    await using one = await start('twice')
    expect(await one.run()).toMatchObject({ content: 'first' })
    expect(await one.run()).toMatchObject({ content: 'first' })
  })

  it('that tells its progress together with the answer is heard in order', async () => {
    await using one = await start('hurried')
    const seen: unknown[] = []
    const onEvent = (event: RunEvent) => event.type === 'tool-progress' && seen.push(event.data)
    expect(await one.run({ onEvent })).toMatchObject({ content: 'done' })
    expect(seen).toEqual([{ progress: 1 }, { progress: 2 }])
  })

  it('that writes garbage to stdout is understood between it', async () => {
    await using one = await start('garbage')
    expect(await one.run()).toMatchObject({ content: 'between garbage' })
    expect(await one.run()).toMatchObject({ content: 'between garbage' })
  })

  it('that answers with megabytes is understood', async () => {
    await using one = await start('large')
    expect(await one.run()).toMatchObject({
      content: expect.stringMatching(/^x+\n\[Cut: the first 50,000 of 10,485,760/),
    })
  })

  it('that writes without end is ended', async () => {
    await using one = await start('flood')
    expect(await one.run()).toMatchObject({
      isError: true,
      content: expect.stringContaining('longer than can be read'),
    })
    await isGone(one.pids()[0] as number)
  })

  it('inherits little of our environment, and what it is given', async () => {
    process.env.CLEW_TEST_SECRET = 'secret'
    await using one = await start('environment', { env: { GIVEN: 'yes' } } as Partial<McpOptions>)
    const { content } = (await one.run()) as { content: string }
    const environment = JSON.parse(content) as { [name: string]: string }
    expect(environment).toMatchObject({ GIVEN: 'yes', PATH: process.env.PATH })
    expect(environment).not.toHaveProperty('CLEW_TEST_SECRET')
  })

  it('ends with all that it started', async () => {
    const one = await start('family')
    const { content } = (await one.run()) as { content: string }
    expect(isAlive(Number(content))).toBe(true)
    await one.server.close()
    await isGone(Number(content))
    await isGone(one.pids()[0] as number)
  })

  it('that is left without close ends with the program that started it', async () => {
    const program = join(import.meta.dirname, 'leaves.ts')
    const file = join(folder, 'left')
    execFileSync(process.execPath, [program, script, file])
    await isGone(Number(readFileSync(file, 'utf8')))
  })

  it('that does not listen to a polite end is ended all the same', async () => {
    const one = await start('deaf')
    await one.server.close()
    await isGone(one.pids()[0] as number)
  })

  it('is cancelled by an abort', async () => {
    await using one = await start('never')
    const controller = new AbortController()
    const ending = one.run({ signal: controller.signal, onEvent: () => controller.abort() })
    expect(await ending).toMatchObject({ isError: true })
  })
})

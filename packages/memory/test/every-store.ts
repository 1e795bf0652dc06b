/** `testStore()`: what holds for every store, between processes too. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { isClewError, respond, type Session } from '@clew/core'
import { sessionContract } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { batch, openSpec, payer, type Spec } from './child.ts'
import { playTrace } from './long-talk.ts'
import { traces } from './traces.ts'

type Child = { process: ChildProcess; lines: AsyncIterator<string>; errors: () => string; ended: Promise<unknown> }

export function start(mode: string, spec: Spec): Child {
  const child = spawn(process.execPath, [`${import.meta.dirname}/child.ts`, mode, JSON.stringify(spec)])
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return { process: child, lines: createInterface(child.stdout)[Symbol.asyncIterator](), errors: () => errors, ended }
}

async function rest(child: Child): Promise<unknown[]> {
  const all: unknown[] = []
  for (let next = await child.lines.next(); !next.done; next = await child.lines.next())
    all.push(JSON.parse(next.value))
  await child.ended
  return all
}

async function nextLine(child: Child): Promise<unknown> {
  const { value, done } = await child.lines.next()
  if (done) throw new Error(`The child ended: ${child.errors()}`)
  return JSON.parse(value)
}

/** Milliseconds: processes are started and megabytes written while other tests do the same. */
export const slow = 30_000

const staleMessage = expect.stringMatching(/is at position \d+, not \d+: another run appended meanwhile/)

async function appendAtEnd(session: Session, ends: number[]): Promise<number> {
  const { at } = await session.read()
  expect(ends).toContain(at)
  return await session.append(at, batch('after'))
}

/** `specOf` gives a session's address; it is asked when the test runs. */
export function testStore(specOf: (id: string) => Spec): void {
  const newSpec = () => specOf(`s-${randomUUID()}`)

  describe('the contract', { timeout: slow }, () => {
    for (const { name, run } of sessionContract((id) => openSpec(specOf(id)))) it(name, run)
  })

  it.skipIf(traces.length === 0)(
    'recorded conversations in a context of 2,000 tokens: every request fits, nothing is lost',
    { timeout: 2 * slow },
    async () => {
      const played = await Promise.all(
        traces.map(async (trace) => {
          const spec = newSpec()
          const { problems, compactions } = await playTrace(trace, () => openSpec(spec))
          return { problems: problems.map((problem) => `${trace.id}: ${problem}`), compactions }
        }),
      )
      expect(played.flatMap(({ problems }) => problems)).toEqual([])
      expect(played.reduce((sum, { compactions }) => sum + compactions, 0)).toBeGreaterThan(traces.length)
    },
  )

  describe('between processes', { timeout: slow }, () => {
    it.each([1, 2, 5, 12])(
      'killed after append %i: nothing acknowledged is lost, at most one batch more',
      async (count) => {
        const spec = newSpec()
        const child = start('append', spec)
        const acknowledged: unknown[] = []
        for (let line = 0; line < count; line++) acknowledged.push(await nextLine(child))
        child.process.kill('SIGKILL')
        // What it had still said before it died counts as well.
        acknowledged.push(...(await rest(child)))
        const session = openSpec(spec)
        const last = acknowledged.at(-1) as number
        // A server may finish the batch under way after its client has died: then the first try here is refused.
        const appended = await appendAtEnd(session, [last, last + 3]).catch(() => appendAtEnd(session, [last + 3]))
        const { events, at } = await session.read()
        expect(at).toBe(appended)
        expect(events.slice(0, -1).map((event) => event.path?.[0]?.split('-')[1])).toEqual(
          events.slice(0, -1).map((_, index) => String(index - (index % 3))),
        )
        await session.close()
      },
    )

    it('two processes append at once: no position twice, nothing lost, the loser gets a SessionError', async () => {
      const spec = newSpec()
      const both = [start('race', spec), start('race', spec)]
      const told = await Promise.all(both.map(rest))
      for (const child of both) expect(child.errors()).toBe('')
      const won = told.flat().filter((line) => 'id' in (line as object)) as { id: string; at: number }[]
      for (const line of told.flat()) if (!('id' in (line as object))) expect(line).toEqual({ lost: staleMessage })
      const session = openSpec(spec)
      const { events } = await session.read()
      await session.close()
      expect(events).toHaveLength(50)
      expect(won.toSorted((one, two) => one.at - two.at)).toEqual(
        events.map((event, index) => ({ id: event.path?.[0], at: index + 1 })),
      )
    })
  })

  testWorkers(specOf)
}

/** What holds wherever workers can meet on one session. */
export function testWorkers(specOf: (id: string) => Spec): void {
  const newSpec = () => specOf(`s-${randomUUID()}`)

  describe('between workers', { timeout: slow }, () => {
    it('a lease of a live process is refused with its name; killed, it is taken over at once', async () => {
      const spec = newSpec()
      const child = start('hold', spec)
      const pid = await nextLine(child)
      const session = openSpec(spec)
      const error = await session.acquire().catch((error) => error)
      expect(isClewError(error, 'session')).toBe(true)
      expect(error.message).toMatch(new RegExp(`process ${pid} on \\S+, since 20`))
      child.process.kill('SIGKILL')
      await child.ended
      const lease = await session.acquire()
      await expect(openSpec(spec).acquire()).rejects.toThrow(`process ${process.pid} on`)
      await lease.release()
      await session.close()
    })

    it('a lease that its process gives back is free', async () => {
      const spec = newSpec()
      const child = start('hold', spec)
      await nextLine(child)
      child.process.stdin?.end()
      await rest(child)
      const session = openSpec(spec)
      await (await session.acquire()).release()
      await session.close()
    })

    it.each(['approve', 'approve-unleased'])(
      'two processes answer the same needs at once (%s): one goes on, the other is told, each is paid once',
      async (mode) => {
        const spec = newSpec()
        const session = openSpec(spec)
        await payer(() => {}, true, true).run('Pay a and b.', { session })
        const both = [start(mode, spec), start(mode, spec)]
        for (const child of both) expect(await nextLine(child)).toBe(2)
        for (const child of both) child.process.stdin?.write('go\n')
        const told = (await Promise.all(both.map(rest))).flat() as { paid?: string; status?: string; lost?: string }[]
        expect(told.flatMap(({ paid }) => paid ?? []).toSorted()).toEqual(['a', 'b'])
        expect(told.flatMap(({ status }) => status ?? [])).toEqual(['done'])
        expect(told.flatMap(({ lost }) => lost ?? [])).toEqual([
          expect.stringMatching(
            /is being worked on by process|it is unknown or was answered before|another run appended meanwhile/,
          ),
        ])
        await session.close()
      },
    )

    it('a run whose process is killed goes on here, and nothing is paid twice', async () => {
      const spec = newSpec()
      const child = start('pay', spec)
      expect(await rest(child)).toEqual(['a', 'b'])
      expect(child.process.signalCode).toBe('SIGKILL')
      const session = openSpec(spec)
      const paid: string[] = []
      const agent = payer((to) => paid.push(to), false)
      const waiting = await agent.resume(session)
      expect(waiting).toMatchObject({ status: 'waiting', needs: [{ for: 'verdict', input: { to: 'b' } }] })
      const result = await agent.resume(session, { [waiting.needs![0]!.id]: respond('paid, says the bank') })
      expect(result).toMatchObject({ status: 'done', text: 'Both are paid.' })
      expect(paid).toEqual([])
      expect(JSON.stringify(result.state.messages[1])).toContain(
        '[{"type":"reasoning.text","text":"hm","signature":"s","odd":{"b":1,"a":"\\u0000"}}]',
      )
      await session.close()
    })
  })
}

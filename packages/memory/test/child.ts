/**
 * Another process on a session: `node child.ts MODE SPEC`. `append` appends until it is killed, `race` appends 25 batches
 * beside another one, `fill` until an append fails, `hold` holds the lease until its stdin ends, `pay` runs an agent that is killed in its second
 * tool, `approve` answers what a run waits for, when a line comes on stdin; `approve-unleased` without a lease.
 * A line on stdout tells each thing that is done, written before the next begins.
 */
import { writeSync } from 'node:fs'
import { Agent, approve, fold, isClewError, needsOf, type Session, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import {
  fileMemory,
  fileSession,
  type MemoryStore,
  postgresMemory,
  postgresSession,
  scope,
  sqliteMemory,
  sqliteSession,
} from '../src/index.ts'

export type Spec =
  | { store: 'file'; id: string; path: string }
  | { store: 'sqlite'; id: string; file: string }
  | { store: 'postgres'; id: string; connectionString: string }
  /** A session in a scope. */
  | { store: 'file memory'; id: string; path: string }
  | { store: 'sqlite memory'; id: string; file: string }
  | { store: 'postgres memory'; id: string; connectionString: string }

export function openSpec(spec: Spec): Required<Session> {
  if (spec.store === 'file') return fileSession(spec.path, { id: spec.id })
  if (spec.store === 'sqlite') return sqliteSession(spec.id, { file: spec.file })
  if (spec.store === 'postgres') return postgresSession(spec.id, { connectionString: spec.connectionString })
  if (spec.store === 'file memory') return scoped(fileMemory(spec.path), spec.id)
  if (spec.store === 'sqlite memory') return scoped(sqliteMemory({ file: spec.file }), spec.id)
  return scoped(postgresMemory({ connectionString: spec.connectionString }), spec.id)
}

/** Closed with its store. */
function scoped(store: MemoryStore, id: string): Required<Session> {
  const opening = store.open(scope({ tenant: 'acme', user: 'ada' })).then((memory) => memory.session(id))
  opening.catch(() => {})
  return {
    id,
    read: async () => (await opening).read(),
    append: async (at, batch) => (await opening).append(at, batch),
    acquire: async () => (await (opening as Promise<Required<Session>>)).acquire(),
    async close() {
      await (await opening).close()
      await store.close()
    },
  }
}

export const batch = (id: string, count = 1) => ({
  id,
  events: Array.from({ length: count }, (_, index) => ({
    type: 'turn-start' as const,
    turn: index,
    path: [id, 'x'.repeat(500)],
  })),
})

/** Two payments in one turn, one after the other; the process dies in the second. */
export const payer = (pay: (to: string) => void, isFirst = true, needsApproval = false) =>
  new Agent({
    name: 'payer',
    concurrency: 1,
    model: scriptedModel([
      ...(isFirst
        ? [
            {
              reasoningDetails: [{ type: 'reasoning.text', text: 'hm', signature: 's', odd: { b: 1, a: '\u0000' } }],
              calls: ['a', 'b'].map((to) => ({ name: 'pay', arguments: { to } })),
            },
          ]
        : []),
      'Both are paid.',
    ]),
    tools: [
      tool({
        name: 'pay',
        needsApproval,
        input: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
        execute: ({ to }) => {
          pay(String(to))
          return `paid ${to}`
        },
      }),
    ],
  })

const withoutLease = ({ acquire: _, ...session }: Session): Session => session

if (process.argv[1] === import.meta.filename) {
  const [mode = '', spec = ''] = process.argv.slice(2)
  const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)
  const session = openSpec(JSON.parse(spec) as Spec)
  if (mode === 'append') {
    let { at } = await session.read()
    for (;;) {
      at = await session.append(at, batch(`${process.pid}-${at}`, 3))
      say(at)
    }
  }
  if (mode === 'fill') {
    for (let at = 0; ; ) {
      const next = await session.append(at, batch(String(at), 3)).catch((error) => ({ error }))
      if (typeof next === 'number') at = next
      else {
        say({ at, name: next.error.name, message: next.error.message })
        break
      }
    }
    await session.close()
  }
  if (mode === 'race') {
    let { at } = await session.read()
    for (let done = 0; done < 25; ) {
      const id = `${process.pid}-${done}`
      try {
        at = await session.append(at, batch(id))
        say({ id, at })
        done += 1
      } catch (error) {
        if (!isClewError(error, 'session')) throw error
        say({ lost: error.message })
        at = (await session.read()).at
      }
    }
    await session.close()
  }
  if (mode === 'hold') {
    await session.acquire()
    say(process.pid)
    for await (const _ of process.stdin);
    await session.close()
  }
  if (mode.startsWith('approve')) {
    const needs = needsOf(fold((await session.read()).events))
    say(needs.length)
    await new Promise((resolve) => process.stdin.once('data', resolve))
    const agent = payer((to) => say({ paid: to }), false, true)
    const answers = Object.fromEntries(needs.map(({ id }) => [id, approve()]))
    const held = mode === 'approve' ? session : withoutLease(session)
    const ended = await agent
      .resume(held, answers)
      .result()
      .catch((error) => error)
    say(isClewError(ended) ? { lost: ended.message } : { status: ended.status ?? String(ended) })
    await session.close()
    process.exit()
  }
  if (mode === 'pay') {
    await payer((to) => {
      say(to)
      if (to === 'b') process.kill(process.pid, 'SIGKILL')
    }).run('Pay a and b.', { session })
  }
}

/** The worst that comes in: sizes, texts and patches that nobody sends by accident. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { AssistantMessage, Batch, Json, LoggedEvent, Message, ToolMessage } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readCases } from '../../../test/shared.ts'
import {
  applyPatch,
  compact,
  estimateTokens,
  fileMemory,
  inMemory,
  type MemoryStore,
  patchBlock,
  readArtifactTool,
  scope,
  sqliteMemory,
} from '../src/index.ts'
import { call } from './call.ts'
import { applied, firstFlaw, frozen } from './check-compaction.ts'
import { temporary } from './temporary.ts'

const folder = temporary()
const acme = scope({ tenant: 'acme' })
const never = new AbortController().signal
const naughty = [...new Set(readCases<{ s: string }>('naughty-strings').map(({ s }) => s))]
const broken = ['half \ud83d', '\udc00 half', 'nul \0', '\u001a0000', '__proto__', 'constructor', '\u2028']
const texts = [...broken, ...naughty]

const user = (content: string): Message => ({ role: 'user', content })
function turn(id: string, name: string, args: string, result: string): [AssistantMessage, ToolMessage] {
  return [
    {
      role: 'assistant',
      content: result,
      source: { model: 'm', generationId: id },
      toolCalls: [{ id, wireId: id, name, arguments: args }],
    },
    { role: 'tool', callId: id, name, content: result },
  ]
}
const sizeOf = (messages: Message[]) => estimateTokens({ messages, tools: [] })

describe('compaction of', () => {
  it('one message that is larger than the window leaves it, and makes room as far as there is any', async () => {
    const huge = user('x'.repeat(1_000_000))
    for (const messages of [
      [huge],
      [user('Hm.'), huge],
      [huge, ...turn('c', 'read', '{}', 'ok'), user('And?'), user('And?'), user('Now.')],
    ]) {
      const made = await compact({ messages, tools: [] }, { window: 1000 }, never)
      const after = made ? applied(messages, made) : messages
      expect(after.at(-1)).toEqual(messages.at(-1))
      if (messages.at(-1) !== huge) expect(sizeOf(after)).toBeLessThan(750)
    }
  })

  it('a result of 50 MB keeps all of it in an artifact, which is read in parts', { timeout: 30_000 }, async () => {
    const memory = await sqliteMemory({ file: join(folder, 'artifact.db') }).open(acme)
    const text = 'a ball of 🧶 '.repeat(4_000_000)
    const messages = [user('Read.'), ...turn('c', 'read', '{}', text).slice(0), user('1'), user('2'), user('3')]
    ;(messages[1] as AssistantMessage).content = ''
    const artifacts = { put: (text: string) => memory.putArtifact(text) }
    const after = applied(messages, await compact({ messages, tools: [] }, { window: 10_000, artifacts }, never))
    expect(sizeOf(after)).toBeLessThan(5_000)
    const id = /[0-9a-f]{40}/.exec(JSON.stringify(after))?.[0] as string
    expect((await memory.readArtifact(id))?.length).toBe(text.length)
    const read = readArtifactTool((id, range) => memory.readArtifact(id, range))
    expect((await call([read], 'read_artifact', { id, from: 40_000_000 })).length).toBeLessThan(100_000)
  })

  it('100,000 turns takes seconds', { timeout: 30_000 }, async () => {
    const messages = [
      user('Go.'),
      ...Array.from({ length: 100_000 }, (_, at) => turn(`c${at}`, 'read', `{"at":${at}}`, `line ${at}`)).flat(),
      user('1'),
      user('2'),
      user('3'),
    ]
    const made = await compact({ messages, tools: [] }, { window: 20_000 }, never)
    expect(made?.upTo).toBeGreaterThan(190_000)
    expect(sizeOf([...(made?.replacement ?? []), ...messages.slice(made?.upTo)])).toBeLessThan(10_000)
  })

  it('strange texts in every field stays whole', async () => {
    for (const text of texts) {
      const long = text.repeat(Math.ceil(4_000 / Math.max(1, text.length)))
      const messages = [
        user(long),
        ...turn('c', text, JSON.stringify({ [text]: long }), long),
        ...turn('d', text, JSON.stringify([long]), long),
        user('1'),
        user('2'),
        user('3'),
      ]
      const put = async (given: string) => {
        expect(given).toBe(long)
        return text
      }
      for (const low of [0.01, 0.3]) {
        const window = sizeOf(messages)
        const options = { window, low, artifacts: { put } }
        const made = await compact({ messages: frozen(messages), tools: [] }, options, never)
        expect(made, JSON.stringify(text)).toBeDefined()
        const flaw = firstFlaw({ messages, tools: [] }, options, made)
        // Half a character that was there already stays.
        if (text.isWellFormed() || flaw !== 'half a character') expect(flaw, JSON.stringify(text)).toBeUndefined()
      }
    }
  })
})

describe('a patch', () => {
  const value = (): Json => ({ list: [1, 2], inner: { a: 1 } })

  it('with any text as its path, its source or its key changes what it names, or nothing', () => {
    for (const text of texts) {
      const pointer = `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`
      for (const patch of [
        [{ op: 'add', path: text, value: 1 }],
        [{ op: 'add', path: `/list/${text}`, value: 1 }],
        [{ op: 'move', from: text, path: '/x' }],
        [{ op: text, path: '/x', value: 1 }],
        [{ op: 'remove', path: `/inner${pointer}` }],
        text,
      ] as unknown[]) {
        const given = value()
        const patched = applyPatch(given, patch)
        expect(given).toEqual(value())
        if (patched.ok) expect(JSON.parse(JSON.stringify(patched.value))).toEqual(patched.value)
        else expect(patched.problem).toMatch(/\S/)
      }
      const added = applyPatch(value(), [{ op: 'add', path: `/inner${pointer}`, value: 'there' }])
      if (added.ok)
        expect(Object.getOwnPropertyDescriptor((added.value as { inner: object }).inner, text)?.value).toBe('there')
    }
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { there?: unknown }).there).toBeUndefined()
  })

  it('out of the bounds of a list is refused', () => {
    for (const at of [
      '-1',
      '3',
      '01',
      '1e0',
      '4294967295',
      '9007199254740993',
      ' 1',
      '1.0',
      '-0',
      'length',
      '__proto__',
      '- ',
    ])
      for (const op of ['add', 'replace', 'remove'])
        expect(applyPatch(value(), [{ op, path: `/list/${at}`, value: 1 }]), `${op} ${at}`).toMatchObject({ ok: false })
  })

  it.each<[string, () => MemoryStore]>([
    ['inMemory', () => inMemory()],
    ['fileMemory', () => fileMemory(join(folder, `${randomUUID()}.jsonl`))],
    ['sqliteMemory', () => sqliteMemory({ file: join(folder, `${randomUUID()}.db`) })],
  ])(
    'of each of ten agents at once on one block of %s: one wins a round, and at the end all are in',
    async (_, make) => {
      const store = make()
      const block = { schema: z.object({ names: z.array(z.string()).default([]) }), description: 'Names.' }
      await (await store.open(acme)).writeBlock('names', { names: [] }, 0)
      let turnedAway = 0
      const agents = Array.from({ length: 10 }, async (_, index) => {
        const memory = await store.open(acme)
        for (let revision = 1; ; ) {
          const patch = [{ op: 'add', path: '/names/-', value: `agent ${index}` }]
          const outcome = await patchBlock(memory, 'names', block, revision, patch)
          if (!('refused' in outcome)) return outcome.revision
          turnedAway += 1
          if (!('revision' in outcome)) throw new Error(outcome.refused)
          revision = outcome.revision
        }
      })
      const revisions = await Promise.all(agents)
      expect(revisions.toSorted((one, two) => one - two)).toEqual(Array.from({ length: 10 }, (_, at) => at + 2))
      expect(turnedAway).toBeGreaterThan(0)
      const { value } = (await (await store.open(acme)).readBlock('names'))!
      expect(new Set((value as { names: string[] }).names).size).toBe(10)
      await store.close()
    },
  )
})

describe.each<[string, () => MemoryStore]>([
  ['inMemory', () => inMemory()],
  ['fileMemory', () => fileMemory(join(folder, `${randomUUID()}.jsonl`))],
  ['sqliteMemory', () => sqliteMemory({ file: join(folder, `${randomUUID()}.db`) })],
])('a session of %s', (_, make) => {
  const event = (text: string): LoggedEvent =>
    JSON.parse(
      JSON.stringify({ type: 'run-start', v: 1, id: text, agent: text, input: [user(text)], [text]: { [text]: text } }),
    )

  it('has any text as its id, as the id of a batch and in every field of an event', { timeout: 30_000 }, async () => {
    const store = make()
    const memory = await store.open(acme)
    const names = texts.filter((text) => text.length > 0 && text.length <= 256)
    for (const text of names) {
      const batch: Batch = { id: text, events: [event(text)] }
      expect(await memory.session(text).append(0, batch)).toBe(1)
      expect(await memory.session(text).append(0, batch)).toBe(1)
    }
    for (const text of names)
      expect(JSON.stringify((await memory.session(text).read()).events)).toBe(JSON.stringify([event(text)]))
    expect(await memory.sessions()).toEqual(names.toSorted())
    await store.close()
  })

  it('keeps a result of 50 MB', { timeout: 30_000 }, async () => {
    const store = make()
    const text = 'a ball of 🧶 '.repeat(4_000_000)
    const session = (await store.open(acme)).session('chat')
    expect(
      await session.append(0, { id: 'b', events: [event('before'), { ...event('x'), id: text } as LoggedEvent] }),
    ).toBe(2)
    expect(await session.append(2, { id: 'c', events: [event('after')] })).toBe(3)
    const { events } = await session.read()
    expect((events[1] as { id?: string }).id === text).toBe(true)
    expect(events[2]).toEqual(event('after'))
    await store.close()
  })
})

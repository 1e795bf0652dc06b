/** A conversation with branches: each head is a session of its own, and reads what it was forked from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, checkHistory, fold, isClewError, memorySession, type Session, type Tool, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { fileSession, sessionTree, sqliteSession } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'tree-'))
afterAll(() => rmSync(folder, { recursive: true }))

const look = tool({ name: 'look', effect: 'pure', execute: () => 'ok' }) as Tool
const agentOf = (...replies: ScriptedReply[]) => new Agent({ name: 'a', model: scriptedModel(replies), tools: [look] })
const said = async (session: Session) => fold((await session.read()).events).messages.map(({ content }) => content)

function inMemory() {
  const sessions = new Map<string, Session>()
  return (id: string) => {
    const session = sessions.get(id) ?? memorySession(id)
    sessions.set(id, session)
    return session
  }
}

let trees = 0
const stores: [string, () => (id: string) => Session][] = [
  ['memory', inMemory],
  ['file', () => (id) => fileSession(join(folder, `${id}.jsonl`))],
  ['SQLite', () => (id) => sqliteSession(id, { file: join(folder, 'sessions.db') })],
]

describe.each(stores)('a tree of sessions in %s', (_, store) => {
  const grow = () => {
    const root = `chat-${trees++}`
    const open = store()
    return { root, open, tree: sessionTree(root, open) }
  }

  it('goes on from any point, and no branch sees what came later elsewhere', async () => {
    const { root, open, tree } = grow()
    const trunk = tree.checkout()
    await agentOf('one').run('1', { session: trunk })
    const { at } = await trunk.read()
    await agentOf('two').run('2', { session: trunk })
    const branch = await tree.fork(root, at)
    await agentOf('deux').run('2, in French', { session: branch })
    await agentOf('three').run('3', { session: trunk })
    expect(await said(trunk)).toEqual(['1', 'one', '2', 'two', '3', 'three'])
    expect(await said(branch)).toEqual(['1', 'one', '2, in French', 'deux'])
    // Another process knows as much.
    const other = sessionTree(root, open)
    expect(await said(other.checkout(branch.id))).toEqual(await said(branch))
    expect(await other.heads()).toEqual([{ id: root }, { id: branch.id, parent: root, at }])
    const { common, one, other: beyond } = await other.diff(root, branch.id)
    expect([common, one.map(({ type }) => type), beyond.length]).toEqual([at, [...fourEvents, ...fourEvents], 4])
    for (const each of [trunk, branch, tree, other]) await each.close()
  })

  it('forks forks, in one append each, and closes what stood open', async () => {
    const { root, tree } = grow()
    const trunk = tree.checkout()
    await agentOf({ calls: [{ name: 'look' }] }, 'Seen.').run('Look.', { session: trunk })
    const { events } = await trunk.read()
    const inCall = events.findIndex(({ type }) => type === 'tool-start') + 1
    const first = await tree.fork(root, inCall, 'first')
    await agentOf('Never mind.').run('Stop.', { session: first })
    const second = await tree.fork('first', (await first.read()).at, 'second')
    await agentOf('And on.').run('Go on.', { session: second })
    const third = await tree.fork('second', 3)
    expect((await third.read()).events).toEqual(events.slice(0, 3))
    const { messages } = fold((await second.read()).events)
    expect(checkHistory(messages)).toBeUndefined()
    expect(messages.map(({ role }) => role).join(' ')).toBe('user assistant tool user assistant user assistant')
    expect((await tree.diff('first', 'second')).one).toEqual([])
    expect((await tree.diff('second', third.id)).common).toBe(3)
    expect((await tree.diff('second', 'second')).other).toEqual([])
    for (const each of [trunk, first, second, third, tree]) await each.close()
  })

  it('keeps one writer a head: a stale append is refused, the same batch again is not', async () => {
    const { root, tree } = grow()
    const trunk = tree.checkout()
    await agentOf('one').run('1', { session: trunk })
    const branch = await tree.fork(root, 2)
    const again = tree.checkout(branch.id)
    const batch = (id: string) => ({ id, events: [{ type: 'turn-start' as const, turn: 9 }] })
    expect(await branch.append(2, batch('x'))).toBe(3)
    expect(await again.append(2, batch('x'))).toBe(3)
    const error = await again.append(2, batch('y')).catch((thrown) => thrown)
    expect(isClewError(error, 'session')).toBe(true)
    expect(await trunk.append(4, batch('z'))).toBe(5)
    const lease = await branch.acquire!()
    await expect(again.acquire!()).rejects.toThrow(/in use|worked on/)
    await (await trunk.acquire!()).release()
    await lease.release()
    for (const each of [trunk, branch, again, tree]) await each.close()
  })

  it('many forks at once all come to be', async () => {
    const { root, open, tree } = grow()
    const trunk = tree.checkout()
    await agentOf('one').run('1', { session: trunk })
    const others = [tree, sessionTree(root, open), sessionTree(root, open)]
    const made = await Promise.all(Array.from({ length: 9 }, (_, at) => others[at % 3]!.fork(root, 2, `b${at}`)))
    expect((await tree.heads()).map(({ id }) => id).toSorted()).toEqual([...made.map(({ id }) => id), root].toSorted())
    for (const each of [trunk, ...made, ...others]) await each.close()
  })

  it.each([0, -1, 1.5, Number.NaN, '2'])('refuses to fork at %s', async (at) => {
    const { root, tree } = grow()
    await expect(tree.fork(root, at as number)).rejects.toThrow(/give the number of events to go on from/)
    await tree.close()
  })

  it('says which heads there are, and what is missing', async () => {
    const { root, tree } = grow()
    await expect(tree.fork('nobody', 1)).rejects.toThrow(`has no head "nobody". Known: ${root}.`)
    await expect(tree.checkout('nobody').read()).rejects.toThrow(/has no head "nobody"/)
    await tree.fork(root, 7, 'early')
    await expect(tree.fork(root, 7, 'early')).rejects.toThrow(/has a branch "early" already/)
    await expect(tree.fork(root, 7, root)).rejects.toThrow(/already/)
    await expect(tree.checkout('early').read()).rejects.toThrow(/forked behind event 7 of "chat-\d+", which has 0/)
    await tree.close()
  })
})

const fourEvents = ['run-start', 'turn-start', 'model-end', 'run-end']

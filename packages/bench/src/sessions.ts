/**
 * What a long session costs: `node packages/memory/bench/sessions.ts [turns]`. One more turn at the end of a long session
 * against one at its beginning, and loading all of it against `JSON.parse` of the same bytes; ratios, in one run.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Agent, type LoggedEvent, memorySession, type Session, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { fileSession, sqliteSession } from '../src/index.ts'

const turns = Number(process.argv[2] ?? 10_000)
const pairs = 30
const folder = mkdtempSync(join(tmpdir(), 'clew-bench-'))
type Written = { id: string; at: number; events: LoggedEvent[] }
const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number

/** The events of one turn, as the loop logs them. */
const batchesOf = (turn: number): LoggedEvent[][] => {
  const id = `call-${turn}`
  const toolCalls = [{ id, wireId: id, name: 'look', arguments: `{"at":${turn}}` }]
  const usage = {
    requests: 1,
    inputTokens: 900,
    outputTokens: 40,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  }
  const reasoningDetails = [
    { type: 'reasoning.text', text: `Turn ${turn}: I should look.`, signature: 'abc'.repeat(20) },
  ]
  const message = {
    role: 'assistant' as const,
    content: '',
    reasoningDetails,
    toolCalls,
    source: { model: 'qwen/qwen3.5-9b' },
  }
  return [
    [{ type: 'turn-start', turn }],
    [{ type: 'model-end', turn, message, finishReason: 'tool-calls', usage }],
    [{ type: 'tool-start', id, name: 'look', input: { at: turn } }],
    [{ type: 'tool-end', id, name: 'look', content: `Result ${turn}: ${'x'.repeat(200)}` }],
  ]
}

async function appendTurn(session: Session, at: number, turn: number): Promise<number> {
  for (const [index, events] of batchesOf(turn).entries())
    at = await session.append(at, { id: `${turn}-${index}`, events })
  return at
}

/** `write` puts all batches there at once, each as it would stand after an append of its own. */
async function fill(
  session: Session,
  count: number,
  write: (id: string, batches: Written[]) => Promise<void>,
): Promise<number> {
  const input = [{ role: 'user' as const, content: 'Look at all of it.' }]
  const first: LoggedEvent = { type: 'run-start', v: 2, id: 'run', agent: 'a', input }
  const batches: Written[] = [{ id: 'start', at: 0, events: [first] }]
  for (let turn = 1; turn <= count; turn++) {
    for (const [index, events] of batchesOf(turn).entries())
      batches.push({ id: `${turn}-${index}`, at: batches.length, events })
  }
  await write(session.id, batches)
  return (await session.read()).at
}

async function bytesIn(path: string): Promise<number> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return (await stat(path)).size
  return 0
}

async function measure(
  store: string,
  open: (id: string) => Session,
  write: (id: string, batches: Written[]) => Promise<void>,
  fileOf: (id: string) => string = () => '',
): Promise<void> {
  const [short, long] = [open(`${store}-short`), open(`${store}-long`)]
  let [atShort, atLong] = [await fill(short, 9, write), await fill(long, turns, write)]
  // Once each, so that both are open.
  atShort = await appendTurn(short, atShort, 10)
  atLong = await appendTurn(long, atLong, turns + 1)
  const times: number[] = []
  const bytes: number[] = []
  for (let pair = 1; pair <= pairs; pair++) {
    const sizes = [await bytesIn(fileOf(`${store}-short`)), await bytesIn(fileOf(`${store}-long`))]
    const before = performance.now()
    atShort = await appendTurn(short, atShort, turns + 1 + pair)
    const between = performance.now()
    atLong = await appendTurn(long, atLong, turns + 1 + pair)
    times.push((performance.now() - between) / (between - before))
    const written = [await bytesIn(fileOf(`${store}-short`)), await bytesIn(fileOf(`${store}-long`))]
    bytes.push(((written[1] as number) - (sizes[1] as number)) / ((written[0] as number) - (sizes[0] as number) || 1))
  }
  const ratio = store === 'file' ? `, bytes × ${median(bytes).toFixed(2)}` : ''
  console.log(
    `${store}: turn ${turns.toLocaleString('en')} against turn 10: time × ${median(times).toFixed(2)}${ratio}`,
  )

  await long.append(atLong, { id: 'end', events: [{ type: 'run-end', status: 'done' }] })
  const { events } = await long.read()
  // The bytes that are stored: in a file, batches with their ids.
  const kept = fileOf(long.id)
  const text = kept === '' ? JSON.stringify(events) : `[${(await readFile(kept, 'utf8')).trim().replaceAll('\n', ',')}]`
  const look = tool({ name: 'look', execute: () => 1 })
  const agent = new Agent({ name: 'a', model: scriptedModel([]), tools: [look] })
  const loads: number[] = []
  for (let pair = 0; pair < 15; pair++) {
    const before = performance.now()
    JSON.parse(text)
    const between = performance.now()
    // A run that is over: it is read, checked and folded, and its result given.
    await agent.resume(long)
    loads.push((performance.now() - between) / (between - before))
  }
  console.log(
    `${store}: loading ${turns.toLocaleString('en')} turns (${(text.length / 1e6).toFixed(1)} MB) against JSON.parse: × ${median(loads).toFixed(2)}`,
  )
  await short.close()
  await long.close()
}

try {
  const sessions = new Map<string, Session>()
  const inMemory = (id: string) => {
    const session = sessions.get(id) ?? memorySession(id)
    sessions.set(id, session)
    return session
  }
  const pathOf = (id: string) => join(folder, `${id}.jsonl`)
  await measure('memory', inMemory, async (id, batches) => {
    const session = inMemory(id)
    for (const { at, ...batch } of batches) await session.append(at, batch)
  })
  await measure(
    'file',
    (id) => fileSession(pathOf(id)),
    async (id, batches) => {
      await writeFile(
        pathOf(id),
        ['{"clew":"session","v":1}', ...batches.map((batch) => JSON.stringify(batch)), ''].join('\n'),
      )
    },
    pathOf,
  )
  const file = join(folder, 'sessions.db')
  await measure(
    'SQLite',
    (id) => sqliteSession(id, { file }),
    async (id, batches) => {
      await sqliteSession(id, { file }).read()
      const db = new DatabaseSync(file)
      db.exec('BEGIN')
      const insert = db.prepare('INSERT INTO batches VALUES (?, ?, ?, ?, ?)')
      for (const { id: batch, at, events } of batches)
        insert.run(id, at, at + events.length, batch, JSON.stringify(events))
      db.exec('COMMIT')
      db.close()
    },
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

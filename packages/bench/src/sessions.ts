/** `sessions()`: what a long session costs, in every store: one more turn beside one at its beginning, and loading it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import type { Figure, Size } from './figure.ts'
import { collectYoung } from './garbage.ts'
import { medianRatio, pairs } from './pairs.ts'
import { type Store, stores } from './stores.ts'
import { appendTurn, talk } from './talk.ts'

type Amounts = { turns: number; appends: number; loads: number }

const amounts: { [Name in Size]: Amounts } = {
  full: { turns: 10_000, appends: 30, loads: 30 },
  quick: { turns: 2000, appends: 30, loads: 20 },
  tiny: { turns: 20, appends: 3, loads: 3 },
}

export async function* sessions(size: Size): AsyncGenerator<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-bench-'))
  try {
    for (const open of stores) {
      const store = await open(folder)
      try {
        yield* appends(store, amounts[size])
        yield* load(store, amounts[size])
      } finally {
        await store.close()
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function* appends(store: Store, { turns, appends: count }: Amounts): AsyncGenerator<Figure> {
  const long = await grow(store, 'long', turns)
  const short = await grow(store, 'short', 9)
  const name = `${store.name}: turn ${turns.toLocaleString('en')} against turn 10`
  const time = await pairs({ count, one: long.append, other: short.append })
  yield { name: `${name}, time`, ratio: medianRatio(time), goal: 1.3 }
  if (store.written) {
    const bytes = await pairs({ count, one: long.append, other: short.append, meter: store.written })
    yield { name: `${name}, bytes`, ratio: medianRatio(bytes), goal: 1.2 }
  }
  await Promise.all([long.close(), short.close()])
}

/** A session with `turns` turns, opened by one more. */
async function grow(store: Store, id: string, turns: number) {
  await store.fill(id, talk(turns))
  const session = store.session(id)
  let turn = turns
  let { at } = await session.read()
  const append = async () => {
    turn += 1
    at = await appendTurn(session, at, turn)
  }
  await append()
  return { append, close: () => session.close() }
}

/** A run that is over, so that resuming it reads, checks and folds its log, and does nothing else. */
async function* load(store: Store, { turns, loads }: Amounts): AsyncGenerator<Figure> {
  const batches = talk(turns)
  batches.push({ id: 'end', at: batches.length, events: [{ type: 'run-end', status: 'done' }] })
  await store.fill('over', batches)
  const text = JSON.stringify(store.kept(batches))
  const session = store.session('over')
  // Without the lease, which costs the same however long the log is.
  const { acquire: _, ...log } = session
  const look = tool({ name: 'look', execute: () => 1 })
  const agent = new Agent({ name: 'a', model: scriptedModel([]), tools: [look] })
  const time = await pairs({
    count: loads,
    one: async () => void (await agent.resume(log)),
    other: () => JSON.parse(text),
    settle: collectYoung,
  })
  const megabytes = (text.length / 1e6).toFixed(1)
  yield {
    name: `${store.name}: loading ${turns.toLocaleString('en')} turns (${megabytes} MB) against JSON.parse`,
    ratio: medianRatio(time),
    // A server's log comes over a connection.
    ...(!store.isServer && { goal: 2 }),
  }
  await session.close()
}

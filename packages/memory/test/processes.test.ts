/** One memory, two processes. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPlace, type Place, patches, shared } from './block-child.ts'
import { slow } from './every-store.ts'
import { hasPostgres, type LocalPostgres, startPostgres } from './postgres.ts'
import { temporary } from './temporary.ts'

const folder = temporary()

function start(place: Place, name: string) {
  const child = spawn(process.execPath, [`${import.meta.dirname}/block-child.ts`, JSON.stringify(place), name])
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async next(): Promise<unknown> {
      const { value, done } = await lines.next()
      if (done) throw new Error(`The child ended: ${errors}`)
      return JSON.parse(value)
    },
    go: () => child.stdin.write('go\n'),
  }
}

async function checkTogether(place: Place): Promise<void> {
  const both = [start(place, 'one'), start(place, 'two')]
  for (const child of both) expect(await child.next()).toBe('ready')
  for (const child of both) child.go()
  const ended = await Promise.all(both.map((child) => child.next()))
  expect(ended).toEqual(['one', 'two'].map((name) => ({ name, stale: expect.any(Number) })))

  const store = openPlace(place)
  const memory = await store.open(shared)
  const block = await memory.readBlock('list')
  expect(block?.revision).toBe(2 * patches)
  const list = block?.value as string[]
  // Each one's stand in the order in which it wrote them, and nothing beside them.
  for (const name of ['one', 'two'])
    expect(list.filter((line) => line.startsWith(name))).toEqual(
      Array.from({ length: patches }, (_, number) => `${name} ${number}`),
    )
  expect(list).toHaveLength(2 * patches)
  const history = await memory.blockHistory('list')
  expect(history.map(({ value }) => value)).toEqual(list.slice(0, -1).map((_, at) => list.slice(0, at + 1)))
  await store.close()
}

const title = 'both patch one block 20 times, again when the other was faster: 40 revisions, and nothing is lost'

describe('sqliteMemory between processes', { timeout: slow }, () => {
  it(title, () => checkTogether({ file: join(folder, 'memory.db') }))
})

describe.skipIf(!hasPostgres)('postgresMemory between processes', { timeout: slow }, () => {
  let server: LocalPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, slow)
  afterAll(() => server?.stop())

  it(title, () => checkTogether({ connectionString: server.connectionString }))
})

/**
 * Another process on a memory: `node block-child.ts PLACE NAME`. When a line comes on stdin, it adds its name to the list in
 * a block, 20 times, each time on what is there by then; a line on stdout tells that it began, and one how it ended.
 */
import { writeSync } from 'node:fs'
import { type Memory, type MemoryStore, postgresMemory, StaleBlockError, scope, sqliteMemory } from '../src/index.ts'

export type Place = { file: string } | { connectionString: string }

export const openPlace = (place: Place): MemoryStore =>
  'file' in place ? sqliteMemory(place) : postgresMemory({ connectionString: place.connectionString })

export const shared = scope({ tenant: 'acme', user: 'ada' })
export const patches = 20

/** Gives how often another one was faster. */
async function patch(memory: Memory, line: string): Promise<number> {
  for (let stale = 0; ; stale += 1) {
    const block = await memory.readBlock('list')
    try {
      await memory.writeBlock('list', [...((block?.value ?? []) as string[]), line], block?.revision ?? 0)
      return stale
    } catch (error) {
      if (!(error instanceof StaleBlockError)) throw error
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [place = '', name = ''] = process.argv.slice(2)
  const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)
  const store = openPlace(JSON.parse(place) as Place)
  const memory = await store.open(shared)
  say('ready')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  let stale = 0
  for (let number = 0; number < patches; number += 1) stale += await patch(memory, `${name} ${number}`)
  say({ name, stale })
  await store.close()
  process.exit()
}

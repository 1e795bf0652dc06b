import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, openrouter, record, replay } from 'clew'

const folder = await mkdtemp(join(tmpdir(), 'recordings-')) // in a project: 'test/recordings', kept in git
const guide = (fetch: typeof globalThis.fetch) => new Agent({ name: 'guide', model: openrouter(undefined, { fetch }) })

const recorder = record(folder)
const live = await guide(recorder).run('Which thread led out of the labyrinth?')
await recorder.done()
console.log(await readdir(folder))

const replayer = replay(folder)
const again = await guide(replayer).run('Which thread led out of the labyrinth?') // no network
console.log(again.text, again.text === live.text, replayer.unused())

try {
  await guide(replay(folder)).run('Which thread leads into the labyrinth?')
} catch (error) {
  console.log((error as Error).message.replaceAll(folder, 'FOLDER'))
}

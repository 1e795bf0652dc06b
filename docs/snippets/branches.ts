import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sessionTree, sqliteSession } from '@clew/memory'
import { Agent, openrouter } from 'clew'

const folder = mkdtempSync(join(tmpdir(), 'chats-'))
const tree = sessionTree('chat-1', (id) => sqliteSession(id, { file: join(folder, 'sessions.db') }))
const agent = new Agent({ name: 'poet', model: openrouter() })

const trunk = tree.checkout()
await agent.run('A line about rain.', { session: trunk })
const { at } = await trunk.read()
await agent.run('Sadder.', { session: trunk })

const branch = await tree.fork('chat-1', at, 'merrier') // behind the first answer
await agent.run('Merrier.', { session: branch })

const { common, one, other } = await tree.diff('chat-1', 'merrier')
console.log(`${common} events in common, then ${one.length} and ${other.length}`)
console.log((await tree.heads()).map(({ id, parent }) => (parent ? `${id} (from ${parent})` : id)).join(', '))
for (const each of [trunk, branch, tree]) await each.close()
rmSync(folder, { recursive: true })

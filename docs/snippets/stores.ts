import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSession, sqliteSession } from '@clew/memory'
import { Agent, openrouter } from 'clew'

const folder = mkdtempSync(join(tmpdir(), 'chats-'))
const agent = new Agent({ name: 'friend', model: openrouter(), instructions: 'Be brief.' })

const session = sqliteSession('chat-1', { file: join(folder, 'sessions.db') })
await agent.run('My name is Ada.', { session })
await session.close()

// Another process, next week: the same id, the same file.
const again = sqliteSession('chat-1', { file: join(folder, 'sessions.db') })
console.log((await agent.run('What is my name?', { session: again })).text)
await again.close()

const file = fileSession(join(folder, 'chat-2.jsonl'))
await agent.run('Hello', { session: file })
await file.close()
const [header, ...batches] = readFileSync(join(folder, 'chat-2.jsonl'), 'utf8').trim().split('\n')
console.log(header, `and ${batches.length} batches`)
rmSync(folder, { recursive: true })

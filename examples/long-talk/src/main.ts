/** Somebody plans a journey of 120 days with a model that can hold half a day of it, and asks at the end what they said first. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { estimateTokens, scope, sqliteMemory, sqliteSession } from '@clew/memory'
import { startOpenRouter } from '@clew/testing'
import { openrouter } from 'clew'
import { contextTokens, makeGuide } from './guide.ts'
import { practice, seen } from './practice.ts'

const days = 120
const folder = mkdtempSync(join(tmpdir(), 'long-talk-'))
const server = process.env.OPENROUTER_API_KEY ? undefined : await startOpenRouter({ respond: practice })
const model = openrouter('qwen/qwen3.5-9b', server ? { baseURL: server.url, apiKey: 'practice' } : {})
const store = sqliteMemory({ file: join(folder, 'memory.db') })
const session = sqliteSession('journey', { file: join(folder, 'sessions.db') })
try {
  const guide = makeGuide(model, await store.open(scope({ tenant: 'demo', user: 'traveller' })))
  let compactions = 0
  guide.on('compacted', () => compactions++)
  const say = async (words: string) => (await guide.run(words, { session })).text

  console.log('> My travelling dog is called Argos.')
  await say('My travelling dog is called Argos. We leave tomorrow.')
  let shown = 0
  for (let day = 1; day <= days; day++) {
    await say(`What trains are there? Show me the trains on day ${day}.`)
    if (day % 20 !== 0) continue
    console.log(`  day ${String(day).padStart(3)}: history made shorter ${compactions - shown} times`)
    shown = compactions
  }
  const question = 'Who travels with me?'
  const answer = await say(question)
  console.log(`> ${question}\n${answer}`)

  const { events } = await session.read()
  const said = events.flatMap((event) => {
    if (event.type === 'run-start') return event.input
    if (event.type === 'model-end') return [event.message]
    return event.type === 'tool-end'
      ? [{ role: 'tool' as const, callId: event.id, name: event.name, content: event.content }]
      : []
  })
  const total = estimateTokens({ messages: said, tools: [] })
  console.log(
    `${total.toLocaleString('en')} tokens were said, ${Math.floor(total / contextTokens)} times the context of ${contextTokens.toLocaleString('en')}; all of them are in the session.`,
  )
  if (server) console.log(`Refused as too long: ${seen.refused}. The longest request had ${seen.longest} tokens.`)
  process.exitCode = answer.includes('Argos') ? 0 : 1
} finally {
  await session.close()
  await store.close()
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
}

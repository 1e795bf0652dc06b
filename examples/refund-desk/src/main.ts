/**
 * `ask "Refund order 17, 80 euros." --session NAME` asks the desk; `decide yes|no --session NAME` answers what it waits for,
 * in this process or any other. Sessions are in SQLite, or in PostgreSQL where DATABASE_URL names one.
 */
import { parseArgs } from 'node:util'
import { postgresSession, sqliteSession } from '@clew/memory'
import { startOpenRouter } from '@clew/testing'
import { type Answer, approve, deny, type Need, openrouter, type RunResult, respond, retry, type Session } from 'clew'
import { Bank } from './bank.ts'
import { makeDesk } from './desk.ts'
import { practice } from './practice.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    session: { type: 'string', default: 'desk' },
    folder: { type: 'string', default: '.' },
    /** Ends this process with SIGKILL between the booking and its outcome. */
    crash: { type: 'boolean', default: false },
  },
})
const [command, words = ''] = positionals
const bank = new Bank(`${values.folder}/bank.jsonl`)
const crash = () => process.kill(process.pid, 'SIGKILL')

const server = process.env.OPENROUTER_API_KEY ? undefined : await startOpenRouter({ respond: practice })
const model = openrouter('qwen/qwen3.5-9b', server ? { baseURL: server.url, apiKey: 'practice' } : {})
const desk = makeDesk(model, bank, values.crash ? crash : undefined)
const session = openSession(values.session)
try {
  if (command === 'ask') tell(await desk.run(words, { session }))
  else if (command === 'decide') tell(await decide(words === 'yes'))
  else throw new Error('Write: ask "Refund order 17, 80 euros.", or decide yes, or decide no.')
} catch (error) {
  console.error(`✗ ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await session.close()
  await server?.close()
}

function openSession(id: string): Session {
  const connectionString = process.env.DATABASE_URL
  if (connectionString) return postgresSession(id, { connectionString })
  return sqliteSession(id, { file: `${values.folder}/sessions.db` })
}

/** One word for all that is open; what a crash left unclear is looked up in the bank instead. */
async function decide(yes: boolean): Promise<RunResult> {
  const now = await desk.resume(session)
  const answers = (now.needs ?? []).map((need): [string, Answer] => [need.id, answerTo(need, yes)])
  return desk.resume(session, Object.fromEntries(answers))
}

function answerTo(need: Need, yes: boolean): Answer {
  if (need.for === 'approval') return yes ? approve() : deny('The shopkeeper said no.')
  const booked = bank.bookings().find(({ key }) => key === need.id)
  console.log(`  ? ${need.tool} was interrupted; the bank ${booked ? 'has booked it' : 'knows nothing of it'}`)
  return booked ? respond(`Order ${booked.order}: ${booked.euros} euros went back.`) : retry()
}

function tell(result: RunResult): void {
  for (const need of result.needs ?? [])
    console.log(`  waits for ${need.for}: ${need.tool} ${JSON.stringify(need.input)}`)
  if (result.status === 'done') console.log(`  ${result.text}`)
}

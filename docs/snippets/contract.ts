import { memorySession, type Session } from '@clew/core'
import { sessionContract } from '@clew/testing'

const sessions = new Map<string, Session>()
function open(id: string): Session {
  const session = sessions.get(id) ?? memorySession(id)
  sessions.set(id, session)
  return session
}

// In a test file: for (const { name, run } of sessionContract(open)) it(name, run)
const cases = sessionContract(open)
for (const { run } of cases) await run()
console.log(cases.slice(0, 5).map(({ name }) => name))

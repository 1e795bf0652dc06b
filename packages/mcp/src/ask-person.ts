/** `askPerson()` makes of the client's elicitation a policy: the person at the client approves what needs approval. */
import { type Answer, approve, deny, type Need } from '@clew/core'
import type { ServerContext } from '@modelcontextprotocol/server'
import { showHidden } from './clean.ts'

/** What does not fit is not shown in part: nobody can approve what they have not seen. */
const maxShownChars = 10_000
/** A person may be at lunch. The client can cancel the call sooner. */
const patienceMs = 3_600_000

const question = {
  type: 'object' as const,
  properties: { approve: { type: 'boolean' as const, title: 'Approve this call', default: false } },
  required: ['approve'],
}

/** It throws where the client cannot ask anybody; then the call waits, and is refused. */
export function askPerson({ mcpReq }: ServerContext): (need: Need) => Promise<Answer | undefined> {
  return async (need) => {
    if (need.for !== 'approval') return undefined
    const { tool, path, input } = need
    const shown = showHidden(JSON.stringify(input, null, 2))
    if (shown.length > maxShownChars) return deny('Its input is too long to be shown to a person.')
    const message = `May ${path.join(' > ')} run "${tool}" with this input?\n${shown}`
    const asked = { mode: 'form' as const, message, requestedSchema: question }
    const { action, content } = await mcpReq.elicitInput(asked, { timeout: patienceMs, signal: mcpReq.signal })
    if (action === 'accept' && content?.approve === true) return approve()
    return deny(action === 'cancel' ? 'The person went away without an answer.' : 'The person said no.')
  }
}

/** `talk()`: a long conversation as the loop logs it, a tool call a turn. */
import type { Batch, LoggedEvent, Session } from '@clew/core'

/** A batch and the position where it stands. */
export type Placed = Batch & { at: number }

/** From the beginning on; the run is not over. */
export function talk(turns: number): Placed[] {
  const input = [{ role: 'user' as const, content: 'Look at all of it.' }]
  const batches: Placed[] = [
    { id: 'start', at: 0, events: [{ type: 'run-start', v: 2, id: 'run', agent: 'a', input }] },
  ]
  for (let turn = 1; turn <= turns; turn += 1) {
    for (const batch of turnOf(turn)) batches.push({ id: batch.id, at: batches.length, events: batch.events })
  }
  return batches
}

/** Gives the position behind the turn. */
export async function appendTurn(session: Session, at: number, turn: number): Promise<number> {
  for (const batch of turnOf(turn)) at = await session.append(at, batch)
  return at
}

/** Each event is a batch of its own: what follows it happens after it is in the log. */
function turnOf(turn: number): Batch[] {
  const id = `call-${turn}`
  const message = {
    role: 'assistant' as const,
    content: '',
    reasoningDetails: [{ type: 'reasoning.text', text: `Turn ${turn}: I should look.`, signature: 'abc'.repeat(20) }],
    toolCalls: [{ id, wireId: id, name: 'look', arguments: `{"at":${turn}}` }],
    source: { model: 'qwen/qwen3.5-9b' },
  }
  const events: LoggedEvent[] = [
    { type: 'turn-start', turn },
    { type: 'model-end', turn, message, finishReason: 'tool-calls', usage },
    { type: 'tool-start', id, name: 'look', input: { at: turn } },
    { type: 'tool-end', id, name: 'look', content: `Result ${turn}: ${'x'.repeat(200)}` },
  ]
  return events.map((event, index) => ({ id: `${turn}-${index}`, events: [event] }))
}

const usage = {
  requests: 1,
  inputTokens: 900,
  outputTokens: 40,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
}

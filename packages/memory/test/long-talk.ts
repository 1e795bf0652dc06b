/** `playTrace()`: a recorded conversation, played by an agent with a small context on a session that is opened anew for each turn. */
import {
  Agent,
  checkHistory,
  fold,
  type LoggedEvent,
  type Message,
  type ModelRequest,
  type Session,
  tool,
} from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { compaction, estimateTokens } from '../src/index.ts'
import type { Trace, Turn } from './traces.ts'

export const smallWindow = 2_000

/** What is wrong with it, in words, and how often the history was made shorter. */
export async function playTrace(
  trace: Trace,
  open: () => Session,
): Promise<{ problems: string[]; compactions: number }> {
  const problems: string[] = []
  let compactions = 0
  const details = (turn: number) => [{ type: 'reasoning.encrypted', data: `r${turn}`.repeat(40) }]
  const sent: Message[][] = []
  // Short as they are, the user comes back with the same three times.
  const turns = [...trace.turns, ...trace.turns, ...trace.turns]
  for (const [turn, { user, calls }] of turns.entries()) {
    const results = calls.map(({ result }) => result)
    const names = [...new Set(calls.map(({ name }) => name))]
    let asked = 0
    const model = scriptedModel((request) => {
      problems.push(...flaws(request, sent))
      sent.push([...request.messages])
      const call = calls[asked++]
      const usage = { inputTokens: estimateTokens(request), outputTokens: 20 }
      if (!call) return { text: `End of turn ${turn}.`, usage }
      return { usage, reasoningDetails: details(turn), calls: [{ name: call.name, arguments: call.arguments }] }
    })
    model.contextTokens = () => smallWindow
    const tools = names.map((name) =>
      tool({
        name,
        input: { type: 'object', properties: {}, additionalProperties: true },
        execute: () => results[asked - 1],
      }),
    )
    const agent = new Agent({ name: 'a', model, tools, use: [compaction({ keepTurns: 1 })], limits: { turns: 100 } })
    const session = open()
    const result = await agent.run(user, { session })
    if (result.text !== `End of turn ${turn}.`) problems.push(`turn ${turn} ended with "${result.text}"`)
    const { events } = await session.read()
    compactions = events.filter(({ type }) => type === 'compacted').length
    if (JSON.stringify(fold(events)) !== JSON.stringify(result.state))
      problems.push(`turn ${turn}: the log is not the state`)
    problems.push(...lost(events, turns, turn))
    await session.close()
  }
  return { problems, compactions }
}

/** What a provider would refuse, and what may not happen to a history that is made shorter. */
function flaws({ messages, tools }: ModelRequest, sent: Message[][]): string[] {
  const history = checkHistory(messages)
  const reasoned = messages.filter((message) => message.role === 'assistant' && message.toolCalls)
  const bare = reasoned.filter((message) => !('reasoningDetails' in message))
  const last = sent.at(-1)
  const size = estimateTokens({ messages, tools })
  const work = messages.slice(messages.findLastIndex(({ role }) => role === 'user'))
  return [
    ...(history ? [history] : []),
    ...(bare.length > 0 ? ['a turn lost its reasoning'] : []),
    // What the model works on now is not touched, however large it is.
    ...(size > smallWindow && estimateTokens({ messages: work, tools }) < smallWindow / 2
      ? [`it has ${size} tokens`]
      : []),
    ...(last && messages.length > last.length && !startsWith(messages, last) && !isCompacted(messages)
      ? ['the prefix changed']
      : []),
  ]
}

const startsWith = (messages: readonly Message[], start: readonly Message[]) =>
  start.every((message, at) => JSON.stringify(message) === JSON.stringify(messages[at]))
const isCompacted = (messages: readonly Message[]) => JSON.stringify(messages).includes('clew-compaction-1')

/** The log has every result as it came, whatever the model sees by now. */
function lost(events: LoggedEvent[], turns: Turn[], upTo: number): string[] {
  const logged = events.flatMap((event) => (event.type === 'tool-end' ? [event.content] : []))
  const wanted = turns.slice(0, upTo + 1).flatMap(({ calls }) => calls.map(({ result }) => result))
  return JSON.stringify(logged) === JSON.stringify(wanted) ? [] : [`the log of turn ${upTo} lost a result`]
}

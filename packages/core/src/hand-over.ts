/** Another agent takes over: what it is told and what it sees of the talk become part of the log here. */
import type { Step } from './decide.ts'
import { InputError } from './errors.ts'
import type { RunEvent } from './event.ts'
import { copyPlain, toMessages } from './input.ts'
import type { Message } from './message.ts'
import type { RunState } from './state.ts'
import { describeError } from './tool-result.ts'
import type { Successor, World } from './world.ts'
import { settleAfterAbort } from './world.ts'

type HandoffStep = Extract<Step, { type: 'handoff' }>

export async function* handOver({ agent }: HandoffStep, state: RunState, world: World): AsyncGenerator<RunEvent[]> {
  const successor = world.handoffs.get(agent)
  if (!successor) {
    // It was there when it was called. The program changed since; the active agent stays, and is told.
    const { instructions } = state
    const note: Message = { role: 'user', content: `[${agent} is not available any more. Go on yourself.]` }
    const messages = [...state.messages, note]
    yield [{ type: 'handoff', agent: state.agent, ...(instructions !== undefined && { instructions }), messages }]
    return
  }
  const prepare = async () => [await successor.instructions(), await seenBy(agent, successor, state.messages)] as const
  try {
    const [instructions, messages] = await settleAfterAbort(prepare(), world.signal)
    yield [{ type: 'handoff', agent, ...(instructions && { instructions }), ...(messages && { messages }) }]
  } catch (error) {
    // An abort is closed by the loop.
    if (!world.signal.aborted) throw error
  }
}

/** @throws InputError: to pass on the whole talk because the filter failed could show what it was to leave out. */
async function seenBy(
  agent: string,
  { filter }: Successor,
  messages: readonly Message[],
): Promise<Message[] | undefined> {
  if (!filter) return undefined
  const where = `The filter of the handoff to agent "${agent}"`
  let filtered: unknown
  try {
    filtered = await filter(structuredClone(messages))
  } catch (cause) {
    throw new InputError(`${where} failed: ${describeError(cause)}`, { cause })
  }
  const isList = Array.isArray(filtered) && filtered.length > 0 && filtered.every((each) => each?.role !== undefined)
  if (!isList)
    throw new InputError(`${where} returned no messages. Return those that the agent shall see, at least one.`)
  try {
    return copyPlain(toMessages(filtered as Message[], true), 'It')
  } catch (cause) {
    throw new InputError(`${where} returned what cannot be sent: ${describeError(cause)}`, { cause })
  }
}

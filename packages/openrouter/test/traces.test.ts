/** The recorded conversations of `../shared/cases/bfcl-multi-turn` and `tau-bench`, replayed through the loop to their recorded ends. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { Agent, fold, type JsonSchema, type LoggedEvent, type Message, memorySession, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { type LocalReply, startOpenRouter, type WireMessage } from '@clew/testing'
import { describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { openrouter } from '../src/index.ts'

type Call = { name: string; arguments: { [name: string]: unknown }; state: string; next: string; result: string }
type Turn = { user: string; calls: Call[] }
type ToolSchema = { name: string; description: string; parameters: JsonSchema }
/** A change of the data base, with the JSON Pointer of its place. */
type Change = { path: string; value?: unknown }
type Trace = {
  id: string
  tools: ToolSchema[]
  startState: string
  endState: string
  turns: Turn[]
  changes: Change[]
}

type Ends = Pick<Trace, 'id' | 'startState' | 'endState'>

function readMultiTurn(): Trace[] {
  const cases = readCases<Ends & { toolNames: string[]; turns: Turn[] }>('bfcl-multi-turn')
  if (cases.length === 0) return []
  const schemas = readTools('bfcl-multi-turn', 'tools.json')
  return cases.map(({ toolNames, ...trace }) => ({
    ...trace,
    tools: schemas.filter(({ name }) => toolNames.includes(name)),
    changes: [],
  }))
}

/** One turn each. `expectedOutputs` is left out: it is about the words of the last answer, which were not recorded. */
function readTau(shop: 'retail' | 'airline'): Trace[] {
  const cases = readCases<Ends & Turn & { endDiff: Change[] }>('tau-bench', `${shop}.jsonl`)
  if (cases.length === 0) return []
  const tools = readTools('tau-bench', `${shop}.tools.json`)
  return cases.map(({ user, calls, endDiff, ...trace }) => ({
    ...trace,
    tools,
    turns: [{ user, calls }],
    changes: endDiff,
  }))
}

function readTools(name: string, file: string): ToolSchema[] {
  const path = new URL(`../../../../shared/cases/${name}/${file}`, import.meta.url)
  const tools = JSON.parse(readFileSync(path, 'utf8')) as { [name: string]: { function: ToolSchema } }
  return Object.values(tools).map((entry) => entry.function)
}

const traces = [...readMultiTurn(), ...readTau('retail'), ...readTau('airline')]
const byId = (some: Trace[]) => some.map((trace) => [trace.id, trace] as const)
const callsOf = ({ turns }: Pick<Trace, 'turns'>) => turns.flatMap((turn) => turn.calls)

/** The environment of a trace, of which `done` calls were made: it answers the next recorded call and no other. */
function environment(trace: Trace, done = 0) {
  const recorded = callsOf(trace)
  const refused: string[] = []
  let count = done
  let state = recorded[done - 1]?.next ?? trace.startState
  const call = (name: string, input: unknown): string => {
    const next = recorded[count]
    const isNext = next?.state === state && next.name === name && isDeepStrictEqual(input, next.arguments)
    if (!next || !isNext) {
      refused.push(`${name}(${JSON.stringify(input)}) in ${state}, as call ${count + 1} of ${recorded.length}`)
      return `Error: this call was not recorded in state ${state}.`
    }
    count += 1
    state = next.next
    return next.result
  }
  // Their effect is the default, "once": a resumed run may not repeat them.
  const tools = trace.tools.map(({ name, description, parameters }) =>
    tool({ name, description, input: parameters, execute: (input) => call(name, input) }),
  )
  return { tools, outcome: () => ({ count, state, refused }) }
}

const recordedEnd = (trace: Trace) => ({ count: callsOf(trace).length, state: trace.endState, refused: [] })

/** One answer of the model; without calls it is the end of the turn. */
type Answer = { text: string; calls: (Call & { id: string })[] }
type Shape = 'one call a step' | 'all calls at once'

/** The answers of each turn. A call's id tells its place in the trace, so that no result can be taken for another. */
function answersOf(trace: Trace, shape: Shape): Answer[][] {
  return trace.turns.map((turn, index) => {
    const calls = turn.calls.map((call, place) => ({ ...call, id: `call-${index}-${place}` }))
    const groups =
      shape === 'one call a step' ? calls.map((call) => [call]) : [calls].filter(({ length }) => length > 0)
    return [...groups.map((group) => ({ text: '', calls: group })), { text: `End of turn ${index}.`, calls: [] }]
  })
}

/** A message with what matters, in one form for what was sent and for what a log keeps. */
type Line =
  | { user: unknown }
  | { assistant: unknown; calls: { id: string; name: string; arguments: unknown }[] }
  | { result: unknown; of: string | undefined }

/** The conversation as it has to stand, with the number of lines that each request carries. */
function expected(trace: Trace, shape: Shape): { lines: Line[]; lengths: number[] } {
  const lines: Line[] = []
  const lengths: number[] = []
  for (const [index, answers] of answersOf(trace, shape).entries()) {
    lines.push({ user: trace.turns[index]!.user })
    for (const { text, calls } of answers) {
      lengths.push(lines.length)
      lines.push({
        assistant: text,
        calls: calls.map(({ id, name, arguments: given }) => ({ id, name, arguments: given })),
      })
      lines.push(...calls.map((call) => ({ result: call.result, of: call.id })))
    }
  }
  return { lines, lengths }
}

function sentLine(message: WireMessage): Line {
  if (message.role === 'user') return { user: message.content }
  if (message.role === 'tool') return { result: message.content, of: message.tool_call_id }
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments) as unknown,
  }))
  return { assistant: message.content ?? '', calls }
}

function keptLines(messages: readonly Message[]): Line[] {
  const wireIds = new Map<string, string>()
  return messages.map((message) => {
    if (message.role === 'tool') return { result: message.content, of: wireIds.get(message.callId) }
    if (message.role !== 'assistant') return { user: message.content }
    const calls = (message.toolCalls ?? []).map((call) => {
      wireIds.set(call.id, call.wireId)
      return { id: call.wireId, name: call.name, arguments: JSON.parse(call.arguments) as unknown }
    })
    return { assistant: message.content, calls }
  })
}

/** An answer as one JSON text, though a stream was asked for: not every host behind OpenRouter can stream. */
function jsonReply({ text, calls }: Answer): LocalReply {
  const finish = calls.length > 0 ? 'tool_calls' : 'stop'
  const toolCalls = calls.map(({ id, name, arguments: given }, index) => ({
    index,
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(given) },
  }))
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: null,
    reasoning: null,
    ...(calls.length > 0 && { tool_calls: toolCalls }),
  }
  const body = {
    id: 'gen-1',
    object: 'chat.completion',
    created: 1,
    model: 'm/x',
    provider: 'SomeHost',
    choices: [{ index: 0, message, finish_reason: finish, native_finish_reason: finish, logprobs: null }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }
  return { body: JSON.stringify(body) }
}

/** Plays the trace over HTTP and holds every call, every request and the end against what was recorded. */
async function replayOverHttp(trace: Trace, shape: Shape, toReply: (answer: Answer) => LocalReply): Promise<void> {
  const { tools, outcome } = environment(trace)
  await using server = await startOpenRouter({ respond: answersOf(trace, shape).flat().map(toReply) })
  const model = openrouter('m/x', { baseURL: server.url, apiKey: 'k' })
  // Each call needs the state that the one before left.
  const agent = new Agent({ name: 'a', model, tools, concurrency: 1 })
  const session = memorySession()
  for (const [index, turn] of trace.turns.entries()) {
    const result = await agent.run(turn.user, { session })
    expect(result).toMatchObject({ status: 'done', text: `End of turn ${index}.` })
  }
  expect(outcome()).toEqual(recordedEnd(trace))
  const { lines, lengths } = expected(trace, shape)
  const requests = server.requests.map((request) => request.body.messages.map(sentLine))
  expect(requests).toEqual(lengths.map((length) => lines.slice(0, length)))
  expect(server.requests.filter((request) => request.body.stream !== true)).toEqual([])
}

const toScript = (answers: Answer[]): ScriptedReply[] =>
  answers.map(({ text, calls }) => ({
    text,
    calls: calls.map(({ id, name, arguments: given }) => ({ id, name, arguments: given })),
  }))

/** The log of the whole trace, played by a scripted model. */
async function logOf(trace: Trace, shape: Shape): Promise<LoggedEvent[]> {
  const { tools, outcome } = environment(trace)
  const model = scriptedModel(toScript(answersOf(trace, shape).flat()))
  const agent = new Agent({ name: 'a', model, tools, concurrency: 1 })
  const session = memorySession()
  for (const turn of trace.turns) await agent.run(turn.user, { session })
  expect(outcome()).toEqual(recordedEnd(trace))
  return (await session.read()).events
}

const countOf = (events: LoggedEvent[], type: LoggedEvent['type']) =>
  events.filter((event) => event.type === type).length

/** A log cut behind its `calls`th result, as another process would find it, and what is needed to go on with it. */
function cutBehind(log: LoggedEvent[], calls: number, trace: Trace, shape: Shape) {
  const ends = log.flatMap((event, index) => (event.type === 'tool-end' ? [index] : []))
  const events = JSON.parse(JSON.stringify(log.slice(0, ends[calls - 1]! + 1))) as LoggedEvent[]
  const { tools, outcome } = environment(trace, calls)
  const turns = countOf(events, 'run-start')
  const answers = answersOf(trace, shape)
  const given = countOf(events, 'model-end')
  const rest = {
    ofTurn: answers.slice(0, turns).flat().slice(given),
    all: answers.flat().slice(given),
  }
  const agent = (script: Answer[]) => {
    const model = scriptedModel(toScript(script))
    return { model, agent: new Agent({ name: 'a', model, tools, concurrency: 1 }) }
  }
  return { events, turns, rest, agent, outcome }
}

describe.skipIf(traces.length === 0)('recorded conversations', () => {
  describe('end as recorded with one call a step, streamed', () => {
    it.each(byId(traces))('%s', (_, trace) =>
      replayOverHttp(trace, 'one call a step', ({ text, calls }) => ({ text, calls })),
    )
  })

  describe('end as recorded with one call a step, each answer one JSON text', () => {
    it.each(byId(traces))('%s', (_, trace) => replayOverHttp(trace, 'one call a step', jsonReply))
  })

  describe('end as recorded with all calls of a turn in one message', () => {
    it.each(byId(traces))('%s', (_, trace) =>
      replayOverHttp(trace, 'all calls at once', ({ text, calls }) => ({ text, calls })),
    )
  })

  // Four cases of tau-bench have no call, and so no log to cut.
  const withCalls = byId(traces.filter((trace) => callsOf(trace).length > 0))

  describe.each<Shape>(['one call a step', 'all calls at once'])('saved behind any result, %s,', (shape) => {
    describe('end as recorded when their session is resumed', () => {
      it.each(withCalls)('%s', async (_, trace) => {
        const log = await logOf(trace, shape)
        const recorded = callsOf(trace)
        for (const done of recorded.keys()) {
          const cut = cutBehind(log, done + 1, trace, shape)
          const session = memorySession()
          await session.append(0, { id: 'saved', events: cut.events })
          const { agent, model } = cut.agent(cut.rest.all)
          expect(await agent.resume(session)).toMatchObject({ status: 'done', text: `End of turn ${cut.turns - 1}.` })
          for (const turn of trace.turns.slice(cut.turns)) await agent.run(turn.user, { session })

          expect(cut.outcome()).toEqual(recordedEnd(trace))
          model.assertComplete()
          const { lines, lengths } = expected(trace, shape)
          const firstAsked = keptLines(model.requests[0]!.messages)
          expect(firstAsked).toEqual(lines.slice(0, lengths[lengths.length - cut.rest.all.length]))
          const { events } = await session.read()
          expect(keptLines(fold(events).messages)).toEqual(lines)
          const started = events.flatMap((event) => (event.type === 'tool-start' ? [event] : []))
          expect(started.map(({ name, input }) => ({ name, arguments: input }))).toEqual(
            recorded.map(({ name, arguments: given }) => ({ name, arguments: given })),
          )
          expect(new Set(started.map(({ id }) => id)).size).toBe(recorded.length)
        }
      })
    })

    describe('end their turn as recorded when the bare state is resumed', () => {
      it.each(withCalls)('%s', async (_, trace) => {
        const log = await logOf(trace, shape)
        for (const done of callsOf(trace).keys()) {
          const cut = cutBehind(log, done + 1, trace, shape)
          const state = JSON.parse(JSON.stringify(fold(cut.events))) as ReturnType<typeof fold>
          const { agent, model } = cut.agent(cut.rest.ofTurn)
          const result = await agent.resume(state)
          expect(result).toMatchObject({ status: 'done', text: `End of turn ${cut.turns - 1}.` })
          model.assertComplete()
          const played = { ...trace, turns: trace.turns.slice(0, cut.turns) }
          const calls = callsOf(played)
          expect(cut.outcome()).toEqual({ count: calls.length, state: calls.at(-1)!.next, refused: [] })
          expect(keptLines(result.state.messages)).toEqual(expected(played, shape).lines)
        }
      })
    })
  })

  describe('once ended, are not played again by resume', () => {
    it.each(byId(traces))('%s', async (_, trace) => {
      const log = await logOf(trace, 'one call a step')
      const { tools, outcome } = environment(trace, callsOf(trace).length)
      const model = scriptedModel([])
      const session = memorySession('ended', log)
      const result = await new Agent({ name: 'a', model, tools }).resume(session)
      expect(result).toMatchObject({ status: 'done', text: `End of turn ${trace.turns.length - 1}.` })
      expect(outcome()).toEqual(recordedEnd(trace))
      expect((await session.read()).events).toEqual(log)
    })
  })

  // Changes of users are left out: a result that shows a user does not say which one.
  const changed = traces
    .map((trace) => ({ ...trace, changes: trace.changes.filter(({ path }) => !path.startsWith('/users/')) }))
    .filter(({ changes }) => changes.length > 0)

  describe('end with the recorded changes told to the model', () => {
    it.each(byId(changed))('%s', async (_, trace) => {
      const { messages } = fold(await logOf(trace, 'one call a step'))
      const last = new Map<unknown, unknown>()
      for (const record of messages.flatMap(recordsIn)) last.set(record.order_id ?? record.reservation_id, record)
      for (const { path, value } of trace.changes) {
        // The first step of the pointer is the table, the second the key.
        const [key, ...steps] = path.split('/').slice(2)
        let at: unknown = last.get(key)
        for (const step of steps) at = (at as { [key: string]: unknown } | undefined)?.[step]
        expect({ path, value: at }).toEqual({ path, value })
      }
    })
  })
})

/** The order or reservation that a result shows. */
function recordsIn(message: Message): { order_id?: unknown; reservation_id?: unknown }[] {
  if (message.role !== 'tool' || typeof message.content !== 'string' || !message.content.startsWith('{')) return []
  return [JSON.parse(message.content) as { order_id?: unknown; reservation_id?: unknown }]
}

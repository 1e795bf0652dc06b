import { compactHistory } from './compact-history.ts'
import type { Step } from './decide.ts'
import { InputError, isClewError, type ModelError } from './errors.ts'
import type { ModelAborted, ModelFailed, RunEvent } from './event.ts'
import { checkHistory } from './history.ts'
import { Leash } from './leash.ts'
import type { Message, Usage } from './message.ts'
import { receiveUsage } from './message.ts'
import { compose } from './middleware.ts'
import type { ModelDelta, ModelReply, ModelRequest, ToolSpec } from './model.ts'
import { checkReply, modelEnd } from './receive-reply.ts'
import type { RunState } from './state.ts'
import { describeError } from './tool-result.ts'
import { unreachable } from './unreachable.ts'
import type { World } from './world.ts'

type ModelStep = Extract<Step, { type: 'model' }>

/** The turn up to the answer. A history that the provider finds too long is made shorter, once. */
export async function* askModel(step: ModelStep, state: RunState, world: World): AsyncGenerator<RunEvent[]> {
  if (!state.request) yield* compactHistory(state, world)
  if (world.signal.aborted) return
  const { id, provider } = world.model
  yield [
    {
      type: 'turn-start',
      turn: step.turn,
      model: id,
      ...(provider && { provider }),
      ...(step.last && { last: step.last }),
    },
  ]
  const overflow = yield* attempt(step, state, world, true)
  if (!overflow) return
  let isShorter = false
  for await (const events of compactHistory(state, world, true)) {
    isShorter = true
    yield events
  }
  const usage = usageOf(overflow)
  if (isShorter) {
    const reason = 'The history was too long for the model; it was made shorter.'
    yield [{ type: 'model-restart', reason, ...(usage && { usage }) }]
    yield* attempt(step, state, world, false)
  } else if (world.signal.aborted) {
    yield leftEvents(step, world, { text: '', reasoning: '' })
  } else {
    yield [modelFailed(step, overflow)]
    throw overflow
  }
}

/** One request. Returns the error of one that was too long, where it `mayOverflow`. */
async function* attempt(
  step: ModelStep,
  state: RunState,
  world: World,
  mayOverflow: boolean,
): AsyncGenerator<RunEvent[], ModelError | undefined> {
  let ids: string[] = []
  const callId = (index: number) => (ids[index] ??= world.newId())
  const partial = { text: '', reasoning: '' }
  const leash = new Leash(world.signal)
  let answer: AsyncGenerator<ModelDelta[], ModelReply> | undefined
  try {
    answer = compose(world.use, 'model', (request: ModelRequest) => generate(request, world))(
      requestFor(step, state, world),
    )
    for (;;) {
      const next = await leash.pull(answer)
      if (next.done) {
        answer = undefined
        checkReply(next.value, world)
        yield [modelEnd(step, next.value, callId, world)]
        return undefined
      }
      // The calls of an answer that begins again are other calls.
      yield next.value.map((delta) => {
        if (delta.type === 'model-restart') ids = []
        return toEvent(delta, callId, partial)
      })
    }
  } catch (error) {
    if (world.signal.aborted) {
      yield leftEvents(step, world, partial)
      return undefined
    }
    if (mayOverflow && isClewError(error, 'model') && error.details.kind === 'context-overflow') return error
    yield [modelFailed(step, error)]
    throw error
  } finally {
    leash.release(answer)
  }
}

/** Together, so that no crash leaves half an answer in a run that could be gone on with. */
function leftEvents(step: ModelStep, { signal, timedOut }: World, partial: ModelAborted['partial']): RunEvent[] {
  const aborted: ModelAborted = { type: 'model-aborted', turn: step.turn, partial }
  return timedOut() || isClewError(signal.reason, 'fatal')
    ? [aborted]
    : [aborted, { type: 'run-end', status: 'aborted' }]
}

function modelFailed(step: ModelStep, error: unknown): ModelFailed {
  const usage = usageOf(error)
  return { type: 'model-failed', turn: step.turn, error: describeError(error), ...(usage && { usage }) }
}

function usageOf(error: unknown): Usage | undefined {
  const usage = isClewError(error, 'model') ? error.details.usage : undefined
  return usage && receiveUsage(usage)
}

/** The innermost layer: what goes out has a history that every provider takes, whatever the layers above made of it. */
function generate(request: ModelRequest, world: World): AsyncGenerator<ModelDelta[], ModelReply> {
  const problem = checkHistory(request.messages)
  if (problem) throw new InputError(`The request was not sent, because no provider would take its history: ${problem}.`)
  return world.model.generate(request)
}

/** About what the input of the next model call will cost, in US dollars; 0 where the model cannot tell. */
export function estimateUsd(state: RunState, world: World): number {
  if (state.pending.length > 0 || !world.model.estimateUsd) return 0
  return world.model.estimateUsd(requestFor({ type: 'model', turn: state.turn + 1 }, state, world)) ?? 0
}

function requestFor(step: ModelStep, state: RunState, world: World): ModelRequest {
  const forced = world.toolChoice !== undefined && world.toolChoice !== 'auto' && world.toolChoice !== 'none'
  // A forced choice is relaxed after the agent's first turn: forced for ever, the model could never answer.
  const isFirst = step.turn === (state.since ?? 0) + 1
  const choice = step.last ? 'none' : forced && !isFirst ? 'auto' : world.toolChoice
  const tools = world.specs.length > 0 ? world.specs : namesIn(state.messages)
  return {
    ...(state.instructions !== undefined && { instructions: state.instructions }),
    messages: [...state.messages],
    tools,
    ...(world.specs.length > 0 && choice !== undefined && { toolChoice: choice }),
    ...(world.specs.length === 0 && tools.length > 0 && { toolChoice: 'none' as const }),
    ...(world.output && { output: world.output.json }),
    conversation: state.conversation || state.id,
    runId: world.runId,
    signal: world.signal,
  }
}

/**
 * Some providers refuse calls in a history when no tools come with it. An agent without tools that goes on with another
 * agent's talk sends the names that stand there, not to be called.
 */
function namesIn(messages: readonly Message[]): ToolSpec[] {
  const names = new Set<string>()
  for (const message of messages) {
    if (message.role === 'assistant') for (const { name } of message.toolCalls ?? []) names.add(name)
  }
  const parameters = { type: 'object', properties: {} }
  return [...names].map((name) => ({ name, description: 'Not available.', parameters }))
}

function toEvent(
  delta: ModelDelta,
  callId: (index: number) => string,
  partial: { text: string; reasoning: string },
): RunEvent {
  switch (delta.type) {
    case 'text-delta':
      partial.text += delta.text
      return { type: delta.type, text: delta.text }
    case 'reasoning-delta':
      partial.reasoning += delta.text
      return { type: delta.type, text: delta.text }
    case 'model-restart':
      partial.text = partial.reasoning = ''
      return { ...delta, ...(delta.usage && { usage: receiveUsage(delta.usage) }) }
    case 'tool-input-start':
      return { type: delta.type, id: callId(delta.index), name: delta.name }
    case 'tool-input-delta':
      return { type: delta.type, id: callId(delta.index), text: delta.text }
    case 'tool-input-end':
      return { type: delta.type, id: callId(delta.index) }
    default:
      return unreachable(delta)
  }
}

/** A model's reply as the end of its turn: a message of the history, calls with ids of ours, and which of them may not run. */
import { receiveCalls } from './arguments.ts'
import type { Step } from './decide.ts'
import { ModelError } from './errors.ts'
import type { ModelEnd } from './event.ts'
import type { AssistantMessage, ToolCall } from './message.ts'
import { receiveUsage } from './message.ts'
import type { ModelReply } from './model.ts'
import { sealStop } from './tool-result.ts'
import type { World } from './world.ts'

type ModelStep = Extract<Step, { type: 'model' }>

export function modelEnd(
  step: ModelStep,
  reply: ModelReply,
  callId: (index: number) => string,
  world: World,
): ModelEnd {
  const toolCalls = receiveCalls(reply.toolCalls, callId)
  const message: AssistantMessage = {
    role: 'assistant',
    content: reply.content,
    ...(reply.reasoning && { reasoning: reply.reasoning }),
    ...(reply.reasoningDetails && { reasoningDetails: reply.reasoningDetails }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(reply.refusal !== undefined && { refusal: reply.refusal }),
    ...(reply.annotations && { annotations: reply.annotations }),
    source: reply.source,
  }
  const refused = refusedCalls(step, reply, toolCalls, world)
  return {
    type: 'model-end',
    turn: step.turn,
    message,
    ...(refused.length > 0 && { refused: Object.fromEntries(refused) }),
    ...(reply.logprobs && { logprobs: reply.logprobs }),
    finishReason: reply.finishReason,
    ...(reply.rawFinishReason !== undefined && { rawFinishReason: reply.rawFinishReason }),
    usage: receiveUsage(reply.usage),
    ...(reply.stop && { stop: sealStop(reply.stop) }),
  }
}

/** Ids of the calls that may not run, each with the reason. The talk moves on to one agent only. */
function refusedCalls(step: ModelStep, reply: ModelReply, calls: ToolCall[], world: World): [string, string][] {
  const refusal = whyRefused(step, reply)
  if (refusal !== undefined) return calls.map(({ id }) => [id, refusal])
  const handoffs = calls.filter(({ name, raw }) => raw?.name === undefined && world.tools.get(name)?.handoff)
  return handoffs
    .slice(1)
    .map(({ id }) => [id, `Not run: the conversation can be handed over once, and ${handoffs[0]?.name} came first.`])
}

/** Why none of a reply's calls may run. A cut answer may hold half a call, even where it parses. */
function whyRefused(step: ModelStep, reply: ModelReply): string | undefined {
  if (step.last) return `Not run: the limit of ${step.last} is reached. Answer with what you have.`
  if (reply.finishReason === 'length')
    return 'Not run: your answer was cut off at its length limit, so this call may be incomplete. Make it again, shorter.'
  if (reply.finishReason === 'content-filter')
    return "Not run: your answer was cut off by the provider's content filter."
  return undefined
}

/** Models and middleware of strangers forget to return. */
export function checkReply(reply: ModelReply | undefined, world: World): void {
  if (typeof reply?.content === 'string' || Array.isArray(reply?.content)) return
  const layers = world.use.filter((layer) => layer.model).map((layer) => `"${layer.name}"`)
  const makers = [`the model "${world.model.id}"`, ...layers.map((name) => `middleware ${name}`)].join(' or ')
  throw new ModelError(
    `The model call returned no reply with a content. Does ${makers} forget to return it (return yield* next(request))?`,
  )
}

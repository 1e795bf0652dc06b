/**
 * `factsOf()`: what lists and totals need of a span, read from its attributes.
 *
 * Names are those of OpenTelemetry's conventions for generative AI, Clew's own, and, behind them, the ones that other
 * frameworks used before there were conventions (OpenLLMetry, OpenInference, the AI SDK).
 */
import type { Attributes, AttributeValue, SpanData } from './span.ts'

export type Facts = {
  /** `invoke_agent`, `chat`, `execute_tool` …; null for a span that is none of generative AI's. */
  op: string | null
  agent: string | null
  model: string | null
  provider: string | null
  tool: string | null
  /** The id of the run, where the framework gives one. */
  run: string | null
  /** How the run ended, as the framework says it. */
  outcome: string | null
  /** Which limit or middleware stopped it. */
  stop: string | null
  input: number | null
  output: number | null
  cached: number | null
  reasoning: number | null
  usd: number | null
  /** From the request to the first piece of the answer. */
  firstMs: number | null
  retries: number | null
}

/** Operations in which a model is asked; tokens and money are summed over these. */
export const modelCalls = ['chat', 'generate_content', 'text_completion', 'embeddings']

const names = {
  agent: ['gen_ai.agent.name', 'agent.name', 'ai.telemetry.functionId'],
  model: ['gen_ai.response.model', 'gen_ai.request.model', 'llm.model_name', 'ai.model.id'],
  // Behind OpenRouter stands another one, and it is the one that fails or is slow.
  provider: ['clew.upstream.provider', 'gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'ai.model.provider'],
  tool: ['gen_ai.tool.name', 'tool.name', 'ai.toolCall.name'],
  run: ['clew.run.id'],
  outcome: ['clew.status'],
  stop: ['clew.stop'],
  input: [
    'gen_ai.usage.input_tokens',
    'clew.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'llm.token_count.prompt',
    'ai.usage.inputTokens',
  ],
  output: [
    'gen_ai.usage.output_tokens',
    'clew.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'llm.token_count.completion',
    'ai.usage.outputTokens',
  ],
  cached: [
    'gen_ai.usage.cache_read.input_tokens',
    'clew.usage.cache_read.input_tokens',
    'llm.token_count.prompt_details.cache_read',
  ],
  reasoning: [
    'gen_ai.usage.reasoning.output_tokens',
    'clew.usage.reasoning.output_tokens',
    'llm.token_count.completion_details.reasoning',
  ],
  usd: ['clew.usage.cost.usd', 'clew.cost.usd', 'gen_ai.usage.cost', 'llm.cost.total'],
  /** What a try cost that came to nothing; not in the cost. */
  lostUsd: ['clew.lost.cost.usd'],
  retries: ['clew.retries'],
  restarts: ['clew.restarts'],
} as const

/** Kinds of span by OpenInference and by OpenLLMetry. */
const kindsOfOthers: { [kind: string]: string } = {
  LLM: 'chat',
  EMBEDDING: 'embeddings',
  TOOL: 'execute_tool',
  AGENT: 'invoke_agent',
  tool: 'execute_tool',
  agent: 'invoke_agent',
  workflow: 'invoke_workflow',
}

type TextName = 'agent' | 'model' | 'provider' | 'tool' | 'run' | 'outcome' | 'stop'
type NumberName = Exclude<keyof typeof names, TextName>

export function factsOf({ attributes }: Pick<SpanData, 'attributes'>): Facts {
  const text = (name: TextName) =>
    find(attributes, names[name], (value) => typeof value === 'string' && value !== '') as string | null
  const number = (name: NumberName) =>
    find(attributes, names[name], (value) => typeof value === 'number' && value >= 0) as number | null
  const firstSeconds = attributes['gen_ai.response.time_to_first_chunk']
  return {
    op: operationOf(attributes),
    agent: text('agent'),
    model: text('model'),
    provider: text('provider'),
    tool: text('tool'),
    run: text('run'),
    outcome: text('outcome'),
    stop: text('stop'),
    input: number('input'),
    output: number('output'),
    cached: number('cached'),
    reasoning: number('reasoning'),
    usd: sum(number('usd'), number('lostUsd')),
    firstMs: typeof firstSeconds === 'number' ? firstSeconds * 1000 : null,
    retries: sum(number('retries'), number('restarts')),
  }
}

const sum = (one: number | null, other: number | null) => (one === null ? other : one + (other ?? 0))

function operationOf(attributes: Attributes): string | null {
  const operation = attributes['gen_ai.operation.name']
  if (typeof operation === 'string') return operation
  const kind = attributes['openinference.span.kind'] ?? attributes['traceloop.span.kind']
  if (typeof kind === 'string' && kindsOfOthers[kind]) return kindsOfOthers[kind]
  if (typeof attributes['llm.request.type'] === 'string') return 'chat'
  return null
}

function find(
  attributes: Attributes,
  candidates: readonly string[],
  fits: (value: AttributeValue | undefined) => boolean,
): AttributeValue {
  const name = candidates.find((candidate) => fits(attributes[candidate]))
  return name === undefined ? null : (attributes[name] as AttributeValue)
}

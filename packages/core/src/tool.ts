/** `tool()` turns a function and a schema into something that a model can call. */
import { DefinitionError } from './errors.ts'
import type { JsonSchema } from './json.ts'
import { checkKeys } from './keys.ts'
import type { Content } from './message.ts'
import type { ToolSpec } from './model.ts'
import type { CompiledSchema, InferOutput, SchemaLike, StandardSchema } from './schema.ts'
import { compileSchema } from './schema.ts'
import { notStrict, strictForm } from './schema-json.ts'
import { findOptional } from './schema-zod.ts'
import type { ParentRun } from './sub-agent.ts'

/**
 * What a tool does to the world. After a crash in the middle of a call, `pure` and `idempotent` tools run again;
 * `once` tools wait for a person to say what happened.
 */
export type Effect = 'once' | 'idempotent' | 'pure'

/** What a tool gets beside its input. */
export type ToolExecution<Context = unknown> = {
  /** The caller's own data, given to `agent.run`. */
  readonly context: Context
  /** Fires when the call should stop: the run was left, a sibling failed fatally, or `timeoutMs` is over. */
  readonly signal: AbortSignal
  /** The call's id: unique in the run and the same after a restart. Give it to services that take an idempotency key. */
  readonly idempotencyKey: string
  /**
   * What strangers wrote, between marks that nothing in it can close. For tools that are `untrusted` and have words of their
   * own to say beside it: where a result has such marks, the rest of it is taken for the tool's own.
   */
  fence<Some extends Content>(content: Some): Some
  readonly agent: string
  readonly runId: string
  /** @internal For agents that work as tools. */
  readonly parent?: ParentRun
}

export type ToolOptions<Schema extends SchemaLike, Context> = {
  /** Letters, digits, `_` and `-`, at most 64: what every provider takes. */
  name: string
  /** Tells the model when and how to use it. */
  description?: string
  /** zod 4, zod 3.25, a Standard Schema that knows its JSON Schema, or JSON Schema. Left out: the tool takes nothing. */
  input?: Schema
  /** The context that the tool needs; checked when a run starts. */
  context?: StandardSchema<unknown, Context>
  /** Default `once`. */
  effect?: Effect
  /** Milliseconds after which the call is answered with an error, whatever its body does. Default: none. */
  timeoutMs?: number
  /** Characters of the result that the model gets; the rest is cut, and the cut is told. Default 50,000. */
  maxResultChars?: number
  /** Ask for strict decoding. Then every property must be required. */
  strict?: boolean
  /** Ask a person first. A predicate sees the validated input; when it throws, the call is refused. */
  needsApproval?:
    | boolean
    | ((input: InferOutput<Schema>, execution: ToolExecution<Context>) => boolean | Promise<boolean>)
  /**
   * What it returns comes from strangers: a page, a server, a file that somebody sent. The model reads it, and the errors
   * that the tool throws, between marks that nothing in it can close, and the run is marked: see the agent's
   * `tightenOnUntrusted`. Errors of Clew's own, such as `InputError`, and what `respond()` gives are taken for the
   * program's words, and so is a result that says of itself `{ content, untrusted: false }`: "nothing was found".
   */
  untrusted?: boolean
  /** Its arguments leave the machine, though it may change nothing: a search, a fetched URL. */
  sends?: boolean
  /**
   * Milliseconds from when a call begins to wait in which its approval or its result can be given. Afterwards an answer is
   * refused, and the next `resume` closes the call with an error result. Default: no limit.
   */
  expiresMs?: number
  /**
   * The work: a value, a promise, or an async generator that yields progress and returns the result.
   * Any value will do: text goes to the model as it is, content parts too, all else as JSON. `{ content, view }` gives
   * the model `content` and people `view`. Left out: somebody else answers, and the run waits for `respond()`.
   */
  execute?: (input: InferOutput<Schema>, execution: ToolExecution<Context>) => unknown
  /** Stands in for `execute` in tests: the same result for the same input, and nothing outside is touched. */
  fake?: (input: InferOutput<Schema>, execution: ToolExecution<Context>) => unknown
}

/** A tool, ready for `new Agent({ tools })`. `Input` is what `execute` gets, `Context` what it needs. */
export interface Tool<in Input = never, in Context = unknown> {
  readonly name: string
  readonly description?: string
  readonly effect: Effect
  readonly timeoutMs?: number
  readonly maxResultChars: number
  readonly needsApproval?: boolean | ((input: Input, execution: ToolExecution<Context>) => boolean | Promise<boolean>)
  readonly expiresMs?: number
  readonly untrusted?: boolean
  readonly sends?: boolean
  readonly fake?: (input: Input, execution: ToolExecution<Context>) => unknown
  readonly execute?: (input: Input, execution: ToolExecution<Context>) => unknown
  /** The agent that takes over when the turn of this call is closed. See `agent.asHandoff()`. */
  readonly handoff?: string
  /** An agent works on its calls: they can wait, and are entered again after a crash. See `agent.asTool()`. */
  readonly isAgent?: true
  /** @internal The options of that agent. */
  readonly agent?: { readonly name: string }
  /** Validates parsed arguments. */
  readonly input: CompiledSchema
  /** Validates the caller's context, where the tool declared one. */
  readonly context?: StandardSchema<unknown, unknown>
  /** As the model sees it; a promise only before the schema's converter is loaded. */
  spec(): ToolSpec | Promise<ToolSpec>
}

/** The input of a tool that takes nothing. */
export type NoInput = StandardSchema<object, { [key: string]: never }>

export const defaultMaxResultChars = 50_000

type CheckedOption = 'name' | 'timeoutMs' | 'maxResultChars' | 'expiresMs' | 'effect'

const optionNames = [
  'name',
  'description',
  'input',
  'context',
  'effect',
  'timeoutMs',
  'maxResultChars',
  'strict',
  'needsApproval',
  'expiresMs',
  'untrusted',
  'sends',
  'execute',
  'fake',
] as const satisfies (keyof ToolOptions<SchemaLike, unknown>)[]

const otherWords = {
  parameters: 'input',
  inputSchema: 'input',
  schema: 'input',
  args: 'input',
  handler: 'execute',
  run: 'execute',
  timeout: 'timeoutMs',
  requireApproval: 'needsApproval',
}

const legalName = /^[a-zA-Z0-9_-]{1,64}$/
const reservedNames = ['auto', 'none', 'required']

/**
 * @throws DefinitionError when the name is illegal or the schema cannot be sent; the message names tool, path and remedy.
 */
export function tool<Schema extends SchemaLike = NoInput, Context = unknown>(
  options: ToolOptions<Schema, Context>,
): Tool<InferOutput<Schema>, Context> {
  const where = `Tool ${JSON.stringify(options?.name)}`
  checkOptions(options, where)
  const input = compileSchema(options.input ?? { type: 'object', properties: {} }, where)
  const toSpec = (json: JsonSchema): ToolSpec => ({
    name: options.name,
    ...(options.description !== undefined && { description: options.description }),
    parameters: options.strict ? strictForm(json, where) : json,
    ...(options.strict && { strict: true }),
  })
  const { json } = input
  let spec = typeof json === 'function' ? undefined : toSpec(json)
  const optional = options.strict && !spec ? findOptional(options.input) : undefined
  if (optional !== undefined) throw notStrict(optional, where)
  return {
    name: options.name,
    ...(options.description !== undefined && { description: options.description }),
    effect: options.effect ?? 'once',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    maxResultChars: options.maxResultChars ?? defaultMaxResultChars,
    ...(options.needsApproval !== undefined && { needsApproval: options.needsApproval }),
    ...(options.expiresMs !== undefined && { expiresMs: options.expiresMs }),
    ...(options.untrusted && { untrusted: true }),
    ...(options.sends && { sends: true }),
    ...(options.execute && { execute: options.execute }),
    ...(options.fake && { fake: options.fake }),
    input,
    ...(options.context && { context: options.context }),
    spec: () => spec ?? loadSpec(),
  }

  async function loadSpec(): Promise<ToolSpec> {
    spec ??= toSpec(await (json as () => Promise<JsonSchema>)())
    return spec
  }
}

function checkOptions(
  options: Pick<ToolOptions<SchemaLike, unknown>, CheckedOption> & { execute?: unknown; fake?: unknown },
  where: string,
): void {
  const { name } = options
  if (typeof name !== 'string' || !legalName.test(name)) {
    throw new DefinitionError(
      `${where}: a tool's name has 1 to 64 letters, digits, "_" or "-". Try ${JSON.stringify(legalise(name))}.`,
    )
  }
  if (reservedNames.includes(name)) {
    throw new DefinitionError(`${where}: this word means something else in toolChoice. Choose another name.`)
  }
  checkKeys(options, optionNames, where, otherWords)
  // Timers count in 32 bits: a longer one would fire at once. An expiry has to stay a date.
  for (const [key, bits] of [
    ['timeoutMs', 31],
    ['maxResultChars', 31],
    ['expiresMs', 52],
  ] as const) {
    const value = options[key]
    if (value !== undefined && !(typeof value === 'number' && value > 0 && value < 2 ** bits)) {
      throw new DefinitionError(
        `${where}: ${key} is ${String(value)}; give a number above 0 and below 2^${bits}, or leave it out.`,
      )
    }
  }
  if (options.effect !== undefined && !['once', 'idempotent', 'pure'].includes(options.effect)) {
    throw new DefinitionError(
      `${where}: effect is ${JSON.stringify(options.effect)}; it is "once", "idempotent" or "pure".`,
    )
  }
  if (options.fake !== undefined && typeof options.fake !== 'function') {
    throw new DefinitionError(`${where}: fake is no function. It stands in for execute in tests.`)
  }
  if (options.execute !== undefined && typeof options.execute !== 'function') {
    throw new DefinitionError(`${where}: execute is no function. Leave it out for a tool that somebody else answers.`)
  }
}

/** A name that every provider takes, as near to `name` as can be. */
export function legalise(name: unknown): string {
  return (
    String(name ?? '')
      .replace(/[^a-zA-Z0-9_-]+/g, '_')
      .slice(0, 64) || 'tool'
  )
}

/** True when every provider takes the name in a history. */
export function isLegalName(name: string): boolean {
  return legalName.test(name)
}

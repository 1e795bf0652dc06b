/** Judges spans and metrics as `../shared/cases/otel-genai` says: names, types, span names, required attributes, messages. */
import { readFileSync } from 'node:fs'
import { type Schema, Validator } from '@cfworker/json-schema'
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { hasShared } from '../../../test/shared.ts'
import type { Point } from './exported.ts'

type Level = string | { [level: string]: string }
type Registry = {
  attributes: { [name: string]: { type: string; members: string[] | null } }
  spans: { [id: string]: { kind: string; attributes: { [name: string]: Level } } }
  metrics: { [name: string]: { instrument: string; unit: string } }
  deprecated: { id: string; deprecated: { note?: string } | null }[]
  npmNames: string[]
}

const folder = new URL('../../../../shared/cases/otel-genai/', import.meta.url)
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const registry = hasShared ? (read('registry.json') as Registry) : undefined

/** That a name moved to a repository of its own makes it no other name. */
const deprecated = new Set(
  registry?.deprecated.flatMap(({ id, deprecated: why }) => (why?.note?.startsWith('Moved to') ? [] : [id])),
)

const schemas: { [name: string]: string } = {
  'gen_ai.input.messages': 'gen-ai-input-messages.schema.json',
  'gen_ai.output.messages': 'gen-ai-output-messages.schema.json',
  'gen_ai.system_instructions': 'gen-ai-system-instructions.schema.json',
  'gen_ai.tool.definitions': 'gen-ai-tool-definitions.schema.json',
}
const validators = new Map(
  hasShared
    ? Object.entries(schemas).map(([name, file]) => {
        const validator = new Validator(read(file) as Schema, '2020-12')
        validator.addSchema({ type: ['object', 'boolean'] }, 'http://json-schema.org/draft-07/schema')
        return [name, validator]
      })
    : [],
)

/** Which span of the registry an operation is, and what its name ends with. */
const operations: { [operation: string]: { id: string; target: string } } = {
  chat: { id: 'span.gen_ai.inference.client', target: 'gen_ai.request.model' },
  invoke_agent: { id: 'span.gen_ai.invoke_agent.internal', target: 'gen_ai.agent.name' },
  execute_tool: { id: 'span.gen_ai.execute_tool.internal', target: 'gen_ai.tool.name' },
  retrieval: { id: 'span.gen_ai.retrieval.client', target: 'gen_ai.data_source.id' },
}

/** What is met in every span of ours of its kind. */
const met: { [operation: string]: string[] } = {
  chat: ['gen_ai.request.model', 'gen_ai.conversation.id'],
  invoke_agent: ['gen_ai.agent.name', 'gen_ai.conversation.id'],
  execute_tool: [],
  retrieval: ['gen_ai.data_source.id'],
}

/** What is wrong with a span; nothing is right. */
export function problemsOf(span: ReadableSpan): string[] {
  const { attributes, name } = span
  const operation = attributes['gen_ai.operation.name']
  if (typeof operation !== 'string') return [`${name}: no gen_ai.operation.name`]
  const problems = [attributes, ...span.events.map((event) => event.attributes ?? {})].flatMap(problemsOfNames)
  const form = operations[operation]
  if (form) {
    const { kind, attributes: levels } = registry!.spans[form.id]!
    if (SpanKind[span.kind]?.toLowerCase() !== kind) problems.push(`its kind is ${SpanKind[span.kind]}`)
    if (name !== `${operation} ${attributes[form.target]}`)
      problems.push(`its name is no "${operation} {${form.target}}"`)
    const required = Object.keys(levels).filter((key) => levels[key] === 'required' || met[operation]?.includes(key))
    for (const key of required) if (attributes[key] === undefined) problems.push(`${key} is missing`)
    const isFailed = span.status.code === SpanStatusCode.ERROR
    if (isFailed !== (attributes['error.type'] !== undefined)) problems.push('error.type and the status disagree')
    const isStreamed = attributes['gen_ai.response.time_to_first_chunk'] !== undefined
    if (isStreamed !== (attributes['gen_ai.request.stream'] === true)) problems.push('gen_ai.request.stream is wrong')
  }
  return problems.map((problem) => `${name}: ${problem}`)
}

function problemsOfNames(attributes: Attributes): string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    if (!/^(gen_ai|mcp)\./.test(name)) return []
    const known = registry!.attributes[name]
    if (!known && !registry!.npmNames.includes(name)) return [`${name} is no name`]
    if (deprecated.has(name)) return [`${name} is deprecated`]
    if (known && !fits(value, known.type)) return [`${name} is ${JSON.stringify(value)}, no ${known.type}`]
    const validator = validators.get(name)
    if (!validator) return []
    const { valid, errors } = validator.validate(JSON.parse(String(value)))
    return valid ? [] : [`${name}: ${errors.map(({ error }) => error).join('; ')}`]
  })
}

function fits(value: unknown, type: string): boolean {
  if (type === 'int') return Number.isInteger(value)
  if (type === 'double') return typeof value === 'number' && Number.isFinite(value)
  if (type === 'string' || type === 'enum') return typeof value === 'string' && value !== ''
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'string[]') return Array.isArray(value) && value.every((each) => typeof each === 'string')
  return true
}

export function problemsOfPoint({ name, unit, attributes }: Point): string[] {
  const known = registry!.metrics[name]
  const problems = problemsOfNames(attributes)
  if (!known) problems.push('is no metric')
  else if (known.unit !== unit) problems.push(`its unit is ${unit}, not ${known.unit}`)
  return problems.map((problem) => `${name}: ${problem}`)
}

/** The names of Clew's own and their types, as docs/tracing.md has them. */
const documented = new Map(
  [
    ...readFileSync(new URL('../../../docs/tracing.md', import.meta.url), 'utf8').matchAll(
      /^\| `(clew\.[\w.]+)` +\| (\w+(?:\[\])?)/gm,
    ),
  ].map((match) => [match[1] as string, match[2] as string]),
)

export function undocumented(span: ReadableSpan): string[] {
  const notes = span.events.map(({ name }) => name).filter((name) => !documented.has(name))
  const facts = [span.attributes, ...span.events.map((event) => event.attributes ?? {})]
    .flatMap((attributes) => Object.entries(attributes))
    .filter(([name]) => name.startsWith('clew.'))
    .filter(([name, value]) => !documented.has(name) || !fits(value, documented.get(name)!))
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  return [...notes, ...facts]
}

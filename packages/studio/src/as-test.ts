/** `asTest()` writes a run as a test: a scripted model says what the model said, stubs give what the tools gave. */
import type { Json } from '@clew/core'
import { heads, type Reader } from './reader.ts'
import type { Part, Said, SpanContent, SpanRow, Trace } from './wire.ts'

type Call = { span: SpanRow; content: SpanContent }

/** The text of a test file, for `node:test`; nothing for a run that is not there. */
export function asTest(reader: Reader, id: string): string | undefined {
  const trace = reader.trace(id)
  if (!trace) return undefined
  const outermost = heads(trace.spans).map(({ id }) => id)
  const under = (kind: SpanRow['kind']): Call[] =>
    trace.spans
      .filter((span) => span.kind === kind && outermost.includes(span.parent ?? ''))
      .map((span) => ({ span, content: reader.content(id, span.id) ?? { attributes: {}, events: [] } }))
  const [calls, tools] = [under('model'), under('tool')]
  if (calls.every(({ content }) => !content.answer)) return missing(trace)
  return write(trace, calls, tools)
}

function write({ run }: Trace, calls: Call[], tools: Call[]): string {
  const first = calls.find(({ content }) => content.request)?.content.request
  const names = [...new Set(tools.map(({ span }) => span.name))]
  const last = textOf(calls.at(-1)?.content.answer)
  const imports = [
    "import assert from 'node:assert/strict'",
    "import { test } from 'node:test'",
    `import { Agent${names.length > 0 ? ', tool' : ''} } from 'clew'`,
    "import { scriptedModel } from 'clew/testing'",
  ]
  return `${imports.join('\n')}

test(${code(`answers: ${(run.title ?? run.agent).slice(0, 80)}`)}, async () => {
  const model = scriptedModel([
${calls.map(({ span, content }) => indent(reply(span, content), 4)).join(',\n')},
  ])
${names.map((name) => `${indent(stub(name, tools, first?.tools ?? []), 2)}\n`).join('')}\
  const agent = new Agent({
    name: ${code(run.agent)},
    model,
${first?.instructions === undefined ? '' : `    instructions: ${code(first.instructions)},\n`}\
    tools: [${names.map(variable).join(', ')}],
  })
  const result = await agent.run(${code(question(first?.messages))})
${run.status === 'done' ? `  assert.equal(result.text, ${code(last)})\n` : `  assert.equal(result.status, ${code(run.status)})\n`}\
  model.assertComplete()
})
`
}

function reply(span: SpanRow, { answer, error }: SpanContent): string {
  if (!answer) return `new Error(${code(error ?? span.error ?? 'The call failed.')})`
  const parts = answer.flatMap(({ parts }) => parts)
  const calls = parts.filter(({ type }) => type === 'tool_call')
  const reasoning = parts.flatMap((part) => (part.type === 'reasoning' ? [String(part.content)] : [])).join('')
  const text = textOf(answer)
  return code({
    ...(reasoning && { reasoning }),
    ...(text && { text }),
    ...(calls.length > 0 && { calls: calls.map((part) => ({ name: part.name!, arguments: part.arguments ?? {} })) }),
  })
}

/** Gives the results in the order in which the calls began. */
function stub(
  name: string,
  tools: Call[],
  definitions: { name: string; description?: string; parameters?: Json }[],
): string {
  const results = tools.filter(({ span }) => span.name === name)
  const { description, parameters } = definitions.find((definition) => definition.name === name) ?? {}
  return `const ${camel(name)}Results = ${code(results.map(({ content }) => content.result ?? content.error ?? ''))}
const ${variable(name)} = tool({
  name: ${code(name)},
${description === undefined ? '' : `  description: ${code(description)},\n`}\
${parameters === undefined ? '' : `  input: ${indent(code(parameters), 2).trimStart()},\n`}\
  execute: () => ${camel(name)}Results.shift(),
})`
}

function missing({ run }: Trace): string {
  return `// The run ${run.id} was traced without what was said, so there is no answer to play. Trace with content to copy it as a test.\n`
}

/** What was asked last before the first answer. */
function question(messages: Said[] = []): string {
  return textOf(messages.filter(({ role }) => role === 'user').slice(-1))
}

function textOf(messages: Said[] = []): string {
  const texts = ({ parts }: { parts: Part[] }) =>
    parts.flatMap((part) => (part.type === 'text' ? [String(part.content)] : []))
  return messages.flatMap(texts).join('')
}

const variable = (name: string) => `${camel(name)}Tool`
const camel = (name: string) =>
  name.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string = '') => next.toUpperCase()).replace(/^(?=\d|$)/, 'a')

/** A value as TypeScript. What ends a line for a script but not for JSON is written by its number. */
function code(value: Json): string {
  const text = JSON.stringify(value, null, 2).replace(/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16)}`
  })
  // Written like any other key, this one would set the prototype.
  const safe = text.replace(/^(\s*)"__proto__":/gm, '$1["__proto__"]:')
  return safe.replace(/^(\s*)"([A-Za-z_$][\w$]*)":/gm, '$1$2:')
}

const indent = (text: string, by: number) => text.replace(/^/gm, ' '.repeat(by))

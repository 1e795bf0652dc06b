/**
 * `testPlugin()`: what every tool package keeps to, as tests for any runner:
 *
 *     for (const { name, run } of testPlugin(theirs, { calls: { search: [{ words: 'wool' }] }, answer })) it(name, run)
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import {
  approve,
  type Content,
  callTool,
  type HostParts,
  isClewError,
  type Json,
  type Plugin,
  type PluginFactory,
  type Tool,
  type ToolEnd,
  textOf,
} from '@clew/core'
import { fakes } from './fakes.ts'
import { noCommands, silence, troubles } from './plugin-outside.ts'
import type { ContractCase } from './session-contract.ts'
import { checkSchema, isRecord } from './strict-schema.ts'

export type TestPluginOptions = {
  /** What the plugin is called with. */
  config?: unknown
  /** By tool, inputs that it works with. Each tool needs one. */
  calls: { [tool: string]: readonly object[] }
  /** What the services answer to these calls, as they do in the documents of their API. */
  answer?: (request: Request) => Response | Promise<Response>
  /** What the commands come to. */
  run?: HostParts['run']
  /** Hears what the model reads of each call: `(text, name) => expect(text).toMatchSnapshot(name)`. */
  snapshot?: (text: string, name: string) => void
}

/** The limit of OpenAI for a tool's description, platform.openai.com/docs/api-reference/chat. */
const maxDescription = 1024
/** A call that was aborted and has not ended after this time does not listen. */
const patienceMs = 2_000

type Bench = { options: TestPluginOptions; make: (parts?: HostParts) => Plugin; secrets: string[] }

/** Each case rejects with an `AssertionError` that names the tool and what it has to do. */
export function testPlugin(factory: PluginFactory<never>, options: TestPluginOptions): ContractCase[] {
  const names = factory.facts.capabilities.secrets ?? []
  const secrets = Object.fromEntries(names.map((name, at) => [name, `very-secret-${at}-9f3c`]))
  const make = (parts: HostParts = {}) =>
    (factory as unknown as (config: unknown, parts: HostParts) => Plugin)(options.config, {
      fetch: async () => {
        throw new Error('nothing may be fetched here')
      },
      run: noCommands,
      secrets,
      ...parts,
    })
  const bench = { options, make, secrets: Object.values(secrets) }
  return cases.map(([name, check]) => ({ name: `${factory.facts.name}: ${name}`, run: async () => check(bench) }))
}

const cases: [string, (bench: Bench) => void | Promise<void>][] = [
  [
    'its tools are described, and every part of their input',
    async ({ make }) => {
      for (const tool of make().tools) {
        const { parameters } = await tool.spec()
        const words = tool.description ?? ''
        assert.ok(words.trim() !== '', `Tool "${tool.name}" has no description.`)
        assert.ok(words.length <= maxDescription, `The description of "${tool.name}" is longer than ${maxDescription}.`)
        const parts = isRecord(parameters.properties) ? Object.entries(parameters.properties) : []
        for (const [key, part] of parts) {
          assert.ok(isRecord(part) && part.description, `Tool "${tool.name}": its input "${key}" has no description.`)
        }
      }
    },
  ],
  [
    'its schemas can be sent',
    async ({ make }) => {
      for (const tool of make().tools) {
        const { parameters } = await tool.spec()
        assert.equal(checkSchema(parameters, parameters, tool.name), undefined)
      }
    },
  ],
  [
    'its tools do what they are for, within their caps',
    async (bench) => {
      const { answer, run } = bench.options
      const wrong: unknown[] = []
      const ask = async (request: unknown) => {
        try {
          return await answer?.(request as Request)
        } catch (error) {
          wrong.push(error)
          throw error
        }
      }
      const plugin = bench.make({ ...(answer && { fetch: ask as typeof fetch }), ...(run && { run }) })
      for (const [tool, input, label] of callsOf(plugin, bench)) {
        const { content, isError } = await call(tool, input)
        // An assertion of the test in its answer is not for the tool to explain.
        if (wrong.length > 0) throw wrong[0]
        assert.ok(!isError, `${label} failed: ${textOf(content)}`)
        checkCap(tool, content, label)
        bench.options.snapshot?.(readable(content), label)
      }
    },
  ],
  [
    'whatever its services answer comes back as a result or a clear error, with no secret in it',
    async (bench) => {
      for (const { name, fetch } of troubles) {
        const plugin = bench.make({ fetch })
        for (const [tool, input, label] of callsOf(plugin, bench)) {
          const where = `${label}, whose service ${name}`
          const { content, isError } = await call(tool, input)
          const text = textOf(content)
          for (const secret of bench.secrets) assert.ok(!text.includes(secret), `${where}: a secret is in its result.`)
          checkCap(tool, content, where)
          if (isError) await checkTyped(tool, input, where)
        }
      }
    },
  ],
  [
    'a call that is aborted ends',
    async (bench) => {
      let controller = new AbortController()
      const plugin = bench.make({ fetch: silence(() => controller.abort()) })
      for (const [tool, input, label] of callsOf(plugin, bench)) {
        controller = new AbortController()
        const ends = direct(tool, input, controller.signal).catch(() => {})
        const isOver = await Promise.race([ends.then(() => true), patience()])
        assert.ok(isOver, `${label} goes on after its abort. Give its signal to whatever waits.`)
      }
    },
  ],
  [
    'its fakes touch nothing, and say the same each time',
    async (bench) => {
      const asked: string[] = []
      const parts: HostParts = {
        fetch: async (input) => {
          asked.push((input as Request).url)
          throw new Error('a fake fetched')
        },
        run: async (command) => {
          asked.push(command)
          return { code: 1, stdout: '', stderr: '' }
        },
      }
      const faked = { ...bench.make(parts), tools: fakes(bench.make(parts).tools) }
      for (const [tool, input, label] of callsOf(faked, bench)) {
        const [one, two] = [await call(tool, input), await call(tool, input)]
        assert.ok(!one.isError, `The fake of ${label} failed: ${textOf(one.content)}`)
        assert.ok(isDeepStrictEqual(bare(one), bare(two)), `The fake of ${label} says another thing each time.`)
        assert.deepEqual(asked, [], `The fake of ${label} reached out.`)
      }
    },
  ],
]

function* callsOf(plugin: Plugin, { options }: Bench): Generator<[Tool<never>, Json, string]> {
  for (const tool of plugin.tools) {
    if (!tool.execute) continue
    const inputs = options.calls[tool.name] ?? []
    assert.ok(
      inputs.length > 0,
      `There is no call of "${tool.name}" to test. Give one: calls: { ${tool.name}: [{ … }] }.`,
    )
    for (const input of inputs) yield [tool, input as Json, `${tool.name}(${JSON.stringify(input).slice(0, 80)})`]
  }
}

const callId = 'test-call'

async function call(tool: Tool<never>, input: Json): Promise<ToolEnd> {
  const running = callTool(
    [tool],
    { name: tool.name, arguments: input, id: callId },
    // The same marks each time, for snapshots.
    { caller: 'test', mark: callId, policy: () => approve() },
  )
  for (;;) {
    const { done, value } = await running.next()
    if (!done) continue
    assert.ok(value.type === 'tool-end', `"${tool.name}" waits for an answer.`)
    return value
  }
}

/** The body itself, without the door around it that ends it in any case. */
async function direct(tool: Tool<never>, input: Json, signal: AbortSignal): Promise<unknown> {
  const checked = await tool.input.validate(input)
  assert.ok(checked.ok, `${JSON.stringify(input)} does not fit "${tool.name}".`)
  const execution = {
    context: undefined,
    signal,
    idempotencyKey: callId,
    fence: <Some extends Content>(content: Some) => content,
    agent: 'test',
    runId: 'test',
  }
  const value = await tool.execute?.(checked.value as never, execution)
  if (!isRecord(value) || !(Symbol.asyncIterator in value)) return value
  for await (const _ of value as AsyncIterable<unknown>);
  return undefined
}

async function checkTyped(tool: Tool<never>, input: Json, where: string): Promise<void> {
  try {
    await direct(tool, input, new AbortController().signal)
  } catch (error) {
    const isOurs = isClewError(error) || (error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name))
    assert.ok(isOurs, `${where}: it threw ${String(error)}. Throw an InputError that says what to do next.`)
  }
}

function checkCap(tool: Tool<never>, content: Content, label: string): void {
  const room = 1000
  assert.ok(textOf(content).length <= tool.maxResultChars + room, `${label} gives more than its cap.`)
}

const readable = (content: Content) => (typeof content === 'string' ? content : JSON.stringify(content, null, 2))
const bare = ({ content, view, isError }: ToolEnd) => ({ content, view, isError })

async function patience(): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, patienceMs).unref())
  return false
}

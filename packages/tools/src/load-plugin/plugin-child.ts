/** The process of one isolated plugin: it makes the plugin, and works on the calls that the program sends. */
import { Socket } from 'node:net'
import {
  approve,
  callTool,
  describeError,
  type HostParts,
  InputError,
  type Plugin,
  type PluginFactory,
  type Tool,
  type ToolExecution,
} from '@clew/core'
import { closeDoors } from '../jail/close-doors.ts'
import { type CallFacts, type FromPlugin, type ToolFacts, type ToPlugin, type WireResponse, wire } from './wire.ts'

if (!process.permission || process.permission.has('fs.write')) {
  throw new Error('The permission model is not in force: this program does not run on Node.')
}
closeDoors()
const pipe = new Socket({ fd: 3, readable: true, writable: true })
const send = wire<FromPlugin, ToPlugin>(pipe, hear, () => process.exit(1))
pipe.on('end', () => process.exit(0))

const aborts = new Map<number, AbortController>()
const asked = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
let lastAsked = 0
let plugin: Plugin | undefined
let factory: PluginFactory<unknown> | undefined

await begin()

async function begin(): Promise<void> {
  try {
    const module = (await import(process.argv[2] as string)) as { default?: PluginFactory<unknown> }
    const { facts } = module.default ?? {}
    if (!facts) throw new Error('its default export is not what definePlugin() makes')
    factory = module.default
    send({ type: 'facts', facts })
  } catch (error) {
    send({ type: 'failed', message: describeError(error) })
  }
}

function hear(message: ToPlugin): void {
  switch (message.type) {
    case 'load':
      void load(message.config, message.secrets)
      break
    case 'execute':
      void execute(message.id, message)
      break
    case 'approve':
      void decide(message.id, message)
      break
    case 'abort':
      aborts.get(message.id)?.abort()
      break
    case 'answer':
      asked.get(message.id)?.resolve(message.value as never)
      asked.delete(message.id)
      break
    case 'refusal':
      asked.get(message.id)?.reject(new InputError(message.message))
      asked.delete(message.id)
  }
}

async function load(config: unknown, secrets: { [name: string]: string }): Promise<void> {
  try {
    const parts: HostParts = { fetch: fetchOutside, run: runOutside, secrets }
    const made = (factory as ((config: unknown, parts: HostParts) => Plugin) | undefined)?.(config, parts)
    if (!made) return
    if (made.use.length > 0)
      throw new Error('it has middleware, which works inside of the program: load it without isolate')
    plugin = made
    const { name, capabilities, core, instructions } = made
    const tools = await Promise.all(made.tools.map(factsOf))
    send({
      type: 'loaded',
      plugin: { name, capabilities, core, ...(instructions !== undefined && { instructions }), tools },
    })
  } catch (error) {
    send({ type: 'failed', message: describeError(error) })
  }
}

async function factsOf(tool: Tool<never>): Promise<ToolFacts> {
  const { name, description, effect, timeoutMs, maxResultChars, expiresMs, untrusted, sends, needsApproval } = tool
  const { parameters } = await tool.spec()
  return {
    name,
    effect,
    maxResultChars,
    parameters,
    isAnswered: tool.execute === undefined,
    ...(description !== undefined && { description }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(untrusted && { untrusted }),
    ...(sends && { sends }),
    ...(needsApproval !== undefined && { needsApproval: typeof needsApproval === 'function' ? 'asks' : needsApproval }),
  }
}

async function execute(id: number, { tool, input, callId, agent, mark }: CallFacts): Promise<void> {
  const controller = new AbortController()
  aborts.set(id, controller)
  try {
    // The program has asked for the approval.
    const { signal } = controller
    const options = { caller: agent, signal, policy: () => approve(), ...(mark !== undefined && { mark }) }
    const call = callTool(plugin?.tools ?? [], { name: tool, arguments: input, id: callId }, options)
    for (;;) {
      const { done, value } = await call.next()
      if (!done && value.type === 'tool-progress') send({ type: 'progress', id, data: value.data })
      if (!done) continue
      if (value.type === 'tool-wait') throw new Error('It waits for an answer, and cannot in a process of its own.')
      const { content, view, isError, untrusted } = value
      return send({
        type: 'result',
        id,
        content,
        ...(view !== undefined && { view }),
        ...(isError && { isError }),
        ...(untrusted && { untrusted }),
      })
    }
  } catch (error) {
    send({ type: 'refusal', id, message: describeError(error) })
  } finally {
    aborts.delete(id)
  }
}

/** Whether a call needs an approval, where the tool decides by its input. */
async function decide(id: number, { tool: name, input, callId, agent }: CallFacts): Promise<void> {
  try {
    const tool = plugin?.tools.find((each) => each.name === name)
    const checked = await tool?.input.validate(input)
    const ask = tool?.needsApproval as ((input: unknown, execution: ToolExecution) => unknown) | undefined
    if (!checked?.ok || !ask) throw new Error('its input does not fit')
    const { signal } = new AbortController()
    const execution: ToolExecution = {
      context: undefined,
      signal,
      idempotencyKey: callId,
      agent,
      runId: '',
      fence: (content) => content,
    }
    send({ type: 'approval', id, value: (await ask(checked.value, execution)) !== false })
  } catch (error) {
    send({ type: 'refusal', id, message: describeError(error) })
  }
}

/** What the process may not do itself the program does for it, as far as the plugin declared it. */
function ask<Value>(message: (id: number) => FromPlugin, signal?: AbortSignal | null): Promise<Value> {
  lastAsked += 1
  const id = lastAsked
  return new Promise<Value>((resolve, reject) => {
    asked.set(id, { resolve, reject })
    signal?.addEventListener('abort', () => {
      asked.delete(id)
      send({ type: 'cancel', id })
      reject(signal.reason)
    })
    send(message(id))
  })
}

async function fetchOutside(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const bytes = Buffer.from(await request.arrayBuffer())
  const { url, method, headers, signal } = request
  const body = bytes.length > 0 ? { body: bytes.toString('base64') } : {}
  const wired = { url, method, headers: [...headers] as [string, string][], ...body }
  const answer = await ask<WireResponse>((id) => ({ type: 'fetch', id, request: wired }), signal)
  const isBare = [101, 204, 205, 304].includes(answer.status)
  return new Response(isBare ? null : Buffer.from(answer.body, 'base64'), answer)
}

const runOutside: NonNullable<HostParts['run']> = (command, args, { input, signal } = {}) =>
  ask((id) => ({ type: 'run', id, command, args: [...args], ...(input !== undefined && { input }) }), signal)

/**
 * A request as bytes (sections 2 and 9.1 of the wire contract). Messages and tools are serialised once and kept by
 * identity; what may change from turn to turn stands behind them, so that a request begins with the one before.
 */
import type { ModelRequest, ToolSpec } from '@clew/core'
import { toMark } from './cache-control.ts'
import { MessageEncoder } from './messages.ts'
import { toWireServerTool } from './parameters.ts'
import type { OutputStrategy, Profile } from './profile.ts'
import { pinnedProvider, pinTo } from './routing.ts'
import type { OpenRouterSettings } from './settings.ts'

export type EncoderOptions = {
  model: string
  profile: Profile
  settings: OpenRouterSettings
  /** The fields that the settings ask for. */
  parameters: { [field: string]: unknown }
  output: OutputStrategy
  takes: readonly string[] | undefined
}

export class RequestEncoder {
  readonly #options: EncoderOptions
  readonly #messages: MessageEncoder
  readonly #serverTools: string[]
  readonly #gone = new Set<string>()
  readonly #encodedTools = new WeakMap<ToolSpec, string>()

  constructor(options: EncoderOptions) {
    const { model, profile, settings, takes } = options
    this.#options = options
    const mark = toMark(settings.cacheControl)
    this.#messages = new MessageEncoder({ model, fallbacks: settings.models ?? [], profile, mark, takes })
    this.#serverTools = (settings.serverTools ?? []).map((tool) => JSON.stringify(toWireServerTool(tool)))
  }

  encode(request: ModelRequest): string {
    const { model, profile, output } = this.#options
    const { provider, ...parameters } = this.#options.parameters
    const { tools, toolChoice, conversation } = request
    // Providers refuse this one without tools.
    if (tools.length === 0) delete parameters.parallel_tool_calls
    // Sticky routing: a conversation stays with its provider, and with that one's cache (sections 4.2 and 6.4.6).
    if (profile.openRouterFields && conversation) parameters.session_id ??= conversation
    const head = JSON.stringify({
      model,
      ...parameters,
      ...(request.output && !parameters.response_format && formatOf(request.output, output)),
    })
    const allTools = [...tools.map((tool) => this.#encodeTool(tool)), ...this.#serverTools]
    const toolsText = allTools.length > 0 ? `,"tools":[${allTools.join(',')}]` : ''
    const messages = this.#messages.encode(
      systemText(request, parameters.response_format ? 'json_schema' : output),
      request.messages,
    )
    const tail: { [field: string]: unknown } = {}
    if (toolChoice !== undefined) tail.tool_choice = wireToolChoice(toolChoice, profile)
    const pin = this.#pin(request)
    if (pin !== undefined) tail.provider = pinTo(pin, provider)
    else if (provider !== undefined) tail.provider = provider
    tail.stream = true
    return `${head.slice(0, -1)}${toolsText},"messages":[${messages.join(',')}],${JSON.stringify(tail).slice(1)}`
  }

  /** Reasoning that an upstream refused is not sent again. Returns whether there was any. */
  withholdDetails({ messages }: ModelRequest): boolean {
    return this.#messages.withholdDetails(messages)
  }

  /** The provider that the request is held to is not to be had. Returns whether it was held to one. */
  unpin(request: ModelRequest): boolean {
    const pin = this.#pin(request)
    if (pin !== undefined) this.#gone.add(pin)
    return pin !== undefined
  }

  #pin({ messages }: ModelRequest): string | undefined {
    if (!this.#options.profile.openRouterFields) return undefined
    const pin = pinnedProvider(messages, (message) => this.#messages.details(message))
    return pin !== undefined && this.#gone.has(pin) ? undefined : pin
  }

  #encodeTool(tool: ToolSpec): string {
    let text = this.#encodedTools.get(tool)
    if (text === undefined) {
      const { name, description, parameters, strict } = tool
      text = JSON.stringify({
        type: 'function',
        function: { name, ...(description && { description }), parameters, ...(strict && { strict }) },
      })
      this.#encodedTools.set(tool, text)
    }
    return text
  }
}

/** Section 2.2. A provider may take the schema for a hint, so the answer is checked against it all the same, by core. */
function formatOf(schema: NonNullable<ModelRequest['output']>, strategy: OutputStrategy): object {
  if (strategy === 'words') return {}
  if (strategy === 'json_object') return { response_format: { type: 'json_object' } }
  return { response_format: { type: 'json_schema', json_schema: { name: 'output', schema } } }
}

/** What cannot be said by a schema is said in words. */
function systemText({ instructions = '', output }: ModelRequest, strategy: OutputStrategy): string {
  if (!output || strategy === 'json_schema') return instructions
  const words = `Your final answer is one JSON object that fits this JSON Schema, and nothing else:\n${JSON.stringify(output)}`
  return instructions === '' ? words : `${instructions}\n\n${words}`
}

function wireToolChoice(choice: string, { namedToolChoice }: Profile) {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  return namedToolChoice ? { type: 'function', function: { name: choice } } : 'required'
}

/**
 * A request as bytes. Each message and tool is serialised once and kept by identity, so that the messages and tools of
 * turn n + 1 begin with the very text of turn n, and a long history is not serialised again every turn. What may
 * change from turn to turn stands behind the messages.
 */
import type { AssistantMessage, Content, ContentPart, Message, ModelRequest, ToolSpec } from '@clew/core'
import { textOf } from '@clew/core'
import { sendableDetails } from './reasoning.ts'

export function encodeRequest(model: string, parameters: { [field: string]: unknown }, request: ModelRequest): string {
  const { tools, toolChoice, output } = request
  // Providers refuse this one without tools.
  if (tools.length === 0) parameters = { ...parameters, parallel_tool_calls: undefined }
  const head = JSON.stringify({
    model,
    ...parameters,
    ...(output && !parameters.response_format && { response_format: jsonFormat(output) }),
  })
  const tail: string[] = []
  if (toolChoice !== undefined) tail.push(`"tool_choice":${JSON.stringify(wireToolChoice(toolChoice))}`)
  tail.push('"stream":true')
  const toolsText = tools.length > 0 ? `,"tools":[${tools.map(encodeTool).join(',')}]` : ''
  return `${head.slice(0, -1)}${toolsText},"messages":[${encodeMessages(request).join(',')}],${tail.join(',')}}`
}

function jsonFormat(schema: ModelRequest['output']) {
  return { type: 'json_schema', json_schema: { name: 'output', schema } }
}

function wireToolChoice(choice: string) {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  return { type: 'function', function: { name: choice } }
}

const encodedTools = new WeakMap<ToolSpec, string>()

function encodeTool(tool: ToolSpec): string {
  let text = encodedTools.get(tool)
  if (text === undefined) {
    const { name, description, parameters, strict } = tool
    text = JSON.stringify({
      type: 'function',
      function: { name, ...(description && { description }), parameters, ...(strict && { strict }) },
    })
    encodedTools.set(tool, text)
  }
  return text
}

const encodedMessages = new WeakMap<Message, string>()

/** One system message at most, and first (section 13): instructions and leading system messages are one, later ones are user text. */
function encodeMessages({ instructions, messages }: ModelRequest): string[] {
  const leading = messages.findIndex((message) => message.role !== 'system')
  const rest = leading === -1 ? [] : messages.slice(leading)
  const system = [
    instructions,
    ...messages.slice(0, leading === -1 ? undefined : leading).map((message) => textOf(message.content)),
  ]
  const systemText = system.filter((text) => text).join('\n\n')
  const encoded = systemText === '' ? [] : [JSON.stringify({ role: 'system', content: systemText })]
  let calls: AssistantMessage['toolCalls']
  for (const message of rest) {
    if (message.role === 'assistant') calls = message.toolCalls
    let text = encodedMessages.get(message)
    if (text === undefined) {
      text = JSON.stringify(toWire(message, calls))
      encodedMessages.set(message, text)
    }
    encoded.push(text)
  }
  return encoded
}

function toWire(message: Message, calls: AssistantMessage['toolCalls']): object {
  switch (message.role) {
    case 'system':
      return { role: 'user', content: message.content }
    case 'user':
      return { role: 'user', content: wireContent(message.content) }
    case 'assistant':
      return wireAssistant(message)
    case 'tool': {
      const wireId = calls?.find((call) => call.id === message.callId)?.wireId ?? message.callId
      return { role: 'tool', tool_call_id: wireId, content: wireContent(message.content) }
    }
  }
}

/** Exactly what section 5.2 asks for: content (null beside calls where there is none), details, calls. Nothing computed. */
function wireAssistant({ content, reasoningDetails, source, toolCalls }: AssistantMessage): object {
  const text = wireContent(content)
  return {
    role: 'assistant',
    content: text === '' && toolCalls ? null : text,
    ...(reasoningDetails && { reasoning_details: sendableDetails(reasoningDetails, source?.model) }),
    ...(toolCalls && {
      tool_calls: toolCalls.map(({ wireId, name, arguments: text }) => ({
        id: wireId,
        type: 'function',
        function: { name, arguments: text },
      })),
    }),
  }
}

function wireContent(content: Content): string | object[] {
  if (typeof content === 'string') return content
  const [first] = content
  if (content.length === 1 && first?.type === 'text') return first.text
  return content.map(wirePart)
}

function wirePart(part: ContentPart): object {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: { url: part.url, ...(part.detail && { detail: part.detail }) } }
    case 'file':
      return { type: 'file', file: { filename: part.filename, file_data: part.data } }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'video':
      return { type: 'video_url', video_url: { url: part.url } }
  }
}

/** Messages between the program and a plugin's process: JSON, one a line, none longer than `maxLineBytes`. */
import type { Duplex } from 'node:stream'
import type { CommandResult, Content, Json, PluginFacts, Tool } from '@clew/core'

export const maxLineBytes = 32 * 1024 * 1024
/** Bytes that wait to be read by the other side. */
const maxWaitingBytes = 4 * maxLineBytes

type Told = 'name' | 'description' | 'effect' | 'timeoutMs' | 'maxResultChars' | 'expiresMs' | 'untrusted' | 'sends'

/** A tool as another process is told of it. `asks`: its approval is decided call by call. */
export type ToolFacts = Pick<Tool, Told> & {
  parameters: { [key: string]: unknown }
  needsApproval?: boolean | 'asks'
  isAnswered: boolean
}

export type PluginTold = PluginFacts & { instructions?: string; tools: ToolFacts[] }

/** What a tool is told of its call. `mark` is the id in the marks around what strangers wrote. */
export type CallFacts = { tool: string; input: Json; callId: string; agent: string; mark?: string }

/** From the program. Requests carry an id, answers that of what they answer. */
export type ToPlugin =
  | { type: 'load'; config?: unknown; secrets: { [name: string]: string } }
  | ({ type: 'execute' | 'approve'; id: number } & CallFacts)
  | { type: 'abort'; id: number }
  | { type: 'answer'; id: number; value: WireResponse | CommandResult }
  | { type: 'refusal'; id: number; message: string }

/** From the plugin. */
export type FromPlugin =
  | { type: 'facts'; facts: PluginFacts }
  | { type: 'loaded'; plugin: PluginTold }
  | { type: 'failed'; message: string }
  | { type: 'progress'; id: number; data: Json }
  | { type: 'result'; id: number; content: Content; view?: Json; isError?: true; untrusted?: true }
  | { type: 'approval'; id: number; value: boolean }
  | { type: 'refusal'; id: number; message: string }
  | { type: 'fetch'; id: number; request: WireRequest }
  | { type: 'run'; id: number; command: string; args: string[]; input?: string }
  | { type: 'cancel'; id: number }

/** Bodies are base64. */
export type WireRequest = { url: string; method: string; headers: [string, string][]; body?: string }
export type WireResponse = { status: number; headers: [string, string][]; body: string }

/**
 * Sends on `stream`, and hears what comes. `onBreak`: a line was too long or no JSON, or what is sent is not read;
 * nothing more is heard.
 */
export function wire<Out, In>(
  stream: Duplex,
  hear: (message: In) => void,
  onBreak: (reason: string) => void,
): (message: Out) => void {
  let open: Buffer[] = []
  let size = 0
  let isBroken = false
  const fail = (reason: string) => {
    isBroken = true
    open = []
    onBreak(reason)
  }
  stream.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0 && !isBroken; end = chunk.indexOf(10, start)) {
      open.push(chunk.subarray(start, end))
      start = end + 1
      const line = Buffer.concat(open).toString()
      open = []
      size = 0
      let message: In
      try {
        message = JSON.parse(line) as In
      } catch {
        return fail('it sent a line that is no JSON')
      }
      hear(message)
    }
    if (isBroken) return
    open.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > maxLineBytes) fail(`it sent a message of more than ${maxLineBytes} bytes`)
  })
  // A pipe whose other end is gone: the exit of the process tells more.
  stream.on('error', () => {})
  return (message) => {
    if (stream.writable) stream.write(`${JSON.stringify(message)}\n`)
    if (stream.writableLength > maxWaitingBytes && !isBroken) fail('it does not read what it is sent')
  }
}

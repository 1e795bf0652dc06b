/** `shortenArguments()`: long texts in the arguments of old calls give way to their beginning. */
import type { ToolCall } from '@clew/core'
import { type Draft, isEnough, looseSlots, messagesIn, replaceMessage } from './draft.ts'
import { headOf } from './text.ts'

/** Characters above which a text is long, and those that stay of it. */
const longest = 400
const headChars = 200

export function shortenArguments(draft: Draft): void {
  for (const slot of looseSlots(draft)) {
    if (isEnough(draft)) return
    const [message] = messagesIn(slot)
    if (message?.role !== 'assistant' || !message.toolCalls) continue
    const toolCalls = message.toolCalls.map(shortenCall)
    replaceMessage(draft, slot, 0, { ...message, toolCalls })
  }
}

function shortenCall(call: ToolCall): ToolCall {
  if (call.arguments.length <= longest) return call
  try {
    return { ...call, arguments: shortenTexts(call.arguments) }
  } catch {
    return call
  }
}

/** Works on the JSON text itself: what is not shortened stays as it was written, long numbers and doubled keys too. */
function shortenTexts(json: string): string {
  const pieces: string[] = []
  let done = 0
  for (let start = json.indexOf('"'); start !== -1; ) {
    const end = endOfText(json, start)
    if (end - start > longest && !isKey(json, end)) {
      const text = JSON.parse(json.slice(start, end)) as string
      if (text.length > longest) {
        pieces.push(json.slice(done, start), JSON.stringify(shortened(text)))
        done = end
      }
    }
    start = json.indexOf('"', end)
  }
  return pieces.join('') + json.slice(done)
}

/** The position behind the closing quote. */
function endOfText(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

function isKey(json: string, end: number): boolean {
  let at = end
  while (' \n\r\t'.includes(json[at] ?? '-')) at += 1
  return json[at] === ':'
}

function shortened(text: string): string {
  const head = headOf(text, headChars)
  return `${head}… [${text.length - head.length} more characters were left out to make room]`
}

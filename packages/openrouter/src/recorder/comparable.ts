/** `comparable(body)`: what of a request's body must be equal for a recording to answer it. */
import type { Json } from '@clew/core'
import { isObject } from '../json.ts'
import { scrubRequest } from './scrub.ts'

/** `text` is the same whatever the order of keys. */
export type Comparable = { value: Json; text: string }

/** `key`: the API key that the request carries. */
export function comparable(body: Json, key: string | undefined): Comparable {
  let value = scrubRequest(body, key)
  if (isObject(value)) {
    // The id is new for each conversation, and Clew always streams.
    const { session_id, stream, ...rest } = value
    value = Array.isArray(rest.messages) ? { ...rest, messages: countCalls(rest.messages) } : rest
  }
  return { value, text: JSON.stringify(value, sortKeys) }
}

/** Call ids as `call 1`, `call 2`: where a host gives none, Clew makes them, and they are others in each run. */
function countCalls(messages: Json[]): Json[] {
  const names = new Map<Json, string>()
  const nameOf = (id: Json) => {
    if (!names.has(id)) names.set(id, `call ${names.size + 1}`)
    return names.get(id) as string
  }
  return messages.map((message) => {
    if (!isObject(message)) return message
    const { tool_calls: calls, tool_call_id: id } = message
    return {
      ...message,
      ...(Array.isArray(calls) && {
        tool_calls: calls.map((call) => (isObject(call) && call.id ? { ...call, id: nameOf(call.id) } : call)),
      }),
      ...(id && { tool_call_id: nameOf(id) }),
    }
  })
}

function sortKeys(_: string, value: Json): Json {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

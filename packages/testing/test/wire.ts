/** What the tests of the server share: one POST, and the events of a stream. */
export const user = { role: 'user', content: 'Hi' }

export type Answered = { status: number; headers: Headers; text: string }

/** A body that is no text is sent as JSON. */
export async function post(url: string, body: unknown, headers: object = { authorization: 'Bearer k' }) {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

export type WireError = { error: { message: string; code?: unknown; metadata?: unknown }; user_id?: string }

export type Delta = {
  role?: string
  content?: string | null
  reasoning?: string | null
  reasoning_details?: { [key: string]: unknown }[]
  refusal?: string
  annotations?: unknown[]
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[]
}
export type Chunk = {
  id: string
  object: string
  created: number
  model: string
  provider: string
  choices: {
    index: number
    delta: Delta
    finish_reason: string | null
    native_finish_reason: string | null
    logprobs: null
  }[]
  usage?: { [field: string]: unknown }
}

/** The JSON events of a stream, without comments and `[DONE]`. */
export function chunksOf(text: string): Chunk[] {
  return eventsOf(text)
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)))
}

export function eventsOf(text: string): string[] {
  const events = text.split('\n\n')
  if (events.pop() !== '') throw new Error('The last event has no blank line behind it')
  return events
}

/** As a careful client merges the fragments of a stream (6.3 of the wire contract). */
export function mergedDetails(chunks: Chunk[]): { [key: string]: unknown }[] {
  const merged: { [key: string]: unknown }[] = []
  for (const fragment of chunks.flatMap((chunk) => chunk.choices[0]!.delta.reasoning_details ?? [])) {
    const last = merged.at(-1)
    const joins =
      ['reasoning.text', 'reasoning.summary'].includes(String(fragment.type)) &&
      last?.type === fragment.type &&
      last?.index === fragment.index &&
      (last?.id ?? fragment.id) === (fragment.id ?? last?.id)
    if (!last || !joins) {
      merged.push({ ...fragment })
      continue
    }
    for (const [key, value] of Object.entries(fragment)) {
      const grows = ['text', 'summary', 'signature'].includes(key) && typeof last[key] === 'string'
      if (grows) last[key] += String(value ?? '')
      else last[key] ??= value
    }
  }
  return merged
}

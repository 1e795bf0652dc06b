/** Reads a structured answer out of a model's text. */
import type { Json } from './json.ts'
import type { CompiledSchema } from './schema.ts'

export type ReadOutput = { ok: true; json: Json; value: unknown } | { ok: false; problems: string }

/** `json` as the model wrote it, `value` as the schema made it. Models like to put JSON into a fence; that is taken off. */
export async function readOutput(schema: CompiledSchema, text: string): Promise<ReadOutput> {
  const json = parseLoosely(text)
  if (json === undefined) {
    return { ok: false, problems: text.trim() === '' ? 'the answer is empty' : 'the answer is not JSON' }
  }
  const checked = await schema.validate(json)
  return checked.ok ? { ok: true, json, value: checked.value } : checked
}

function parseLoosely(text: string): Json | undefined {
  const fenced = /```(?:json)?\s*([\s\S]*?)```/i.exec(text)?.[1]
  for (const candidate of [text, fenced]) {
    if (candidate === undefined) continue
    try {
      return JSON.parse(candidate) as Json
    } catch {
      // The next candidate, or undefined.
    }
  }
  return undefined
}

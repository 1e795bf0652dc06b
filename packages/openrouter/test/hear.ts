/** One answer with every delta of it, and what the deltas said when put together. */
import type { Model, ModelDelta, ModelReply } from '@clew/core'
import { openrouter } from '../src/index.ts'
import { aRequest } from './ask.ts'
import { plain, streamOf } from './serve.ts'

export type Heard = { deltas: ModelDelta[]; reply?: ModelReply; error?: unknown }

export async function hear(model: Model): Promise<Heard> {
  const deltas: ModelDelta[] = []
  const answer = model.generate(aRequest())
  try {
    for (;;) {
      const next = await answer.next()
      if (next.done) return { deltas, reply: next.value }
      for (const delta of next.value) deltas.push(delta)
    }
  } catch (error) {
    return { deltas, error }
  }
}

/** A model whose first answer is these bytes; all that it is asked after that ends a run. */
export function playing(pieces: Uint8Array[], contentType = 'text/event-stream'): Model {
  let asked = 0
  const fetch = async () =>
    new Response(streamOf(asked++ === 0 ? pieces : plain.pieces), { headers: { 'content-type': contentType } })
  return openrouter('m/x', { apiKey: 'k', retries: 0, fetch })
}

export type Said = { text: string; reasoning: string; inputs: { name: string; arguments: string; isWhole: boolean }[] }

/** @throws Error for deltas in an order that makes no sense */
export function putTogether(deltas: ModelDelta[]): Said {
  const said: Said = { text: '', reasoning: '', inputs: [] }
  for (const delta of deltas) {
    switch (delta.type) {
      case 'text-delta':
        said.text += delta.text
        break
      case 'reasoning-delta':
        said.reasoning += delta.text
        break
      case 'tool-input-start':
        if (said.inputs[delta.index]) throw new Error(`Call ${delta.index} began twice.`)
        said.inputs[delta.index] = { name: delta.name, arguments: '', isWhole: false }
        break
      case 'tool-input-delta':
      case 'tool-input-end': {
        const input = said.inputs[delta.index]
        if (!input) throw new Error(`${delta.type} of call ${delta.index}, which did not begin.`)
        if (input.isWhole) throw new Error(`${delta.type} of call ${delta.index}, which had ended.`)
        if (delta.type === 'tool-input-delta') input.arguments += delta.text
        else input.isWhole = true
        break
      }
      default:
        throw new Error(`Unexpected delta ${delta.type}.`)
    }
  }
  return said
}

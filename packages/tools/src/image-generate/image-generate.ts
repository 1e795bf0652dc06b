/** `imageGenerate` lets a model have pictures made by another that makes them. */
import {
  Agent,
  type Content,
  type ContentPart,
  DefinitionError,
  type Middleware,
  type Model,
  type Tool,
} from '@clew/core'
import { z } from 'zod/v4'
import { checkNames } from '../guard/check-option.ts'

export type ImageGenerateOptions = {
  /** One whose answers hold images: `openrouter('google/gemini-2.5-flash-image', { modalities: ['image', 'text'] })`. */
  model: Model
  /** Ask a person first. Default false: what it costs counts in the run, and `limits.usd` bounds it. */
  needsApproval?: boolean
  /** Milliseconds for a picture. Default 180,000. */
  timeoutMs?: number
}

const input = z.object({
  prompt: z
    .string()
    .min(1)
    .max(10_000)
    .describe('What the picture shows, in full: things, style, colours, light, text in it, shape'),
})

/** A transparent pixel. */
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

/**
 * Made of an agent that works as a tool: its request is in the log and its cost in the usage of the run. The images stand
 * in the result, for the model that asked and for people; a model that takes no images cannot go on from there.
 * @throws DefinitionError for an option that cannot be used
 */
export function imageGenerate(options: ImageGenerateOptions): Tool<z.output<typeof input>> {
  checkNames('imageGenerate', options, ['model', 'needsApproval', 'timeoutMs'])
  const { model, needsApproval = false, timeoutMs = 180_000 } = options
  if (typeof model?.generate !== 'function') {
    throw new DefinitionError('imageGenerate: model is missing. Give one whose answers hold images.')
  }
  const painter = new Agent({ name: 'image_generate', model, limits: { ms: timeoutMs }, use: [noteOf(model.id)] })
  const made = painter.asTool({
    name: 'image_generate',
    description: 'Makes a picture from a description and shows it to you and to the user. Each picture costs money.',
    input,
    needsApproval,
    prompt: ({ prompt }) => prompt,
  })
  return { ...made, fake: () => noted([{ type: 'image', url: pixel }], model.id) }
}

/** Tells the model that asked what it got, or did not. */
function noteOf(id: string): Middleware {
  return {
    name: 'image_generate',
    async *model(request, next) {
      const reply = yield* next(request)
      return { ...reply, content: noted(reply.content, id) }
    },
  }
}

function noted(content: Content, id: string): ContentPart[] {
  const parts: ContentPart[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const count = parts.filter((part) => part.type === 'image').length
  const note =
    count === 0
      ? `No picture was made. What ${id} said instead:`
      : `${count === 1 ? '1 picture' : `${count} pictures`}, made by ${id}:`
  return [{ type: 'text', text: `${note}\n` }, ...parts]
}

/** What a card decides about a request: how the answer gets its shape, and what is worth a warning. */
import type { ModelCard } from './card.ts'
import type { OutputStrategy } from './profile.ts'

/** By its schema where some endpoint has that, else as some JSON object, else in words. */
export function outputStrategy({ supportedParameters }: ModelCard): OutputStrategy {
  if (supportedParameters.includes('structured_outputs')) return 'json_schema'
  return supportedParameters.includes('response_format') ? 'json_object' : 'words'
}

/** Fields whose support the catalogue tells (section 12 of the wire contract). */
const toldFields = new Set(
  (
    'temperature top_p top_k min_p top_a frequency_penalty presence_penalty repetition_penalty max_tokens ' +
    'max_completion_tokens logit_bias logprobs top_logprobs seed response_format stop parallel_tool_calls reasoning ' +
    'verbosity'
  ).split(' '),
)
const warned = new Set<string>()

/** A provider ignores what it lacks, silently; so it is said here, once for each model and field. */
export function warnOfUnknown(
  { id, supportedParameters, asOf }: ModelCard,
  fields: { [field: string]: unknown },
): void {
  if (supportedParameters.length === 0) return
  for (const field of Object.keys(fields)) {
    if (!toldFields.has(field) || supportedParameters.includes(field) || warned.has(`${id} ${field}`)) continue
    warned.add(`${id} ${field}`)
    warn(
      `${id} has no "${field}" in the catalogue (${asOf.slice(0, 10)}): its providers will ignore it. Leave it out, or choose another model.`,
    )
  }
}

/** To the developer, by the platform's own road. */
export function warn(message: string): void {
  const { process } = globalThis
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, 'ClewWarning')
  else console.warn(`ClewWarning: ${message}`)
}

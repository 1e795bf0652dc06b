/** Options are checked once, where they are written. */
import { DefinitionError } from '@clew/core'
import type { TraceOptions } from './lens.ts'

const names = ['content', 'attributes', 'tracerProvider', 'meterProvider'] satisfies (keyof TraceOptions)[]

/** @throws DefinitionError that names the value and what to write instead. */
export function checkOptions(options: TraceOptions<never>): void {
  for (const name of Object.keys(options)) {
    if ((names as string[]).includes(name)) continue
    throw new DefinitionError(`trace: there is no option "${name}". There are ${names.join(', ')}.`)
  }
  const { content } = options
  if (content === undefined || typeof content === 'boolean') return
  if (typeof content !== 'object' || content === null) {
    throw new DefinitionError(`trace: content is ${JSON.stringify(content)}; give true, false or { redact, maxChars }.`)
  }
  const { redact, maxChars } = content
  if (redact !== undefined && typeof redact !== 'function') {
    throw new DefinitionError(
      'trace: content.redact is no function. Give one that takes a text and returns what is shown.',
    )
  }
  if (maxChars !== undefined && !(Number.isInteger(maxChars) && maxChars >= 256)) {
    throw new DefinitionError(`trace: content.maxChars is ${String(maxChars)}; give a whole number of at least 256.`)
  }
}

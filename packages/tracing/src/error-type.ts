/** What went wrong in a word of the program's or of the protocol's, never in those of a person, a model or a server. */
import { isClewError } from '@clew/core'
import { safely } from './safely.ts'

/** A short word, as an error code is: no sentence, nothing of a text that somebody wrote. */
const word = /^[\w.-]{1,40}$/

export function errorType(error: unknown): string {
  return safely(() => wordFor(error)) ?? 'Error'
}

function wordFor(error: unknown): string {
  if (isClewError(error, 'run') && error.cause !== undefined) return wordFor(error.cause)
  if (isClewError(error, 'model')) {
    const { kind, status, code } = error.details
    if (kind !== undefined) return kind
    if (status !== undefined) return String(status)
    // Of the codes, the model's own and numbers: a provider's may quote.
    return typeof code === 'number' || ownCodes.has(String(code)) ? String(code) : 'ModelError'
  }
  // The class, not the name that an object carries: classes stand in the source.
  const name = error instanceof Error ? error.constructor.name : typeof error
  return word.test(name) ? name : 'Error'
}

const ownCodes = new Set([
  'unreachable',
  'incomplete-stream',
  'bad-stream',
  'stream-limit',
  'no-choice',
  'empty-answer',
  'lost-calls',
])

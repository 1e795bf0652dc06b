/** `programResult` is what a model reads of a program that ran in the jail. */
import { InputError } from '@clew/core'
import { z } from 'zod/v4'
import type { JailOutcome } from './jail.ts'

const programAnswer = z.object({
  printed: z.string(),
  result: z.string().optional(),
  error: z.string().optional(),
  isTimeout: z.literal(true).optional(),
})

/** @throws InputError when the program failed; the message tells what it printed before */
export function programResult(outcome: JailOutcome, limits: { timeoutMs: number; memoryMb: number }): string {
  const slow = `The program was ended after ${limits.timeoutMs} ms. Make it do less, or look for an endless loop.`
  if (outcome.status === 'timeout') throw new InputError(slow)
  if (outcome.status === 'ended') {
    throw new InputError(
      `The program was ended: ${outcome.reason}. It may use ${limits.memoryMb} MB and has to answer shortly; work on less at a time.`,
    )
  }
  const { printed, result, error, isTimeout } = programAnswer.parse(outcome.answer)
  const failure = isTimeout ? slow : error
  const before = printed === '' ? '' : `Printed:\n${printed.trimEnd()}`
  if (failure !== undefined) throw new InputError(`${failure.trimEnd()}${before && `\n\n${before}`}`)
  const end = result === undefined ? '' : `Result: ${result}`
  return (
    [before, end].filter((part) => part !== '').join('\n\n') ||
    'Done. Nothing was printed, and the last line has no value.'
  )
}

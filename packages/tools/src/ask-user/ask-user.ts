/** `askUser()`: the tool with which a model asks the person something. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkNames } from '../guard/check-option.ts'

const inputSchema = z.object({
  question: z.string().min(1).describe('One clear question, with all that the person has to know to answer it.'),
  choices: z
    .array(z.string().min(1))
    .min(2)
    .max(10)
    .optional()
    .describe('The answers to choose from, where there are only some. The person may answer something else.'),
})

export type AskUserInput = z.infer<typeof inputSchema>

export type AskUserOptions = {
  /** Milliseconds in which the answer can be given; the model is told when nobody answered. Default: no limit. */
  expiresMs?: number
}

/**
 * `ask_user` has no `execute`: the run waits, with a need `for: 'result'` whose `input` has the question, and goes on
 * when the program gives the person's words with `respond('…')`, or `failed('…')` where there are none.
 */
export function askUser(options: AskUserOptions = {}): Tool<AskUserInput> {
  checkNames('askUser()', options, ['expiresMs'])
  return tool({
    name: 'ask_user',
    description:
      'Asks the user one question and waits for the answer. Use it when something is missing that only the user knows, or when the user has to decide. Do not ask what you can find out with other tools.',
    effect: 'pure',
    input: inputSchema,
    ...(options.expiresMs !== undefined && { expiresMs: options.expiresMs }),
    fake: ({ choices }) => choices?.[0] ?? 'Decide yourself.',
  })
}

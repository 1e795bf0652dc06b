/** `calculator()`: the tool that calculates exactly, where a model would guess. */
import { InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { evaluate } from './evaluate.ts'
import { shown } from './numbers.ts'
import { Problem } from './tokens.ts'

/** Characters of an expression, at most. */
const maxChars = 1_000

/**
 * `calculator` calculates with decimals (0.1 + 0.2 is 0.3) of 80 digits. A result of up to 60 digits is given in
 * full, another as "≈" and 30 digits. Numbers go from 1e-10000 to 1e10000.
 */
export function calculator(): Tool<{ expression: string }> {
  return tool({
    name: 'calculator',
    description:
      'Calculates one expression exactly. Use it for every calculation. Operators: + - * / ^, % (remainder; behind a number, percent: 15% is 0.15), parentheses. Functions: sqrt, abs, round(x, places), floor, ceil, min, max, sum, mean, ln, log10, log(x, base), exp, sin, cos, tan (radians) and more. Constants: pi, e.',
    effect: 'pure',
    input: z.object({
      expression: z
        .string()
        .describe('For example "(19.99 * 3) + 15% * 80" or "round(1000 * 1.035^10, 2)". Numbers only, no units.'),
    }),
    execute: calculate,
    fake: calculate,
  })
}

function calculate({ expression }: { expression: string }): string {
  if (expression.length > maxChars) {
    throw new InputError(
      `The expression has ${expression.length} characters, and ${maxChars} are the most. Calculate it in parts.`,
    )
  }
  try {
    return shown(evaluate(expression))
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    throw new InputError(
      `Not calculated. At character ${problem.at + 1} (${around(expression, problem.at)}): ${problem.what}.`,
    )
  }
}

/** Some of the text, with a mark before the place. */
function around(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - 20), at).toWellFormed()
  const behind = text.slice(at, at + 20).toWellFormed()
  return `${at > 20 ? '…' : ''}${before}▸${behind}${at + 20 < text.length ? '…' : ''}`
}

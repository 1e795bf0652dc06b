/** `runJavascript` lets a model compute with JavaScript, in a sandbox without files, network or host. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkLimits, checkNames } from '../guard/check-option.ts'
import { inJail } from '../jail/jail.ts'
import { programResult } from '../jail/program-result.ts'
import { installed } from '../jail/resolve.ts'
import type { JavascriptRequest } from './javascript-runner.ts'

export type RunJavascriptOptions = {
  /** Milliseconds for a program. Default 5,000. */
  timeoutMs?: number
  /** Megabytes that a program may use. Default 64. */
  memoryMb?: number
}

/** Characters of what is printed, and of the result, that a model reads. */
const chars = 5_000

/**
 * Needs the package quickjs-emscripten. Every call has an interpreter and a process of its own.
 * @throws DefinitionError when a limit cannot be used
 */
export function runJavascript(options: RunJavascriptOptions = {}): Tool<{ code: string }> {
  const { timeoutMs = 5_000, memoryMb = 64 } = options
  checkNames('runJavascript', options, ['timeoutMs', 'memoryMb'])
  checkLimits('runJavascript', { timeoutMs: [timeoutMs, 10, 600_000], memoryMb: [memoryMb, 16, 1024] })
  return tool({
    name: 'run_javascript',
    description:
      'Runs JavaScript and returns what it prints with console.log and the value of its last expression. ' +
      'Use it to calculate, sort, parse or count. There are no files, no network, no modules and no timers, and nothing is kept between calls: put all data into the code.',
    input: z.object({
      code: z.string().min(1).describe('The program. End it with the expression whose value you want.'),
    }),
    effect: 'pure',
    timeoutMs: timeoutMs + 120_000,
    async execute({ code }, { signal }) {
      const { url, modules } = await installed('quickjs-emscripten', 'quickjs-emscripten', 'run_javascript')
      const request: JavascriptRequest = { url, code, timeoutMs, memoryMb, chars }
      const outcome = await inJail({
        runner: 'run-javascript/javascript-runner',
        request,
        reads: [modules],
        // The program's own deadline comes first and keeps what was printed; this one no program can outlive.
        timeoutMs: timeoutMs + 2_000,
        residentMb: memoryMb + 250,
        heapMb: 128,
        answerBytes: 10 * chars + 100_000,
        signal,
      })
      return programResult(outcome, { timeoutMs, memoryMb })
    },
    fake: ({ code }) => `Result: (not run: ${code.length} characters of JavaScript)`,
  })
}

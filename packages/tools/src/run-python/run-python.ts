/** `runPython` lets a model compute with Python and its standard library, in a sandbox without files, network or host. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkLimits, checkNames } from '../guard/check-option.ts'
import { inJail } from '../jail/jail.ts'
import { programResult } from '../jail/program-result.ts'
import { installed } from '../jail/resolve.ts'
import type { PythonRequest } from './python-runner.ts'
import { snapshotOf } from './snapshot.ts'

export type RunPythonOptions = {
  /** Milliseconds for a program, once its interpreter has started. Default 10,000. */
  timeoutMs?: number
  /** Megabytes of Python's memory, and as many for files in it. Default 256. */
  memoryMb?: number
}

/** Characters of what is printed, and of the result, that a model reads. */
const chars = 5_000

/**
 * Needs the package pyodide. Every call has an interpreter and a process of its own. The first one starts Python in about
 * three seconds and keeps a snapshot of it (30 MB); the others start from that in under half a second.
 * @throws DefinitionError when a limit cannot be used
 */
export function runPython(options: RunPythonOptions = {}): Tool<{ code: string }> {
  const { timeoutMs = 10_000, memoryMb = 256 } = options
  checkNames('runPython', options, ['timeoutMs', 'memoryMb'])
  checkLimits('runPython', { timeoutMs: [timeoutMs, 10, 600_000], memoryMb: [memoryMb, 64, 2048] })
  return tool({
    name: 'run_python',
    description:
      'Runs Python 3 and returns what it prints and the value of its last expression. Use it for arithmetic, dates, statistics, text and data. ' +
      'Only the standard library is there; no pip, no network, no files of the user. Nothing is kept between calls: put all data into the code.',
    input: z.object({
      code: z.string().min(1).describe('The program. Print what you want to see, or end it with an expression.'),
    }),
    effect: 'pure',
    timeoutMs: timeoutMs + 180_000,
    async execute({ code }, { signal }) {
      const python = await installed('pyodide', 'pyodide/pyodide.mjs', 'run_python')
      const snapshot = await snapshotOf(python)
      signal.throwIfAborted()
      const request: PythonRequest = { type: 'program', url: python.url, code, timeoutMs, memoryMb, chars }
      const outcome = await inJail({
        runner: 'run-python/python-runner',
        request,
        ...(snapshot && { attachment: snapshot }),
        reads: [python.folder],
        // Python's own deadline comes first and keeps what was printed; this one no program can outlive.
        timeoutMs: timeoutMs + 2_000,
        residentMb: 2 * memoryMb + 300,
        heapMb: 256,
        answerBytes: 10 * chars + 100_000,
        signal,
      })
      return programResult(outcome, { timeoutMs, memoryMb })
    },
    fake: ({ code }) => `Result: (not run: ${code.length} characters of Python)`,
  })
}

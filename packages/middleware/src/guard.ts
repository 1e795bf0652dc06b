/** `guard` lets functions of yours pass, change or stop what goes into a model, comes out of it, and goes through tools. */
import type { Middleware } from '@clew/core'
import { DefinitionError } from '@clew/core'
import { guardInput } from './guard-input.ts'
import type { GuardOptions } from './guard-options.ts'
import { guardOutput } from './guard-output.ts'
import { guardTool } from './guard-tool.ts'

/**
 * A guard says nothing (all is well), `{ change }`, `{ stop: 'why' }` or, to a call, `{ deny: 'why' }`, which the model
 * reads. A stop ends the run as `stopped` by `guard`, with the reason in the result. It fails closed: a guard that throws,
 * hangs or says what is no verdict stops the run.
 *
 * With an output guard the text of an answer reaches readers when the answer is whole and has passed.
 * @throws DefinitionError when there is nothing to guard, or an option cannot be used.
 */
export function guard(options: GuardOptions): Middleware {
  const { name = 'guard', when = 'before', timeoutMs = 30_000, input, output, tool } = options
  check(options, `guard ${JSON.stringify(name)}`)
  const by = { name, timeoutMs }
  const guarded = input && guardInput(by, input, when)
  return {
    name,
    ...(guarded && { run: guarded.run }),
    ...((guarded || output) && {
      model(request, next) {
        const answer = guarded ? guarded.model(request, next) : next(request)
        return output ? guardOutput(by, output, request, answer) : answer
      },
    }),
    ...((tool?.before || tool?.after) && { tool: guardTool(by, tool) }),
  }
}

const known = ['name', 'input', 'output', 'tool', 'when', 'timeoutMs'] satisfies (keyof GuardOptions)[]

/** A guard that does not guard, because of a typo, is worse than none. */
function check({ input, output, tool, when, timeoutMs, ...others }: GuardOptions, where: string): void {
  const odd = [
    ...Object.keys(others).filter((key) => key !== 'name'),
    ...Object.keys(tool ?? {}).filter((key) => key !== 'before' && key !== 'after'),
  ]
  if (odd[0] !== undefined) {
    throw new DefinitionError(
      `${where}: there is no option "${odd[0]}". Known: ${known.join(', ')}; tool has before and after.`,
    )
  }
  const guards = Object.entries({ input, output, ...tool }).filter(([, each]) => each !== undefined)
  if (guards.length === 0) throw new DefinitionError(`${where}: give input, output or tool; else it guards nothing.`)
  for (const [key, each] of guards) {
    if (typeof each !== 'function') throw new DefinitionError(`${where}: ${key} is no function.`)
  }
  if (when !== undefined && when !== 'before' && when !== 'beside') {
    throw new DefinitionError(`${where}: when is ${JSON.stringify(when)}; it is "before" or "beside".`)
  }
  // Timers count in 32 bits: a longer one would fire at once.
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < 2 ** 31)) {
    throw new DefinitionError(`${where}: timeoutMs is ${String(timeoutMs)}; give a number above 0 and below 2^31.`)
  }
}

/** Calls a tool as core does, and tells what the model would read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Tool } from '@clew/core'

type Call = { runId?: string; signal?: AbortSignal }

/** The text of the result, or `error: ` and the message. */
export async function call<Input>(
  tool: Tool<Input>,
  input: Input,
  { runId = 'run', signal }: Call = {},
): Promise<string> {
  const execution = { runId, agent: 'a', context: undefined, idempotencyKey: 'k', fence: <T>(content: T) => content }
  try {
    return String(
      await tool.execute?.(input, { ...execution, signal: signal ?? new AbortController().signal } as never),
    )
  } catch (error) {
    return `error: ${(error as Error).message}`
  }
}

/** Processes below this one, by Linux's own books. Elsewhere none. */
export function descendants(of = process.pid): number[] {
  if (!existsSync('/proc/self/stat')) return []
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return state === 'Z' ? [] : [[Number(name), Number(parent)] as const]
      } catch {
        return []
      }
    })
  const below = (pid: number): number[] =>
    parents.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)])
  return below(of)
}

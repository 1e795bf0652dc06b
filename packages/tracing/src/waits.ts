/** How long calls waited for their answers, over processes: the log has when they began. */
import type { RunState } from '@clew/core'

export class Waits {
  readonly #since = new Map<string, number>()
  readonly #waited = new Map<string, number>()

  constructor(state: RunState | undefined) {
    if (state) this.#read(state)
  }

  /** Seconds from when the call began to wait, if it did, to now. */
  answered(id: string): number | undefined {
    const since = this.#since.get(id)
    if (since === undefined) return undefined
    const seconds = Math.max(0, Date.now() - since) / 1000
    this.#waited.set(id, seconds)
    return seconds
  }

  waited(id: string): number | undefined {
    return this.#waited.get(id)
  }

  /** Ids of calls are unique in the root run. */
  #read({ pending }: RunState): void {
    for (const each of pending) {
      if (each.status === 'waiting' && each.for === 'approval' && each.since !== undefined) {
        this.#since.set(each.call.id, each.since)
      }
      if ('child' in each && each.child) this.#read(each.child)
    }
  }
}

/** The tool's name and the state of the agent that was at work on a call when the run was left. */
export function childOf(
  state: RunState | undefined,
  callId: string,
): { name: string; state: RunState | undefined } | undefined {
  const pending = state?.pending.find(({ call }) => call.id === callId)
  return pending && { name: pending.call.name, state: 'child' in pending ? pending.child : undefined }
}

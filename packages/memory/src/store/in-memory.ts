/** `inMemory()`: a memory store in this process: for tests, and for what need not outlive it. */
import type { Lease } from '@clew/core'
import { heldError, thisProcess } from '../holder.ts'
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory } from './memory-error.ts'
import type { RetentionOptions } from './retention.ts'
import { State } from './state.ts'
import { type Door, stateBackend } from './state-backend.ts'

export function inMemory(options: RetentionOptions = {}): MemoryStore {
  return storeOf(new State(), options)
}

/** @internal One of several stores over the same memories, each closed for itself. */
export function storeOf(state: State, options: RetentionOptions = {}): MemoryStore {
  let isClosed = false
  const checkOpen = () => {
    if (isClosed) throw closedMemory()
  }
  const door: Door = {
    async read(work) {
      checkOpen()
      return work(state)
    },
    async write(work) {
      checkOpen()
      const { change, result } = work(state)
      if (change) state.apply(change)
      return result
    },
    async acquire(id, key) {
      checkOpen()
      const there = state.leases.get(key)
      if (there) throw heldError(id, there)
      const mine = thisProcess((options.now ?? Date.now)())
      state.leases.set(key, mine)
      const lease: Lease = {
        async release() {
          if (state.leases.get(key) === mine) state.leases.delete(key)
        },
      }
      return lease
    },
    async close() {
      isClosed = true
    },
  }
  return storeOver(stateBackend(door), options)
}

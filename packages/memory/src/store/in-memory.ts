/** `inMemory()`: a memory store in this process: for tests, and for what need not outlive it. */
import { storeOver } from './handle.ts'
import type { MemoryStore } from './memory.ts'
import { closedMemory } from './memory-error.ts'
import { State } from './state.ts'
import { type Door, stateBackend } from './state-backend.ts'

export function inMemory(): MemoryStore {
  return storeOf(new State())
}

/** @internal One of several stores over the same memories, each closed for itself. */
export function storeOf(state: State): MemoryStore {
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
    async close() {
      isClosed = true
    },
  }
  return storeOver(stateBackend(door))
}

/** Scoped memory on every store. */
import { memoryContract } from '@clew/testing'
import { describe, it } from 'vitest'
import { scope } from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { State } from '../src/store/state.ts'
import { slow } from './every-store.ts'

describe('inMemory', { timeout: slow }, () => {
  const state = new State()
  for (const { name, run } of memoryContract({ scope, store: () => storeOf(state) })) it(name, run)
})

/** Scoped memory on every store. */

import { join } from 'node:path'
import { memoryContract } from '@clew/testing'
import { describe, it } from 'vitest'
import { scope, sqliteMemory } from '../src/index.ts'
import { storeOf } from '../src/store/in-memory.ts'
import { State } from '../src/store/state.ts'
import { slow } from './every-store.ts'
import { temporary } from './temporary.ts'

describe('inMemory', { timeout: slow }, () => {
  const state = new State()
  for (const { name, run } of memoryContract({ scope, store: () => storeOf(state) })) it(name, run)
})

describe('sqliteMemory', { timeout: slow }, () => {
  const file = join(temporary(), 'memory.db')
  for (const { name, run } of memoryContract({ scope, store: () => sqliteMemory({ file }) })) it(name, run)
})

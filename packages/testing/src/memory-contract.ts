/**
 * `memoryContract()`: what every scoped memory store keeps to, as tests for any runner:
 *
 *     const store = (options) => myStore(place, options)
 *     for (const { name, run } of memoryContract({ scope, store })) it(name, run)
 */
import { memoryArtifacts } from './memory-artifacts.ts'
import { memoryBlocks } from './memory-blocks.ts'
import type { MemoryCase } from './memory-desk.ts'
import { memoryEntries } from './memory-entries.ts'
import { memoryExport } from './memory-export.ts'
import { memoryIsolation } from './memory-isolation.ts'
import type { MemoryStoreLike, Parts, StoreOptions } from './memory-like.ts'
import { memoryOpening } from './memory-opening.ts'
import { memoryRemoval } from './memory-removal.ts'
import { memoryRetention } from './memory-retention.ts'
import { memorySearch } from './memory-search.ts'
import { memorySessions } from './memory-sessions.ts'
import { memoryWords } from './memory-words.ts'
import type { ContractCase } from './session-contract.ts'

/**
 * `store` gives a store of one place; called again, the same place through a new object, as a restarted process would (a store
 * that lives in the process alone gives views of one), with what `options` say of retention and of the time. Tenants are new in every run, so the place need not be
 * empty. Each case rejects with an `AssertionError` when the store breaks it.
 */
export function memoryContract<Scope>(given: {
  scope: (parts: Parts) => Scope
  store: (options: StoreOptions) => MemoryStoreLike<Scope> | Promise<MemoryStoreLike<Scope>>
}): ContractCase[] {
  const cases: MemoryCase[] = [
    ...memoryOpening,
    ...memoryBlocks,
    ...memoryEntries,
    ...memoryArtifacts,
    ...memorySessions,
    ...memoryExport,
    ...memoryWords,
    ...memorySearch,
    ...memoryRemoval,
    ...memoryRetention,
    ...memoryIsolation,
  ]
  return cases.map(([name, check]) => ({
    name,
    async run() {
      const stores = new Set<MemoryStoreLike<Scope>>()
      const store = async (options: StoreOptions = {}) => {
        const made = await given.store(options)
        stores.add(made)
        return made
      }
      let first: MemoryStoreLike<Scope> | undefined
      try {
        await check({
          scope: given.scope,
          store: store as (options?: StoreOptions) => Promise<MemoryStoreLike<unknown>>,
          async open(parts) {
            first ??= await store()
            return await first.open(given.scope(parts))
          },
          reopen: async (parts) => (await store()).open(given.scope(parts)),
        })
      } finally {
        await Promise.allSettled([...stores].map((each) => each.close()))
      }
    },
  }))
}

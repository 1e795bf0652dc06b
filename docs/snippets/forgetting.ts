import { inMemory, scope } from '@clew/memory'

const day = 86_400_000
const retention = { entries: { fact: 365, passage: 30 }, artifacts: 90, sessions: 90 } // in days
const store = inMemory({ retention }) // likewise fileMemory, sqliteMemory, postgresMemory
const memory = await store.open(scope({ tenant: 'acme', user: 'ada' }))

await memory.writeBlock('profile', { likes: ['viola'] }, 0)
await memory.add([
  { id: 'a', kind: 'fact', text: 'Ada plays the viola.', at: Date.now() },
  { id: 'b', kind: 'passage', text: 'A page about violas.', at: Date.now() - 31 * day },
])
console.log(await memory.count(), 'entry is read: the other one has expired')

let step = await memory.prune() // what has expired, at most 1,000 things a call
while (!step.done) step = await memory.prune()
console.log(await memory.prune({ kind: 'fact', before: Date.now() - 7 * day })) // by hand

await memory.hold(true)
console.log(await memory.erase().catch((error) => error.name))
await memory.hold(false)
console.log(await memory.erase())
await store.close()

import { inMemory, scope } from '@clew/memory'
import { Agent, openrouter } from 'clew'

const store = inMemory()
const acme = await store.open(scope({ tenant: 'acme' }))
const ada = await store.open(scope({ tenant: 'acme', user: 'ada' }))
const bob = await store.open(scope({ tenant: 'acme', user: 'bob' }))

const agent = new Agent({ name: 'friend', model: openrouter() })
await agent.run('My name is Ada.', { session: ada.session('chat') })
await ada.add([{ id: 'a', kind: 'fact', text: 'Ada plays the viola.', at: Date.now() }])

console.log(await ada.sessions(), await bob.sessions())
console.log((await bob.search({ text: 'viola' })).length, 'found for Bob')
console.log((await acme.search({ text: 'viola' })).map(({ entry, scope }) => `${entry.text} (${scope})`))
await store.close()

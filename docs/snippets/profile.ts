import { Agent, compatible, profiles } from 'clew'

const mine = compatible({
  profile: { ...profiles.vllm, name: 'mine', reasoningOut: 'none' },
  baseURL: 'http://localhost:11434/v1',
})
console.log((await new Agent({ name: 'local', model: mine('some-model') }).run('Hello?')).text)

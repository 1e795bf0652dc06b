import { Agent, compatible } from 'clew'

const ollama = compatible({ profile: 'ollama' }) // or { profile: 'vllm', baseURL: 'http://gpu.local:8000/v1' }

const model = ollama('qwen3:8b', { reasoning: { enabled: false }, temperature: 0 })
const result = await new Agent({ name: 'local', model }).run('Are you on this machine?')
console.log(result.text)

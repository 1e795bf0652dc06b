import { Agent, memorySession, openrouter } from 'clew'

const session = memorySession('chat-1')
const claude = new Agent({ name: 'writer', model: openrouter('anthropic/claude-sonnet-4.5') })
await claude.run('Name a thread.', { session })

const qwen = new Agent({ ...claude.options, model: openrouter('qwen/qwen3.5-9b') })
console.log((await qwen.run('And another.', { session })).text)

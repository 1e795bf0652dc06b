import { startOpenRouter } from '@clew/testing'
import { Agent, openrouter } from 'clew'

await using server = await startOpenRouter({ respond: ['Hello from localhost.'] })
const model = openrouter('qwen/qwen3.5-9b', { baseURL: server.url })

const result = await new Agent({ name: 'local', model }).run('Hello?')
console.log(result.text)
console.log(server.requests[0]?.body.messages)

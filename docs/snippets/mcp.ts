import { mcp } from '@clew/mcp'
import { Agent, openrouter } from 'clew'

// A program of this machine; at the end of the block it is ended, with all that it started.
await using library = await mcp({ name: 'books', command: process.execPath, args: ['docs/snippets/mcp-serve.ts'] })
const [search] = library.tools()
console.log(library.info, search?.name, await search?.spec())

const reader = new Agent({ name: 'reader', model: openrouter(), tools: () => library.tools() })
for await (const event of reader.run('What is there about looms?')) {
  if (event.type === 'tool-progress') console.log('progress', event.data)
  if (event.type === 'tool-end') console.log('the model reads:', event.content)
}

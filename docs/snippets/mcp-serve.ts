import { serveMcp } from '@clew/mcp'
import { tool } from 'clew'
import { z } from 'zod'

const search = tool({
  name: 'search',
  description: 'Searches the catalogue.',
  input: z.object({ words: z.string() }),
  effect: 'pure',
  async *execute({ words }) {
    yield { progress: 1, total: 2, message: 'at the shelves' }
    return `All about ${words}, 2024.`
  },
})

await serveMcp({ name: 'library', version: '1.0.0', tools: [search] }).stdio()

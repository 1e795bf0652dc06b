import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const search = tool({
  name: 'search',
  description: 'Searches the catalogue.',
  input: z.object({ words: z.string(), limit: z.int().min(1).max(20).default(5) }),
  effect: 'pure', // harmless to run again after a crash
  timeoutMs: 10_000,
  async *execute({ words, limit }, { signal }) {
    yield { searched: 1, of: 2 } // progress, for people
    signal.throwIfAborted()
    yield { searched: 2, of: 2 }
    const hits = [{ title: `All about ${words}`, year: 2024 }]
    return { content: hits.slice(0, limit), view: `${hits.length} hit` } // for the model; for people
  },
})

const librarian = new Agent({ name: 'librarian', model: openrouter(), tools: [search] })
for await (const event of librarian.run('What is there about looms?')) {
  if (event.type === 'tool-progress') console.log('progress', event.data)
  if (event.type === 'tool-end') console.log('the model reads', event.content, '· people see', event.view)
}

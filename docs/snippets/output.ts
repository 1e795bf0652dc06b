import { Agent, openrouter } from 'clew'
import { z } from 'zod'

const Book = z.object({ title: z.string(), year: z.int() })
const extractor = new Agent({ name: 'extractor', model: openrouter(), output: Book })

const result = await extractor.run('“The Loom” came out in 1987.')
if (result.status === 'done') console.log(result.output.title, result.output.year + 1)

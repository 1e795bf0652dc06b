/**
 * Loaded before a snippet: starts OpenRouter on localhost, lets requests for openrouter.ai go there, and has it answer
 * by the snippet's own script (`NAME.answers.ts`). The snippet itself does not know.
 */
import { existsSync } from 'node:fs'
import { type LocalOpenRouterOptions, startOpenRouter } from '@clew/testing'

const answers = (process.argv[1] ?? '').replace(/\.ts$/, '.answers.ts')
const script = existsSync(answers)
  ? ((await import(answers)) as { respond: LocalOpenRouterOptions['respond'] })
  : { respond: [] }
const server = await startOpenRouter(script)
server.unref()

process.env.OPENROUTER_API_KEY = 'local'
const { fetch: realFetch } = globalThis
globalThis.fetch = (input, init) =>
  realFetch(
    String(input instanceof Request ? input.url : input).replace('https://openrouter.ai/api/v1', server.url),
    init,
  )

/**
 * Loaded before a snippet: starts OpenRouter on localhost, lets requests for openrouter.ai and for Ollama go there, and has
 * it answer by the snippet's own script (`NAME.answers.ts`). The snippet itself does not know.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalOpenRouterOptions, startOpenRouter } from '@clew/testing'

const answers = (process.argv[1] ?? '').replace(/\.ts$/, '.answers.ts')
const script = existsSync(answers) ? ((await import(answers)) as LocalOpenRouterOptions) : { respond: [] }
const server = await startOpenRouter(script)
server.unref()

process.env.OPENROUTER_API_KEY = 'local'
// What it makes up about models is not for the caches of this machine.
const caches = mkdtempSync(join(tmpdir(), 'clew-caches-'))
process.env.XDG_CACHE_HOME = caches
process.on('exit', () => rmSync(caches, { recursive: true, force: true }))
const { fetch: realFetch } = globalThis
globalThis.fetch = (input, init) =>
  realFetch(
    String(input instanceof Request ? input.url : input).replace(
      /^(https:\/\/openrouter\.ai\/api\/v1|http:\/\/localhost:11434\/v1)/,
      server.url,
    ),
    init,
  )

/** Cases and recordings that stand beside the checkout, in `../shared`. Without them the tests that need them are skipped, loudly. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'shared')

export const hasShared = existsSync(folder)
if (!hasShared) console.warn('SKIPPED: ../shared is not here, so the tests on recordings and cases do not run.')

/** The cases of `../shared/cases/<name>/<file>`, one JSON text a line. */
export function readCases<Case>(name: string, file = 'cases.jsonl'): Case[] {
  if (!hasShared) return []
  const lines = readFileSync(join(folder, 'cases', name, file), 'utf8').split('\n')
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Case)
}

export type Recording = {
  name: string
  source: { host: string; path: string; turn?: string }
  request: { method: string; path: string; body: { [key: string]: unknown } }
  response: {
    status: number
    headers: { [name: string]: string }
    body?: { [key: string]: unknown }
    raw_prefix?: string
    sse?: string
    sse_chunk_bytes?: number[]
  }
}

/** The recorded exchanges, those with Chat Completions unless another path is named. */
export function readRecordings(path = '/chat/completions'): Recording[] {
  if (!hasShared) return []
  const names = readdirSync(join(folder, 'recordings')).filter((name) => name.endsWith('.json'))
  return names
    .map((name) => ({ ...(JSON.parse(readFileSync(join(folder, 'recordings', name), 'utf8')) as Recording), name }))
    .filter((recording) => recording.request.path.endsWith(path))
}

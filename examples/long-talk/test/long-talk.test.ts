/** The talk as its user runs it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('is twenty times longer than its context at least, never refused, and knows what was said first', {
  timeout: 60_000,
}, async () => {
  const env = { ...process.env, OPENROUTER_API_KEY: '' }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += piece))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(output).toMatch(/> Who travels with me\?\nYou said: "My travelling dog is called Argos\."/)
  expect(Number(/said, (\d+) times the context/.exec(output)?.[1])).toBeGreaterThanOrEqual(20)
  expect(output).toMatch(/Refused as too long: 0\./)
  expect(code).toBe(0)
})

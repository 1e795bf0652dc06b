/** A run that was copied as a test is a test, and it passes. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { localTraces, trace } from '@clew/tracing'
import { afterAll, expect, it } from 'vitest'
import { story } from './sample.ts'
import { chat, says, traceId, traceOf } from './spans.ts'
import { openWorld } from './store.ts'

/** Inside the package, so that the test finds what it imports. */
const folder = join(import.meta.dirname, '..', '.copied')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function play(name: string, text: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.ts`), text)
  const { stdout, stderr } = spawnSync(process.execPath, ['--test', join(folder, `${name}.ts`)], { encoding: 'utf8' })
  return stdout + stderr
}

const copied = async (url: string, id: string) => (await fetch(`${url}api/runs/${id}/test`)).text()

it('plays tools, their errors, a sub-agent and reasoning', async () => {
  await using world = await openWorld(story(Date.now()))
  const text = await copied(world.studio.url, traceId('story'))
  expect(text).toContain('name: "librarian"')
  const output = play('story', text)
  expect(output).toMatch(/pass 1\b/)
  expect(output).toMatch(/fail 0\b/)
})

it('plays a real run with words that would break out of a text', async () => {
  await using world = await openWorld()
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to be a text, and nothing else.
  const nasty = '`${process.exit(1)}` */ " \' \\ \u2028 \u202e </script>'
  const provider = localTraces({ path: world.path })
  const result = await new Agent({
    name: 'delete',
    instructions: nasty,
    model: scriptedModel([
      {
        calls: [
          { name: 'delete', arguments: { ['__proto__']: { x: 1 }, text: nasty } },
          { name: 'new-2', arguments: {} },
        ],
      },
      nasty,
    ]),
    tools: [
      tool({ name: 'delete', input: { type: 'object' }, execute: () => nasty }),
      tool({ name: 'new-2', execute: () => ({ done: true }) }),
    ],
    use: [trace({ tracerProvider: provider, content: true })],
  }).run(nasty)
  expect(result.text).toBe(nasty)
  await provider.shutdown()
  const { runs } = (await (await fetch(`${world.studio.url}api/runs`)).json()) as { runs: { id: string }[] }
  const text = await copied(world.studio.url, runs[0]!.id)
  expect(text).not.toMatch(/[\u2028\u202e]/)
  const output = play('nasty', text)
  expect(output).toMatch(/pass 1\b/)
})

it('says why a run without content is no test', async () => {
  await using world = await openWorld()
  const provider = localTraces({ path: world.path })
  await new Agent({ name: 'quiet', model: scriptedModel(['Hi.']), use: [trace({ tracerProvider: provider })] }).run(
    'Hello?',
  )
  await provider.shutdown()
  const { runs } = (await (await fetch(`${world.studio.url}api/runs`)).json()) as { runs: { id: string }[] }
  expect(await copied(world.studio.url, runs[0]!.id)).toContain('traced without what was said')
})

it('writes a key that would set a prototype as the key that it was', async () => {
  const asked = '{"__proto__":{"x":1},"then":2}'
  const answer = { role: 'assistant', parts: [{ type: 'tool_call', name: 'a', arguments: JSON.parse(asked) }] }
  await using world = await openWorld(
    traceOf('keys', 1_000, [
      { id: 'a', op: 'invoke_agent', ms: 9, attributes: { 'gen_ai.agent.name': 'a', 'clew.status': 'stopped' } },
      { id: 'b', parent: 'a', op: 'chat', ms: 9, attributes: chat({ messages: [says('user', 'Hi')], answer }) },
    ]),
  )
  const text = await copied(world.studio.url, traceId('keys'))
  const written = /arguments: (\{[\s\S]*?\n {10}\})/.exec(text)?.[1]
  expect(JSON.stringify(new Function(`return ${written}`)())).toBe(asked)
  expect(text).toContain('assert.equal(result.status, "stopped")')
})

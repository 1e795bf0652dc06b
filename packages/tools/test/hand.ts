/** Tools used as a model uses them, through an agent, and folders for them to work in. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Agent, type Content, type EventOf, type Json, type Tool, textOf } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterEach } from 'vitest'

export type Result = { content: Content; text: string; isError: boolean; view?: Json }

/** The results of several calls of one turn, in the asked order. */
export async function callAll(tool: Tool, inputs: readonly unknown[]): Promise<Result[]> {
  const calls = inputs.map((input) => ({ name: tool.name, arguments: input }))
  const agent = new Agent({
    name: 'clerk',
    model: scriptedModel([{ calls }, 'done']),
    tools: [tool],
    limits: { toolCalls: 10_000 },
  })
  const ends = new Map<string, EventOf<'tool-end'>>()
  const run = agent.run('go')
  for await (const event of run) if (event.type === 'tool-end') ends.set(event.id, event)
  const { state } = await run
  return state.messages.flatMap((message): Result[] => {
    if (message.role !== 'tool') return []
    const { content, isError, view } = ends.get(message.callId)!
    return [{ content, text: textOf(content), isError: isError === true, ...(view !== undefined && { view }) }]
  })
}

export async function call(tool: Tool, input: unknown): Promise<Result> {
  return (await callAll(tool, [input]))[0]!
}

const made: string[] = []
/** In memory where there is such a place: each write waits for the disk. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

export const secret = 'the secret that must not be told'

/**
 * A folder `box` with these files, and beside it `secret.txt` and `outside/`. In it `link-out` leads to the folder beside,
 * `dir-link` to `outside`, `link-file` to the secret.
 */
export function makeBox(files: { [path: string]: string | Uint8Array } = {}): { box: string; beside: string } {
  const beside = realpathSync(mkdtempSync(join(place, 'clew-files-')))
  made.push(beside)
  const box = join(beside, 'box')
  mkdirSync(join(beside, 'outside'))
  mkdirSync(box)
  writeFileSync(join(beside, 'secret.txt'), secret)
  writeFileSync(join(beside, 'outside', 'secret.txt'), secret)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(box, path)), { recursive: true })
    writeFileSync(join(box, path), content)
  }
  return { box, beside }
}

export function addLinks({ box, beside }: { box: string; beside: string }): void {
  symlinkSync(beside, join(box, 'link-out'))
  symlinkSync(join(beside, 'outside'), join(box, 'dir-link'))
  symlinkSync(join(beside, 'secret.txt'), join(box, 'link-file'))
  symlinkSync('../secret.txt', join(box, 'link-relative'))
  symlinkSync(join(beside, 'nothing-yet'), join(box, 'link-dangling'))
  symlinkSync('link-loop', join(box, 'link-loop'))
  symlinkSync('dir-link', join(box, 'link-chain'))
}

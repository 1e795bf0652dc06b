import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileTools, folder } from '@clew/tools'
import { Agent, approve, openrouter } from 'clew'

const path = mkdtempSync(join(tmpdir(), 'notes-'))
writeFileSync(join(path, 'today.md'), 'Buy bread.\nCall Bob.\n')
writeFileSync(join(path, '.env'), 'TOKEN=1234')

const notes = folder(path) // tools of one agent share it; a person approves each change
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: fileTools(notes) })
clerk.on('tool-end', (event) => console.log(`${event.name}: ${event.content}\n`))

const paused = await clerk.run('I have called Bob. Put that into my notes.')
for (const need of paused.needs ?? []) {
  console.log(need.tool, need.input, '\n')
  console.log((await clerk.resume(paused.state, { [need.id]: approve() })).text)
}
rmSync(path, { recursive: true })

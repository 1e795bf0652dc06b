import { runCommand, shell } from '@clew/tools'
import { Agent, approve, openrouter } from 'clew'

const files = { '/home/user/log.txt': 'ok 1\nfail 2\nok 3\nfail 4\n' }
const real = runCommand({ cwd: import.meta.dirname, commands: ['basename', 'dirname'], timeoutMs: 10_000 })
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [shell({ files }), real] })
clerk.on('tool-end', (event) => console.log(event.content))

const paused = await clerk.run('How many failures are in the log? And what is the name of /srv/app?')
for (const need of paused.needs ?? []) {
  console.log('asks for', need.tool, need.input)
  console.log((await clerk.resume(paused.state, { [need.id]: approve() })).text)
}

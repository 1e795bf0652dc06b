import { runJavascript } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [runJavascript({ timeoutMs: 2_000 })] })
clerk.on('tool-end', (event) => console.log(event.content, '\n'))

console.log((await clerk.run('How many of 3, 8, 21, 34 and 55 are even?')).text)

import { runPython } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [runPython()] })
clerk.on('tool-end', (event) => console.log(event.content, '\n'))

console.log((await clerk.run('Which weekday was 29 February 2000?')).text)

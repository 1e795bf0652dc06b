import { calculator, task } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const model = openrouter()
const counter = new Agent({ name: 'counter', model, tools: [calculator()] })
const writer = new Agent({ name: 'writer', model })
const boss = new Agent({
  name: 'boss',
  model,
  tools: [task(counter, { for: 'It calculates.' }), task(writer, { for: 'It writes short letters.' })],
})
boss.on('tool-end', ({ path, name, content }) => console.log(path?.join(' > '), name, '→', content))
console.log((await boss.run('Tell Ada what 12 months at 35 euros cost.')).text)

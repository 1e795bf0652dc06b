import { searchOf, webSearch } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const handbook = searchOf([
  { title: 'Looms', url: 'handbook:looms', text: 'A loom weaves yarn into cloth.' },
  { title: 'Holidays', url: 'handbook:holidays', text: 'Everybody has 30 days of holiday a year.', date: '2026-01-01' },
])
const guide = new Agent({ name: 'guide', model: openrouter(), tools: [webSearch({ provider: handbook })] })
guide.on('tool-end', ({ id, content }) => console.log(String(content).replaceAll(id, 'random-id'), '\n'))
console.log((await guide.run('How many days off do I have?')).text)

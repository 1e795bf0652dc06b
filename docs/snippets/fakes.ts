import wikipedia from '@clew/plugin-wikipedia'
import { fakes } from '@clew/testing'
import { Agent } from 'clew'
import { scriptedModel } from 'clew/testing'

const model = scriptedModel([{ calls: [{ name: 'search_wikipedia', arguments: { query: 'thread' } }] }, 'Done.'])
const agent = new Agent({ name: 'reader', model, tools: fakes(wikipedia().tools) })
agent.on('tool-end', ({ name, content }) => console.log(name, /\[.*\]/.exec(String(content))?.[0]))
await agent.run('What is a clew?')

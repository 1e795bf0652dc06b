import { readArtifactTool } from '@clew/memory'
import { shapeOutput } from '@clew/tools'
import { Agent, openrouter, tool } from 'clew'

const log = tool({
  name: 'read_log',
  effect: 'pure',
  execute: () => Array.from({ length: 5_000 }, (_, at) => `${at} ok`).join('\n'),
})
const texts = new Map<string, string>() // or the artifacts of a memory
const artifacts = {
  async put(text: string) {
    texts.set(`log-${texts.size}`, text)
    return `log-${texts.size - 1}`
  },
}
const read = readArtifactTool(async (id, { from, to }) => {
  const text = texts.get(id)
  return text === undefined ? undefined : { text: text.slice(from, to), length: text.length }
})
const agent = new Agent({
  name: 'guard',
  model: openrouter(),
  tools: [log, read],
  use: [shapeOutput({ artifacts, maxChars: 1_000 })],
})
agent.on('tool-end', ({ name, content, view }) => {
  const lines = String(content).split('\n')
  console.log(name, '·', lines.length, 'lines ·', lines.at(-1), view ?? '')
})
console.log((await agent.run('Is all well?')).text)

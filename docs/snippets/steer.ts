import { Agent, openrouter, tool } from 'clew'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'Flight 12: 190 dollars.' })
const agent = new Agent({ name: 'guide', model: openrouter(), tools: [look] })

const run = agent.run('What does the flight cost?')
for await (const event of run) {
  if (event.type !== 'tool-start') continue
  const receipt = run.steer('In euros, please.') // somebody typed while it worked
  void receipt.then((seen) => console.log(seen))
}
console.log((await run).text)

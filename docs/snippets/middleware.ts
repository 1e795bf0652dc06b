import { Agent, type Middleware, openrouter, tool } from 'clew'

/** Tries a failing tool once more. */
const again: Middleware = {
  name: 'again',
  async *tool(request, next) {
    try {
      return yield* next(request)
    } catch {
      return yield* next(request)
    }
  },
}

let tries = 0
const flaky = tool({
  name: 'flaky',
  effect: 'pure',
  execute: () => {
    tries += 1
    if (tries === 1) throw new Error('not yet')
    return `worked at try ${tries}`
  },
})
const agent = new Agent({ name: 'patient', model: openrouter(), tools: [flaky], use: [again] })
agent.on('tool-end', (event) => console.log(event.content))
await agent.run('Go.')

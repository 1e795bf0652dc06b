import { findTools } from '@clew/tools'
import { Agent, type Middleware, openrouter, type Tool, tool } from 'clew'

const many: Tool<never>[] = ['invoice', 'customer', 'ticket', 'contract'].flatMap((thing) =>
  ['create', 'update', 'archive'].map((verb) =>
    tool({ name: `${verb}_${thing}`, description: `Can ${verb} one ${thing}.`, execute: () => `${verb}: done` }),
  ),
)
const found = findTools(many, { keep: ['create_ticket'], count: 2 })

/** Tells which tools a request carries. */
const show: Middleware = {
  name: 'show',
  async *model(request, next) {
    console.log('sent:', request.tools.map(({ name }) => name).join(', '))
    return yield* next(request)
  },
}
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: found.tools, use: [found.use, show] })
clerk.on('tool-end', ({ content }) => console.log(content))
console.log((await clerk.run('Put the contract of Ada away.')).text)

import { Agent, tool } from 'clew'
import { scriptedModel } from 'clew/testing'
import { z } from 'zod'

const add = tool({ name: 'add', input: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b })

const model = scriptedModel([{ calls: [{ name: 'add', arguments: { a: 2, b: 3 } }] }, 'It is 5.'])
const result = await new Agent({ name: 'sums', model, tools: [add] }).run('2 + 3?')

console.log(result.text)
console.log(
  model.requests.length,
  'requests; the last message of the second:',
  model.requests[1]?.messages.at(-1)?.content,
)
model.assertComplete()

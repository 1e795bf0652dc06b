/** Tools of ours on standard input and output, for those who start us as a child. */
import { tool } from '@clew/core'
import { serveMcp } from '../src/index.ts'

const add = tool({
  name: 'add',
  description: 'Adds two numbers.',
  input: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
  effect: 'pure',
  execute: ({ a, b }) => String(Number(a) + Number(b)),
})

const { closed } = await serveMcp({ name: 'sums', version: '1.0.0', tools: [add] }).stdio()
await closed
process.stderr.write('closed')

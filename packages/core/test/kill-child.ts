/**
 * A process that is killed in the middle of its work: `node kill-child.ts RECORD N` writes what happens as lines into
 * the file RECORD and kills itself, as `kill -9` does, right after line N.
 */
import { appendFileSync } from 'node:fs'
import { Agent, type LoggedEvent, memorySession, type Session, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

export type Line = { append: LoggedEvent[] } | { appended: LoggedEvent[] } | { effect: string }

/** Three calls in one turn, then an answer. */
export const script = [
  {
    text: 'I pay all three.',
    calls: ['a', 'b', 'c'].map((to) => ({ id: `wire-${to}`, name: 'pay', arguments: { to } })),
  },
  'All three are paid.',
]

export const payer = (model: ReturnType<typeof scriptedModel>, effect: (id: string) => void) =>
  new Agent({
    name: 'payer',
    model,
    tools: [
      tool({
        name: 'pay',
        input: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
        execute: ({ to }, { idempotencyKey }) => {
          effect(idempotencyKey)
          return `paid ${to}`
        },
      }),
    ],
  })

if (process.argv[1] === import.meta.filename) {
  const [record = '', last = ''] = process.argv.slice(2)
  let count = 0
  const write = (line: Line) => {
    appendFileSync(record, `${JSON.stringify(line)}\n`)
    count += 1
    if (count === Number(last)) process.kill(process.pid, 'SIGKILL')
  }
  const memory = memorySession('killed')
  const session: Session = {
    ...memory,
    async append(at, batch) {
      write({ append: batch.events })
      // A store takes its time; what must wait for it has every chance to run ahead here.
      await new Promise((resolve) => setImmediate(resolve))
      const end = await memory.append(at, batch)
      write({ appended: batch.events })
      return end
    },
  }
  await payer(scriptedModel(script), (id) => write({ effect: id })).run('Pay a, b and c.', { session })
}

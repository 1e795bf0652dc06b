import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { fileSession } from '@clew/memory'
import { type CrashScenario, crashChild, crashKit } from '@clew/testing'

const payment: CrashScenario = {
  name: 'a payment',
  inputs: ['Pay Ada.'],
  agent: (world) =>
    new Agent({
      name: 'payer',
      // By what the request holds: the process that goes on is a new one.
      model: scriptedModel(({ messages }) => (messages.length === 1 ? { calls: [{ name: 'pay' }] } : 'Paid.')),
      tools: [
        tool({
          name: 'pay',
          async execute(_, { idempotencyKey }) {
            await world.effect('pay Ada', idempotencyKey)
            return 'paid'
          },
        }),
      ],
    }),
}

const [, , folder] = process.argv
if (folder) {
  // The process that is killed.
  await crashChild({ scenarios: [payment], open: (id) => fileSession(join(folder, `${id}.jsonl`)) })
} else {
  const logs = mkdtempSync(join(tmpdir(), 'crash-'))
  console.log(await crashKit({ script: import.meta.filename, args: [logs], scenarios: [payment.name] }))
  rmSync(logs, { recursive: true })
}

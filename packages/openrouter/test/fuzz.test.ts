/** A few damaged streams at each run of the tests; `npm run fuzz` plays many. */
import { expect, it } from 'vitest'
import { mutant, play, readStreams } from './mutate.ts'

const streams = readStreams()
const runs = 1500

it.skipIf(streams.length === 0)(`${runs} damaged streams are each a reply that fits or an error`, async () => {
  const counted = { reply: 0, error: 0 }
  for (let run = 0; run < runs; run++) {
    const outcome = await play(mutant(streams, 1, run))
    if (outcome.kind === 'failure')
      expect.fail(`${outcome.problem} See it with: npm run fuzz -- --seed 1 --only ${run}`)
    counted[outcome.kind] += 1
  }
  // Damage that is always noticed, or never, would test only half.
  expect(counted.reply).toBeGreaterThan(runs / 10)
  expect(counted.error).toBeGreaterThan(runs / 10)
})

import { testPlugin } from '@clew/testing'
import rates from './rates.ts'

const cases = testPlugin(rates, {
  calls: { exchange_rate: [{ to: 'USD' }] },
  answer: () => Response.json({ amount: 1, base: 'EUR', date: '2026-01-02', rates: { USD: 1.17 } }),
  snapshot: (text) => console.log(text, '\n'), // in a test: expect(text).toMatchSnapshot(name)
})
// In a test file: for (const { name, run } of cases) it(name, run)
for (const { name, run } of cases) {
  await run()
  console.log('✓', name)
}

import { definePlugin, InputError, type PluginHost, tool } from '@clew/core'
import { z } from 'zod/v4'

const latest = z.object({ date: z.string(), rates: z.record(z.string(), z.number()) })
const currency = z.string().regex(/^[A-Z]{3}$/)

export default definePlugin({
  name: 'rates',
  instructions: 'Tell the date of every exchange rate.',
  configSchema: z.object({ base: currency.default('EUR') }),
  capabilities: { hosts: ['api.frankfurter.dev'] },
  tools: (host: PluginHost<{ base: string }>) => [exchangeRate(host)],
})

const exchangeRate = ({ fetch, config }: PluginHost<{ base: string }>) =>
  tool({
    name: 'exchange_rate',
    description: `Tells what one ${config.base} is worth in another currency.`,
    input: z.object({ to: currency.describe('The other currency, for example USD') }),
    effect: 'pure',
    untrusted: true,
    sends: true,
    timeoutMs: 30_000,
    async execute({ to }, { signal }) {
      const asked = new URLSearchParams({ base: config.base, symbols: to })
      const response = await fetch(`https://api.frankfurter.dev/v1/latest?${asked}`, { signal })
      if (response.status === 404) throw new InputError(`There is no rate of ${to}. Try another currency.`)
      const answer = latest.safeParse(response.ok ? await response.json().catch(() => undefined) : undefined)
      const rate = answer.data?.rates[to]
      if (rate === undefined) throw new InputError('The service of exchange rates is out of order. Go on without it.')
      return `1 ${config.base} = ${rate} ${to} (${answer.data?.date})`
    },
    fake: ({ to }) => `1 ${config.base} = 1.25 ${to} (2026-01-02)`,
  })

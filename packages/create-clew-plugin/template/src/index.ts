/** Exchange rates as a tool: put your own in its place. */
import { definePlugin, InputError, type PluginHost, tool } from '@clew/core'
import { z } from 'zod/v4'

/** The part of the answer that is read, see frankfurter.dev/v1. */
const latest = z.object({ date: z.string(), rates: z.record(z.string(), z.number()) })

const currency = z.string().regex(/^[A-Z]{3}$/)

export default definePlugin({
  name: '__PLUGIN__',
  // All that it may reach. Everything else is refused, and people see this list before they allow it.
  capabilities: { hosts: ['api.frankfurter.dev'] },
  tools: (host) => [exchangeRate(host)],
})

const exchangeRate = ({ fetch }: PluginHost) =>
  tool({
    name: 'exchange_rate',
    description: 'Tells what one unit of a currency is worth in another one, by the European Central Bank.',
    input: z.object({
      from: currency.describe('The currency that one has, for example EUR'),
      to: currency.describe('The currency that one wants, for example USD'),
    }),
    effect: 'pure', // it changes nothing: it may run again after a crash
    untrusted: true, // what it returns was written by others: the model reads it as data
    sends: true, // its input leaves the machine
    timeoutMs: 30_000,
    async execute({ from, to }, { signal }) {
      const asked = new URLSearchParams({ base: from, symbols: to })
      const response = await fetch(`https://api.frankfurter.dev/v1/latest?${asked}`, { signal })
      // What the model can act on is thrown as an InputError: what is wrong, and what to do next.
      if (response.status === 404) throw new InputError(`There is no rate from ${from} to ${to}. Try other currencies.`)
      const answer = latest.safeParse(response.ok ? await response.json().catch(() => undefined) : undefined)
      const rate = answer.data?.rates[to]
      if (rate === undefined) throw new InputError('The service of exchange rates is out of order. Go on without it.')
      return `1 ${from} = ${rate} ${to} (${answer.data?.date})`
    },
    // Stands in for it in tests of agents: nothing outside is touched.
    fake: ({ from, to }) => `1 ${from} = 1.25 ${to} (2026-01-02)`,
  })

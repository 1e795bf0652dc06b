import { Agent, openrouter, tool } from 'clew'
import { z } from 'zod'

const dig = tool({ name: 'dig', input: z.object({ depth: z.number() }), effect: 'pure', execute: () => 'More earth.' })
const digger = new Agent({ name: 'digger', model: openrouter(), tools: [dig], limits: { turns: 2, usd: 0.5 } })

const result = await digger.run('Dig until you find gold.')
if (result.status === 'stopped') console.log(`stopped by ${result.stop}: ${result.text}`)

/** The recorded conversations of `../shared/cases`: what the user asks, what is called for it, and what comes of it. */
import { readCases } from '../../../test/shared.ts'

export type Turn = { user: string; calls: { name: string; arguments: object; result: string }[] }
export type Trace = { id: string; turns: Turn[] }

const tau = ['retail.jsonl', 'airline.jsonl'].flatMap((file) => readCases<Turn & { id: string }>('tau-bench', file))
export const traces: Trace[] = [
  ...readCases<Trace>('bfcl-multi-turn'),
  ...tau.map(({ id, ...turn }) => ({ id, turns: [turn] })),
]

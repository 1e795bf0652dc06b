/** `plan()`: the list of steps that a model writes for itself and keeps up to date. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'

const inputSchema = z.object({
  items: z
    .array(
      z.object({
        text: z.string().min(1).max(300).describe('The step, in a few words.'),
        status: z.enum(['open', 'active', 'done']).describe('active: you work on it now.'),
      }),
    )
    .max(50)
    .describe('The whole list, in order: it takes the place of the one before.'),
})

export type PlanInput = z.infer<typeof inputSchema>

/** Give it together with `use: [keepPlan(compaction())]`, so that the list outlives what is compacted. */
export function plan(): Tool<PlanInput> {
  return tool({
    name: 'plan',
    description:
      'Keeps your list of steps for a longer piece of work. Call it with the whole list before you begin, and again whenever a step is done or the plan changes. Have one step "active" at a time. Not needed for work of one or two steps.',
    // Nothing outside of the conversation changes; and who has read a stranger's page may still plan unasked.
    effect: 'pure',
    input: inputSchema,
    execute: ({ items }) => ({ content: listOf(items), view: items }),
    fake: ({ items }) => ({ content: listOf(items), view: items }),
  })
}

const boxes = { open: '[ ]', active: '[>]', done: '[x]' }

function listOf(items: PlanInput['items']): string {
  if (items.length === 0) return 'The plan is empty.'
  const done = items.filter(({ status }) => status === 'done').length
  const lines = items.map(({ text, status }, at) => `${at + 1}. ${boxes[status]} ${text.replace(/\s+/g, ' ')}`)
  return [`Plan, ${done} of ${items.length} done:`, ...lines].join('\n')
}

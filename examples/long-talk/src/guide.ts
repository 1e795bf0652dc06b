/** A travel guide whose model has a tiny context: what leaves it is summarised, long pages go to artifacts. */
import { compaction, type Memory, readArtifactTool } from '@clew/memory'
import { Agent, type Model, tool } from 'clew'
import { z } from 'zod'

/** Tokens. The default model has 262,144; this one gives up after a few pages. */
export const contextTokens = 2_000

export function makeGuide(model: Model, memory: Memory) {
  const timetable = tool({
    name: 'timetable',
    description: 'All trains of a day.',
    input: z.object({ day: z.number().int() }),
    effect: 'pure',
    execute: ({ day }) =>
      Array.from(
        { length: 60 },
        (_, at) => `Day ${day}, train ${100 + at}: leaves at ${5 + (at % 18)}:${10 + (at % 50)}.`,
      ).join('\n'),
  })
  return new Agent({
    name: 'guide',
    model,
    instructions: 'You plan a journey with somebody. Be brief.',
    tools: [timetable, readArtifactTool((id, range) => memory.readArtifact(id, range))],
    use: [
      compaction({
        window: contextTokens,
        keepTurns: 1,
        summariser: model,
        artifacts: { put: (text) => memory.putArtifact(text) },
      }),
    ],
  })
}

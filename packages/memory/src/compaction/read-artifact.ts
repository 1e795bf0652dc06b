/** `readArtifactTool()`: the tool with which a model pages through what compaction put away. */
import { InputError, type Tool, type ToolExecution, tool } from '@clew/core'
import { isHigh, isLow } from './text.ts'

/** Characters of a page, at most. */
const pageChars = 10_000

/**
 * A tool `read_artifact` with the input `{ id, from?, to? }`: positions of characters, `to` exclusive, a page of at most
 * 10,000. `read` gives the text of that range and the length of the whole, or undefined for an id that it does not know.
 */
export function readArtifactTool(
  read: (id: string, range: { from: number; to: number }) => Promise<{ text: string; length: number } | undefined>,
): Tool<{ [key: string]: unknown }> {
  return tool({
    name: 'read_artifact',
    description:
      'Reads one page of a long text that was put away to make room. Results that were shortened name the id of their text.',
    effect: 'pure',
    // Most often it was a page or a file: who wrote it is not known any more.
    untrusted: true,
    input: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'The id that the shortened result names.' },
        from: { type: 'integer', minimum: 0, description: 'Position of the first character. Default 0.' },
        to: {
          type: 'integer',
          minimum: 0,
          description: `Position behind the last character, at most ${pageChars} after "from". Default: a whole page.`,
        },
      },
      required: ['id'],
      additionalProperties: false,
    },
    execute: async (input, { fence }) => {
      const { id, from = 0, to = from + pageChars } = input as { id: string; from?: number; to?: number }
      if (to <= from) throw new InputError(`There is no page from ${from} to ${to}: "to" must be greater than "from".`)
      // Two at least: a surrogate pair takes both, and half of it would be no page to go on from.
      const range = { from, to: Math.min(Math.max(to, from + 2), from + pageChars) }
      const found = await read(id, range)
      if (!found) {
        throw new InputError(
          `There is no artifact ${JSON.stringify(id)}. Use an id exactly as a shortened result names it: artifact "…".`,
        )
      }
      if (from >= found.length) {
        throw new InputError(
          `Artifact ${JSON.stringify(id)} has ${found.length} characters; none stands at ${from}. Choose a smaller "from".`,
        )
      }
      return page(found, range, fence)
    },
  })
}

/** The text, and how to go on. A surrogate pair at the edge of the page is left to the page that has both its halves. */
function page(
  { text, length }: { text: string; length: number },
  range: { from: number; to: number },
  fence: ToolExecution['fence'],
): string {
  let shown = text.slice(0, range.to - range.from)
  let { from } = range
  if (from > 0 && isLow(shown.charCodeAt(0))) {
    shown = shown.slice(1)
    from += 1
  }
  if (from + shown.length < length && isHigh(shown.charCodeAt(shown.length - 1))) shown = shown.slice(0, -1)
  const end = from + shown.length
  const next = end < length ? `Go on with "from": ${end}.` : 'This is the end.'
  return `${fence(shown)}\n[Characters ${from} to ${end} of ${length}. ${next}]`
}

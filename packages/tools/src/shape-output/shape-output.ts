/** `shapeOutput()`: a middleware that gives the model the ends of a long result, and an id to read the rest by. */
import type { Content, ContentPart, Middleware, ToolOutcome, ToolRequest } from '@clew/core'
import { DefinitionError, textOf } from '@clew/core'
import { checkCount, checkNames } from '../guard/check-option.ts'
import { shorten } from './shorten.ts'

export type ShapeOutputOptions = {
  /** Keeps a whole text and returns an id for `read_artifact`, as in the options of `compaction()`. */
  artifacts: { put(text: string): Promise<string> }
  /** Characters of a result that the model gets, notes and marks included; at least 1,000. Default 12,000. */
  maxChars?: number
}

/** For the note, and for the marks around what strangers wrote. */
const spareChars = 600
/** Below this, head and tail would say nothing. */
const leastChars = 200

/**
 * A long result has three views: the model reads its first and last lines and the id of the rest, people see what the tool
 * shows them, or else the id and the length, and `artifacts` has the whole text, for `readArtifactTool()`. It comes before
 * `maxResultChars`, which cuts without keeping. Images and files stay. What strangers wrote stays between its marks, and
 * the note stands outside. Where the text cannot be kept, the result is left to the plain cut.
 * @throws DefinitionError
 */
export function shapeOutput(options: ShapeOutputOptions): Middleware {
  checkNames('shapeOutput()', options ?? {}, ['artifacts', 'maxChars'])
  const { artifacts, maxChars = 12_000 } = options ?? {}
  if (typeof artifacts?.put !== 'function') {
    throw new DefinitionError(
      'shapeOutput(): artifacts has no put(). Give what keeps a text and returns its id: artifacts: { put: async (text) => id }.',
    )
  }
  if (checkCount('shapeOutput()', 'maxChars', maxChars) < 1_000)
    throw new DefinitionError(`shapeOutput(): maxChars is ${maxChars}; give at least 1000.`)
  return {
    name: 'shape-output',
    async *tool(request, next) {
      const outcome = yield* next(request)
      // Its pages are what was asked for: put away again, no end of them would be read.
      if (request.tool.name === 'read_artifact') return outcome
      const shaped = await shape(outcome, request, artifacts, maxChars)
      return shaped ?? outcome
    },
  }
}

/** Undefined for what is short enough, and for what has to be left to the plain cut. */
async function shape(
  outcome: ToolOutcome,
  { tool, execution }: ToolRequest,
  artifacts: ShapeOutputOptions['artifacts'],
  maxChars: number,
): Promise<ToolOutcome | undefined> {
  const most = Math.min(maxChars, tool.maxResultChars)
  const text = textOf(outcome.content)
  if (text.length <= most) return undefined
  const [begin, end] = execution.fence('\0').split('\0') as [string, string]
  const isFenced = text.includes(begin)
  // Parts between marks of their own are core's to cut, which sets the marks anew.
  if (most - spareChars < leastChars || (isFenced && typeof outcome.content !== 'string')) return undefined
  const id = await store(artifacts, text)
  if (id === undefined) return undefined
  const short = withText(outcome.content, shorten(text, most - spareChars, { begin, end }))
  const content = tool.untrusted && !isFenced ? execution.fence(short) : short
  const note = `\n[Shortened: the whole text has ${text.length} characters and is artifact ${JSON.stringify(id)}. read_artifact pages through it with this id, "from" and "to" (positions of characters).]`
  return { ...outcome, content: withNote(content, note), view: outcome.view ?? { artifact: id, chars: text.length } }
}

async function store(artifacts: ShapeOutputOptions['artifacts'], text: string): Promise<string | undefined> {
  try {
    return await artifacts.put(text)
  } catch {
    return undefined
  }
}

/** Other parts stay; all text is now in the place of the first. */
function withText(content: Content, text: string): Content {
  if (typeof content === 'string') return text
  const first = content.findIndex((part) => part.type === 'text')
  return content.flatMap((part, at): ContentPart[] => {
    if (part.type !== 'text') return [part]
    return at === first ? [{ type: 'text', text }] : []
  })
}

function withNote(content: Content, note: string): Content {
  return typeof content === 'string' ? content + note : [...content, { type: 'text', text: note }]
}

/** `findTools()`: many tools, of which the model is shown a few; it searches for the others. */
import {
  DefinitionError,
  InputError,
  type Message,
  type Middleware,
  type ModelRequest,
  type Tool,
  textOf,
  tool,
} from '@clew/core'
import { z } from 'zod/v4'
import { checkCount, checkNames } from '../guard/check-option.ts'
import { type Search, searchOf } from './search.ts'

export type FindToolsOptions = {
  /** Names of tools that the model always sees. Default: none. */
  keep?: readonly string[]
  /** Tools that a search finds, at most. Default 5. */
  count?: number
}

/** Give both to the agent: `new Agent({ tools: found.tools, use: [found.use] })`. */
export type FoundTools<Context> = { tools: Tool<never, Context>[]; use: Middleware }

/**
 * All tools are the agent's, with their approvals and limits, and a call of any of them runs. Requests carry
 * `find_tools`, those to `keep`, and those that the history shows as found or called, in the order in which it does: so a
 * restarted run sends what it would have sent, and the beginning of a request changes only when something is found.
 * Tools of the agent that are not in `tools` are always sent.
 * @throws DefinitionError for a name in `keep` that no tool has
 */
export function findTools<Context = unknown>(
  tools: readonly Tool<never, Context>[],
  options: FindToolsOptions = {},
): FoundTools<Context> {
  checkNames('findTools()', options, ['keep', 'count'])
  const { keep = [], count = 5 } = options
  checkCount('findTools()', 'count', count, 50)
  const names = tools.map(({ name }) => name)
  const unknown = keep.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new DefinitionError(`findTools(): keep has "${unknown}", but the tools are ${names.join(', ') || 'none'}.`)
  }
  const hidden = new Set(names.filter((name) => !keep.includes(name)))
  let search: Promise<Search> | undefined
  const find = async ({ query }: { query: string }) => {
    search ??= searchOf(tools)
    return listOf((await search)(query, count), query, names)
  }
  const finder = tool({
    name: 'find_tools',
    description: `Finds tools for what you want to do; ${hidden.size} more are there than you see. Those that are found can be called from then on. Search before you say that you cannot do something.`,
    effect: 'pure',
    input: z.object({
      query: z.string().min(1).describe('What the tool should do, in a few words, for example "send an email".'),
    }),
    execute: find,
    fake: find,
  })
  return {
    tools: [finder, ...tools],
    use: {
      name: 'find-tools',
      async *model(request, next) {
        return yield* next({ ...request, tools: sent(request, hidden) })
      },
    },
  }
}

/** Those that are not hidden, as they stood; then what was found, oldest first. */
function sent({ tools, messages, toolChoice }: ModelRequest, hidden: ReadonlySet<string>): ModelRequest['tools'] {
  const seen = new Set(messages.flatMap(namesIn))
  // A tool that the model is made to call is one that it has to see.
  if (toolChoice !== undefined) seen.add(toolChoice)
  const byName = new Map(tools.map((spec) => [spec.name, spec]))
  const found = [...seen].flatMap((name) => (hidden.has(name) ? (byName.get(name) ?? []) : []))
  return [...tools.filter(({ name }) => !hidden.has(name)), ...found]
}

const line = /^- ([a-zA-Z0-9_-]{1,64}): /gm

/** The tools that a message names to the model: as found, or as called. */
function namesIn(message: Message): string[] {
  if (message.role === 'assistant') return (message.toolCalls ?? []).map(({ name }) => name)
  if (message.role !== 'tool' || message.name !== 'find_tools') return []
  return [...textOf(message.content).matchAll(line)].map((match) => match[1]!)
}

/** @throws InputError when there is nothing to list */
function listOf(found: readonly Tool<never, never>[], query: string, names: readonly string[]): string {
  if (found.length === 0) {
    const all = names.slice(0, 100).join(', ')
    throw new InputError(`No tool was found for ${JSON.stringify(query)}. Search with other words. All tools: ${all}.`)
  }
  const lines = found.map(({ name, description = '' }) => `- ${name}: ${firstSentence(description)}`)
  return ['You can call these now:', ...lines].join('\n')
}

function firstSentence(text: string): string {
  const [sentence = ''] = text.replace(/\s+/g, ' ').split(/(?<=[.!?]) /)
  return sentence.length > 200 ? `${sentence.slice(0, 200).toWellFormed()}…` : sentence
}

/** `searchOf()`: tools by words of their names, descriptions and parameters. */
import type { JsonSchema, Tool } from '@clew/core'
import MiniSearch from 'minisearch'

/** The best first. */
export type Search = (query: string, count: number) => Tool<never, never>[]

export async function searchOf(tools: readonly Tool<never, never>[]): Promise<Search> {
  const index = new MiniSearch({
    fields: ['name', 'description', 'parameters'],
    processTerm: (term) => stem(term.toLowerCase()),
    searchOptions: {
      boost: { name: 3, description: 2 },
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    },
  })
  for (const [id, each] of tools.entries()) {
    const { parameters } = await each.spec()
    index.add({
      id,
      name: apart(each.name),
      description: each.description ?? '',
      parameters: apart(wordsIn(parameters).join(' ')),
    })
  }
  return (query, count) => {
    const hits = index.search(apart(query))
    return hits.slice(0, count).flatMap(({ id }) => tools[id as number] ?? [])
  }
}

/** `sendMail` and `send_mail` are two words each. */
function apart(text: string): string {
  return `${text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ')}`
}

/** "updating" and "updates" are "update", roughly, on both sides; words that stand everywhere say nothing. */
function stem(term: string): string | undefined {
  if (common.has(term)) return undefined
  return term.replace(/(?<=.{3})(?:ing|ed|e)?s?$/, '')
}

const common = new Set(
  'a an and as at be by can for from how i in is it me my of on or that the this to use with you'.split(' '),
)

/** Names of properties, with what is said of them, at any depth. */
function wordsIn(schema: JsonSchema, depth = 0): string[] {
  const { properties, items } = schema as { properties?: { [name: string]: JsonSchema }; items?: JsonSchema }
  if (depth > 5) return []
  const inside = Object.entries(properties ?? {}).flatMap(([name, each]) => [
    name,
    ...(typeof each?.description === 'string' ? [each.description] : []),
    ...wordsIn(each ?? {}, depth + 1),
  ])
  return [...inside, ...(items && typeof items === 'object' && !Array.isArray(items) ? wordsIn(items, depth + 1) : [])]
}

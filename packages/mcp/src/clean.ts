/** `cleanText()` takes out of a server's words what a person would not see and a model would read. */

/**
 * Control characters but line breaks and tabs; marks that turn the direction of text; characters of no width, and the
 * "tag" block, in which whole sentences can be hidden from people (Unicode 16, U+E0000 to U+E007F).
 */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** At most `maxChars` characters of it, with a mark where it was cut. */
export function cleanText(text: string, maxChars: number): string {
  const clean = text.toWellFormed().replace(hidden, '').trim()
  return clean.length <= maxChars ? clean : `${clean.slice(0, maxChars).toWellFormed()} […]`
}

/** What stands below these is data, which has to stay as it is. */
const data = ['enum', 'const', 'default', 'examples']
/** What stands below these has names of its own, which say nothing of what they are. */
const named = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']

/** A schema whose words to the model are clean, at every depth. */
export function cleanSchema(schema: unknown, maxChars: number, isNamed = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => cleanSchema(each, maxChars))
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (isNamed) return [key, cleanSchema(value, maxChars)]
    if (data.includes(key)) return [key, value]
    if (typeof value === 'string') return [key, isSaid(key) ? cleanText(value, maxChars) : value]
    return [key, cleanSchema(value, maxChars, named.includes(key))]
  })
  return Object.fromEntries(entries)
}

const isSaid = (key: string) => key === 'title' || key === 'description' || key === '$comment'

/** A text with what is hidden in it made visible, for people who have to judge it. */
export function showHidden(text: string): string {
  return text.replace(hidden, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

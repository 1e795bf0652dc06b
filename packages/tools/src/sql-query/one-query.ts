/** `checkQuery()`: a text is one statement that reads, before a database is asked to see to it. */
import { InputError } from '@clew/core'

const reading = ['select', 'with', 'values', 'explain']

/**
 * A first look, for words that help the model; what holds is the database's own refusal to write.
 * @throws InputError for several statements, and for one that does not begin like one that reads
 */
export function checkQuery(sql: string): void {
  const bare = withoutQuotes(sql)
    .trim()
    .replace(/[;\s]+$/, '')
  if (bare === '') throw new InputError('The query is empty. Write one SELECT.')
  if (bare.includes(';')) throw new InputError('There are several statements in the query. Send one SELECT at a time.')
  const [word = ''] = /^\(*\s*(\w*)/.exec(bare)?.[0].match(/\w+$/) ?? []
  if (!reading.includes(word.toLowerCase())) {
    throw new InputError(
      `A query begins with SELECT or WITH, and this one with ${JSON.stringify(word || bare.slice(0, 20))}. The database can only be read.`,
    )
  }
}

const quoted = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g

/** Texts, quoted names and comments blanked out. */
function withoutQuotes(sql: string): string {
  return sql.replace(quoted, (piece) => (piece.startsWith('-') || piece.startsWith('/') ? ' ' : '_'))
}

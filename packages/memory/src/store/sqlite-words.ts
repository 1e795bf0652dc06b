/**
 * `sqliteWords()`: the words of entries in SQLite, in its full-text index (FTS5).
 *
 * One table serves the whole file. A table for each tenant would count rarity in its texts alone without further ado, but
 * a file of thousands of tenants would have five times as many tables, and every process reads that list anew whenever a
 * tenant is new. Instead a digest of the tenant stands before each word: then a word is as rare as it is among the tenant's
 * entries, and the texts of others are not even walked over. Of the whole file are only the number of entries and their
 * mean length. That a digest could be another tenant's too does no harm: what is found is read from the entries by
 * its scope.
 *
 * The words are split here and come as one text with spaces. The tokenizer `ascii` leaves them whole, since they have
 * letters and digits, and beyond ASCII it takes every character for a part of a word.
 */
import { createHash } from 'node:crypto'
import { query, type Scored, type WordIndex } from './sql.ts'

/** Contentless: the texts are in the entries. `scope` narrows a query and weighs nothing. */
export function sqliteWordTables(prefix: string): string[] {
  return [
    `CREATE VIRTUAL TABLE ${prefix}words USING fts5(scope, words, content = '', contentless_delete = 1, tokenize = 'ascii')`,
    `INSERT INTO ${prefix}words (${prefix}words, rank) VALUES ('rank', 'bm25(0.0, 1.0)')`,
  ]
}

export function sqliteWords(prefix: string): WordIndex {
  return {
    *put(path, entries) {
      const tenant = digest(path[0] as string)
      const text = `INSERT OR REPLACE INTO ${prefix}words (rowid, scope, words) VALUES (CAST($1 AS integer), $2, $3)`
      for (const { no, kind, words } of entries) {
        const all = [...words].flatMap(([word, count]) => Array<string>(count).fill(`${tenant}${word}`))
        // Three for every entry, so that none counts as longer for standing deeper.
        const scope = [userOf(path), threadOf(path), kindOf(path, kind)]
        yield* query(text, no, scope.join(' '), all.join(' '))
      }
    },

    *drop(nos) {
      yield* query(`DELETE FROM ${prefix}words WHERE rowid IN (SELECT value FROM json_each($1))`, JSON.stringify(nos))
    },

    *find(path, { words, kinds }, most) {
      const tenant = digest(path[0] as string)
      const match = [
        `words : ${anyOf(words.map((word) => `${tenant}${word}`))}`,
        ...(path.length === 2 ? [`scope : ${anyOf([userOf(path)])}`] : []),
        ...(path.length === 3 ? [`scope : ${anyOf([threadOf(path)])}`] : []),
        ...(kinds ? [`scope : ${anyOf(kinds.map((kind) => kindOf(path, kind)))}`] : []),
      ].join(' AND ')
      // By rank alone FTS5 sorts by itself, and slower.
      const text = `SELECT rowid AS no, -rank AS score FROM ${prefix}words WHERE ${prefix}words MATCH $1
        ORDER BY rank, rowid DESC LIMIT $2`
      return (yield* query(text, match, most)) as Scored[]
    },
  }
}

const userOf = (path: readonly string[]) => digest('user', ...path.slice(0, 2))
const threadOf = (path: readonly string[]) => digest('thread', ...path)
const kindOf = (path: readonly string[], kind: string) => digest('kind', path[0] as string, kind)

/** Letters and digits, of one length. */
function digest(...parts: string[]): string {
  return createHash('sha256')
    .update(Buffer.from(JSON.stringify(parts)))
    .digest('hex')
    .slice(0, 12)
}

/** In quotes, though there is nothing in a word that FTS5 could read as its language. */
function anyOf(tokens: string[]): string {
  return `(${tokens.map((token) => `"${token}"`).join(' OR ')})`
}

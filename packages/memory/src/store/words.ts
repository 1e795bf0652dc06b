/**
 * `wordsOf()`: the words by which a text is found, in any script.
 *
 * Case, width and accents do not count. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are written without
 * spaces (or with much glued to a word), so that their runs are taken as pairs of characters, and as single ones for
 * queries of one character. A pictograph is a word.
 */

/** What is longer is no word that anybody looks for; databases want a bound. */
const maxWord = 64
/** As many words of a query count. */
const maxQuery = 64
/** As many characters of a text are searched. */
const maxText = 50_000

const run = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu
const glued =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]+/gu

/** Every word with its number of occurrences. */
export function wordsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of split(text.slice(0, maxText), true)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

export function lengthOf(words: Map<string, number>): number {
  return [...words.values()].reduce((sum, count) => sum + count, 0)
}

export function queryWords(text: string): string[] {
  return [...new Set(split(text.slice(0, maxText), false))].slice(0, maxQuery)
}

function* split(text: string, isIndex: boolean): Generator<string> {
  for (const [found] of fold(text).matchAll(run)) {
    let from = 0
    for (const match of found.matchAll(glued)) {
      if (match.index > from) yield cut(found.slice(from, match.index))
      yield* pairs([...match[0]], isIndex)
      from = match.index + match[0].length
    }
    if (from < found.length) yield cut(found.slice(from))
  }
}

function fold(text: string): string {
  const plain = text
    .toWellFormed()
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
  // Once more: what NFKD takes apart can be capitals.
  return plain.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ')
}

function* pairs(characters: string[], isIndex: boolean): Generator<string> {
  if (isIndex || characters.length === 1) yield* characters
  for (let at = 1; at < characters.length; at += 1) yield `${characters[at - 1]}${characters[at]}`
}

function cut(word: string): string {
  return word.length > maxWord ? [...word].slice(0, maxWord).join('') : word
}

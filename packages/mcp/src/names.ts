/** `legalNames()` gives every tool of a server a name that all providers take, and no two the same. */
import { createHash } from 'node:crypto'

const maxLength = 64

/**
 * From the server's names to ours. A name does not depend on the order of the list, and what is legal stays as it is behind
 * its prefix: saved conversations and standing approvals refer to it.
 */
export function legalNames(names: readonly string[], prefix: string): Map<string, string> {
  const wanted = names.map((name) => ({ name, plain: prefix === '' ? name : `${prefix}_${name}` }))
  const untouched = new Set(wanted.map(({ plain }) => plain).filter((plain) => toLegal(plain) === plain))
  const counts = new Map<string, number>()
  for (const { plain } of wanted) counts.set(toLegal(plain), (counts.get(toLegal(plain)) ?? 0) + 1)
  return new Map(
    wanted.map(({ name, plain }) => {
      const legal = toLegal(plain)
      const isOnlyOne = plain.length <= maxLength && counts.get(legal) === 1
      return [name, untouched.has(plain) || isOnlyOne ? legal : withMark(legal, plain)]
    }),
  )
}

/** What of a server's own name can stand before its tools' names. */
export function toPrefix(name: string): string {
  return name
    .replace(/[^a-zA-Z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 24)
}

function toLegal(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, maxLength) || 'tool'
}

/** Ten characters that depend on the whole name. */
function withMark(legal: string, plain: string): string {
  const mark = createHash('sha256').update(plain).digest('hex').slice(0, 9)
  return `${legal.slice(0, maxLength - 10)}_${mark}`
}

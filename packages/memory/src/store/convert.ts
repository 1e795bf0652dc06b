/** Between rows, as stores keep them, and what a program reads: `toBlock()`, `toEntry()`, and the ids of artifacts. */
import { createHash } from 'node:crypto'
import type { BlockRow, EntryRow, Ticket } from './backend.ts'
import { parseJson } from './check.ts'
import type { Block, Entry, Found } from './memory.ts'
import { Scope } from './scope.ts'

/** Of the text's UTF-16 units, so that half a character counts as what it is. */
export function artifactId(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 40)
}

/** Of a session's lease. Another one once its scope was erased: who works on what is gone keeps nobody out. */
export function leaseKey({ path, epoch }: Ticket, session: string): string {
  return createHash('sha256')
    .update(JSON.stringify([path, epoch, session]))
    .digest('hex')
    .slice(0, 40)
}

export const toBlock = ({ name, value, revision }: BlockRow): Block => ({ name, value: parseJson(value), revision })

export function toEntry({ source, vector, ...rest }: EntryRow): Entry {
  return {
    ...rest,
    ...(source !== undefined && { source: parseJson(source) }),
    ...(vector && { vector: Array.from(vector) }),
  }
}

/** The scopes of a path from the tenant down to itself. */
export function chainOf(path: readonly string[]): string[][] {
  return path.map((_, depth) => path.slice(0, depth + 1))
}

export function toFound(row: EntryRow, path: readonly string[], score: number, ranks: Found['ranks']): Found {
  const { vector: _vector, ...entry } = toEntry(row)
  return { entry, scope: new Scope(path), score, ranks }
}

/** The documents that a report may cite, with a full-text index over them (SQLite's FTS5, ranked by bm25). */
import { DatabaseSync } from 'node:sqlite'

export type Document = { id: string; title: string; text: string }
export type Page = { document: string; title: string; page: number; pages: number; text: string }
export type Hit = { document: string; title: string; page: number; snippet: string }

const pageChars = 6000

export class Library {
  readonly #documents = new Map<string, { title: string; pages: string[] }>()
  readonly #db = new DatabaseSync(':memory:')

  constructor() {
    this.#db.exec(
      "CREATE VIRTUAL TABLE pages USING fts5(document UNINDEXED, page UNINDEXED, title, text, tokenize = 'porter unicode61')",
    )
  }

  get size(): number {
    return this.#documents.size
  }

  get ids(): string[] {
    return [...this.#documents.keys()]
  }

  /** Adds documents in one transaction; one with a known id is left as it is. */
  add(documents: Iterable<Document>): void {
    const insert = this.#db.prepare('INSERT INTO pages VALUES (?, ?, ?, ?)')
    this.#db.exec('BEGIN')
    for (const { id, title, text } of documents) {
      if (this.#documents.has(id)) continue
      const pages = toPages(text)
      this.#documents.set(id, { title, pages })
      for (const [index, page] of pages.entries()) insert.run(id, index + 1, title, page)
    }
    this.#db.exec('COMMIT')
  }

  /** Pages that hold any of the query's words, best first. Any text is a query; it has no syntax. */
  search(query: string, limit = 6): Hit[] {
    const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].slice(0, 64)
    if (words.length === 0) return []
    const rows = this.#db
      .prepare(
        `SELECT document, page, title, snippet(pages, 3, '', '', ' … ', 48) AS snippet FROM pages
         WHERE pages MATCH ? ORDER BY bm25(pages, 0, 0, 4, 1) LIMIT ?`,
      )
      .all(words.map((word) => `"${word}"`).join(' OR '), limit)
    return rows as Hit[]
  }

  read(document: string, page: number): Page | undefined {
    const found = this.#documents.get(document)
    const text = found?.pages[page - 1]
    return found && text !== undefined
      ? { document, title: found.title, page, pages: found.pages.length, text }
      : undefined
  }

  has(document: string): boolean {
    return this.#documents.has(document)
  }

  titleOf(document: string): string {
    return this.#documents.get(document)?.title ?? document
  }

  pageCount(document: string): number {
    return this.#documents.get(document)?.pages.length ?? 0
  }

  textOf(document: string): string {
    return this.#documents.get(document)?.pages.join('\n') ?? ''
  }
}

/** Cut between paragraphs where that is possible, else between lines, else anywhere. */
function toPages(text: string): string[] {
  const pages: string[] = []
  let rest = text
  while (rest.length > pageChars) {
    const window = rest.slice(0, pageChars)
    const paragraph = window.lastIndexOf('\n\n')
    const line = window.lastIndexOf('\n')
    const at = paragraph > pageChars / 2 ? paragraph : line > pageChars / 2 ? line : pageChars
    pages.push(rest.slice(0, at))
    rest = rest.slice(at).replace(/^\n+/, '')
  }
  pages.push(rest)
  return pages
}

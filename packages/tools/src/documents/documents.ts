/** `documents()`: texts that an agent can search and read, with a full-text index that takes in only what changed. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DefinitionError, describeError } from '@clew/core'
import { checkNames } from '../guard/check-option.ts'
import { findFiles } from './find-files.ts'
import { pagesOf } from './pages-of.ts'
import { readSource } from './read-source.ts'

export type DocumentsOptions = {
  /** The file of the index, kept between processes. Default: in memory. */
  path?: string
  /** What a file is called in searches and citations. Default: its path from the working folder, with `/`. */
  idOf?: (path: string) => string
}

export type TextDocument = { id: string; title: string; text: string }
export type DocumentPage = { document: string; title: string; page: number; pages: number; text: string }
export type DocumentHit = { document: string; title: string; page: number; snippet: string }

/** What became of the files: how many of each kind, and which were left out, with the reason. */
export type IndexReport = {
  added: number
  changed: number
  removed: number
  same: number
  skipped: { path: string; reason: string }[]
}

/** The pages of a document are rows one after the other, from `first` on. `stamp` is the file's size and time. */
const tables = `
  CREATE TABLE IF NOT EXISTS documents(id TEXT PRIMARY KEY, title TEXT NOT NULL, first INTEGER NOT NULL,
    pages INTEGER NOT NULL, path TEXT, stamp TEXT, hash TEXT) STRICT;
  CREATE VIRTUAL TABLE IF NOT EXISTS pages USING fts5(document UNINDEXED, page UNINDEXED, title, text,
    tokenize = 'porter unicode61');
`

/** @throws DefinitionError when the file of the index cannot be used */
export function documents(options: DocumentsOptions = {}): Documents {
  return new Documents(options)
}

/** Made by `documents()`. */
export class Documents {
  readonly #db: DatabaseSync
  readonly #idOf: (path: string) => string

  constructor(options: DocumentsOptions) {
    checkNames('documents', options, ['path', 'idOf'])
    const { path = ':memory:', idOf = idOfPath } = options
    this.#idOf = idOf
    try {
      this.#db = new DatabaseSync(path)
      this.#db.exec(tables)
    } catch (cause) {
      throw new DefinitionError(
        `documents: the index ${JSON.stringify(path)} cannot be used: ${describeError(cause)}. Name another file, or remove this one.`,
        { cause },
      )
    }
  }

  /** How many documents there are. */
  get size(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM documents').get()?.n)
  }

  get ids(): string[] {
    return this.#db
      .prepare('SELECT id FROM documents ORDER BY rowid')
      .all()
      .map((row) => String(row.id))
  }

  /** Puts texts in; one whose id is known takes the place of what was there. All of them, or none. */
  add(texts: Iterable<TextDocument>): void {
    this.#together(() => {
      for (const text of texts) this.#put(text)
    })
  }

  /** @returns whether it was there */
  remove(id: string): boolean {
    return this.#together(() => this.#drop(id))
  }

  /**
   * Takes in files and folders (Markdown, HTML, text, PDF). A file that was taken in before is read again only when its
   * size, time or content changed; one of a folder that is gone is removed.
   * @throws InputError for a path where nothing is; the signal's reason. What was taken in before stays.
   */
  async index(sources: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<IndexReport> {
    const report: IndexReport = { added: 0, changed: 0, removed: 0, same: 0, skipped: [] }
    for (const source of sources) {
      const files = await findFiles(source, signal)
      for (const file of files) await this.#take(file, report, signal)
      report.removed += this.#forget(resolve(source), new Set(files))
    }
    return report
  }

  /** Pages that hold any of the query's words, best first. Any text is a query; it has no syntax. */
  search(query: string, limit = 6): DocumentHit[] {
    const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].slice(0, 64)
    if (words.length === 0) return []
    return this.#db
      .prepare(
        `SELECT document, page, title, snippet(pages, 3, '', '', ' … ', 48) AS snippet FROM pages
         WHERE pages MATCH ? ORDER BY bm25(pages, 0, 0, 4, 1), rowid LIMIT ?`,
      )
      .all(words.map((word) => `"${word}"`).join(' OR '), limit) as DocumentHit[]
  }

  /** Pages count from 1. */
  read(document: string, page: number): DocumentPage | undefined {
    const found = this.#placeOf(document)
    if (!found || !Number.isInteger(page) || page < 1 || page > found.pages) return undefined
    const row = this.#db.prepare('SELECT text FROM pages WHERE rowid = ?').get(found.first + page - 1)
    return { document, title: found.title, page, pages: found.pages, text: String(row?.text) }
  }

  has(document: string): boolean {
    return this.pageCount(document) > 0
  }

  titleOf(document: string): string | undefined {
    return this.#placeOf(document)?.title
  }

  /** 0 for a document that is not there. */
  pageCount(document: string): number {
    return this.#placeOf(document)?.pages ?? 0
  }

  /** All of it; empty for a document that is not there. */
  textOf(document: string): string {
    const found = this.#placeOf(document)
    if (!found) return ''
    const rows = this.#db.prepare('SELECT text FROM pages WHERE rowid BETWEEN ? AND ? ORDER BY rowid')
    return rows
      .all(found.first, found.first + found.pages - 1)
      .map((row) => String(row.text))
      .join('\n')
  }

  close(): void {
    this.#db.close()
  }

  #placeOf(id: string): { title: string; first: number; pages: number } | undefined {
    return this.#db.prepare('SELECT title, first, pages FROM documents WHERE id = ?').get(id) as never
  }

  async #take(path: string, report: IndexReport, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const id = this.#idOf(path)
    const known = this.#db.prepare('SELECT stamp, hash FROM documents WHERE id = ?').get(id)
    const { size, mtimeMs } = await stat(path)
    const stamp = `${size} ${mtimeMs}`
    if (known?.stamp === stamp) {
      report.same += 1
      return
    }
    const read = await readSource(path, signal)
    if ('problem' in read) {
      report.skipped.push({ path, reason: read.problem })
      if (known) this.remove(id)
      return
    }
    const hash = createHash('sha256').update(read.title).update('\0').update(read.text).digest('base64')
    const isSame = known?.hash === hash
    this.#together(() => {
      if (!isSame) this.#put({ id, ...read })
      this.#db.prepare('UPDATE documents SET path = ?, stamp = ?, hash = ? WHERE id = ?').run(path, stamp, hash, id)
    })
    report[isSame ? 'same' : known ? 'changed' : 'added'] += 1
  }

  /** Documents of files below `source` that are not there any more. */
  #forget(source: string, files: ReadonlySet<string>): number {
    const rows = this.#db.prepare('SELECT id, path FROM documents WHERE path IS NOT NULL').all()
    const gone = rows.filter(({ path }) => String(path).startsWith(source + sep) && !files.has(String(path)))
    this.#together(() => {
      for (const { id } of gone) this.#drop(String(id))
    })
    return gone.length
  }

  #put({ id, title, text }: TextDocument): void {
    this.#drop(id)
    const pages = pagesOf(text)
    const insert = this.#db.prepare('INSERT INTO pages(document, page, title, text) VALUES (?, ?, ?, ?)')
    const rows = pages.map((page, index) => Number(insert.run(id, index + 1, title, page).lastInsertRowid))
    const document = this.#db.prepare('INSERT INTO documents(id, title, first, pages) VALUES (?, ?, ?, ?)')
    document.run(id, title, rows[0] as number, pages.length)
  }

  #drop(id: string): boolean {
    const found = this.#placeOf(id)
    if (!found) return false
    const { first, pages } = found
    this.#db.prepare('DELETE FROM pages WHERE rowid BETWEEN ? AND ?').run(first, first + pages - 1)
    this.#db.prepare('DELETE FROM documents WHERE id = ?').run(id)
    return true
  }

  #together<Value>(work: () => Value): Value {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const value = work()
      this.#db.exec('COMMIT')
      return value
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

function idOfPath(path: string): string {
  return relative(process.cwd(), path).replaceAll('\\', '/') || path
}

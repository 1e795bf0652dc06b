/** `PageCache` keeps the last pages that were read, so that reading on fetches nothing and sees the same text. */
import type { ReadPage } from './read-reply.ts'

const maxPages = 16
const maxChars = 10_000_000
const maxAgeMs = 10 * 60_000

export class PageCache {
  readonly #pages = new Map<string, { page: ReadPage; at: number }>()

  get(url: string): ReadPage | undefined {
    const kept = this.#pages.get(url)
    return kept && Date.now() - kept.at < maxAgeMs ? kept.page : undefined
  }

  set(url: string, page: ReadPage): void {
    this.#pages.delete(url)
    this.#pages.set(url, { page, at: Date.now() })
    let chars = 0
    for (const kept of this.#pages.values()) chars += kept.page.text.length
    for (const [oldest, kept] of this.#pages) {
      if (this.#pages.size <= maxPages && chars <= maxChars) return
      this.#pages.delete(oldest)
      chars -= kept.page.text.length
    }
  }
}

/** `TextCache` keeps the last texts that were read, so that reading on asks for nothing again and sees the same text. */

const maxTexts = 16
const maxChars = 10_000_000
const maxAgeMs = 10 * 60_000

export class TextCache<Kept extends { text: string }> {
  readonly #entries = new Map<string, { kept: Kept; at: number }>()

  get(key: string): Kept | undefined {
    const entry = this.#entries.get(key)
    return entry && Date.now() - entry.at < maxAgeMs ? entry.kept : undefined
  }

  set(key: string, kept: Kept): void {
    this.#entries.delete(key)
    this.#entries.set(key, { kept, at: Date.now() })
    let chars = 0
    for (const entry of this.#entries.values()) chars += entry.kept.text.length
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= maxTexts && chars <= maxChars) return
      this.#entries.delete(oldest)
      chars -= entry.kept.text.length
    }
  }
}

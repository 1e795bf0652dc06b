/** `Kept` collects a program's output and keeps its beginning and its end, however long it gets. */
export class Kept {
  readonly #half: number
  #head = ''
  #tail = ''
  #length = 0

  /** `chars` are kept in sum. */
  constructor(chars: number) {
    this.#half = Math.floor(chars / 2)
  }

  add(text: string): void {
    this.#length += text.length
    const room = this.#half - this.#head.length
    this.#head += text.slice(0, Math.max(0, room))
    if (text.length > room) this.#tail = (this.#tail + text.slice(Math.max(0, room))).slice(-this.#half)
  }

  toString(): string {
    const left = this.#length - this.#head.length - this.#tail.length
    if (left === 0) return this.#head + this.#tail
    return `${this.#head}\n[… ${left} characters left out …]\n${this.#tail}`
  }
}

/** The text, or its beginning and its end. */
export function kept(text: string, chars: number): string {
  const all = new Kept(chars)
  all.add(text)
  return all.toString()
}

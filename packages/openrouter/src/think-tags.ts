/** Reasoning that stands as `<think>…</think>` before the answer: some servers leave it in the content (section 14 of the wire contract). */

const open = '<think>'
const close = '</think>'

/** Splits a content that comes in pieces. A tag that is cut by the edge of a piece is waited for. */
export class ThinkTags {
  #place: 'start' | 'inside' | 'gap' | 'behind' = 'start'
  #held = ''

  push(piece: string): { reasoning: string; text: string } {
    if (this.#place === 'behind') return { reasoning: '', text: piece }
    if (this.#place === 'gap') return this.#cross(piece)
    this.#held += piece
    if (this.#place === 'start') {
      const begun = this.#held.trimStart()
      if (!begun.startsWith(open)) return open.startsWith(begun) ? { reasoning: '', text: '' } : this.#letGo('text')
      this.#place = 'inside'
      this.#held = begun.slice(open.length)
    }
    const end = this.#held.indexOf(close)
    if (end >= 0) {
      const reasoning = this.#held.slice(0, end).trimEnd()
      const behind = this.#held.slice(end + close.length)
      this.#held = ''
      this.#place = 'gap'
      return { ...this.#cross(behind), reasoning }
    }
    const kept = lengthOfCutTag(this.#held)
    const reasoning = this.#held.slice(0, this.#held.length - kept)
    this.#held = this.#held.slice(this.#held.length - kept)
    return { reasoning, text: '' }
  }

  /** What was still waited for when the answer ended. */
  end(): { reasoning: string; text: string } {
    return this.#letGo(this.#place === 'inside' ? 'reasoning' : 'text')
  }

  /** Blank lines between the reasoning and the answer belong to neither. */
  #cross(piece: string): { reasoning: string; text: string } {
    const text = piece.trimStart()
    if (text !== '') this.#place = 'behind'
    return { reasoning: '', text }
  }

  #letGo(as: 'reasoning' | 'text'): { reasoning: string; text: string } {
    const held = this.#held
    this.#held = ''
    if (as === 'text') this.#place = 'behind'
    return { reasoning: '', text: '', [as]: held }
  }
}

/** How much of the end of `text` may be the beginning of the closing tag. */
function lengthOfCutTag(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length--) {
    if (close.startsWith(text.slice(-length))) return length
  }
  return 0
}

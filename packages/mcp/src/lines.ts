/**
 * `Lines` cuts what a child writes into lines. The SDK's buffer joins and searches all it holds at each chunk, which takes
 * seconds for an image of some megabytes.
 */
export class Lines {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0

  /** `maxBytes` of one line. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * The lines that are complete with this chunk, without their ends.
   * @throws RangeError when a line is too long.
   */
  *push(chunk: Buffer): Generator<string> {
    let rest = chunk
    for (;;) {
      const end = rest.indexOf(10)
      const piece = end < 0 ? rest : rest.subarray(0, end)
      this.#bytes += piece.length
      if (this.#bytes > this.#maxBytes) throw new RangeError(`a line has more than ${this.#maxBytes} bytes`)
      this.#chunks.push(piece)
      if (end < 0) return
      const line = Buffer.concat(this.#chunks, this.#bytes).toString('utf8')
      this.#chunks = []
      this.#bytes = 0
      yield line
      rest = rest.subarray(end + 1)
    }
  }
}

/** `TraceError`: a store of traces cannot be opened, read or written, or what is to be imported cannot be read. */
import { ClewError } from '@clew/core'

export class TraceError extends ClewError {
  constructor(message: string, options?: ErrorOptions) {
    super('trace', message, options)
  }
}

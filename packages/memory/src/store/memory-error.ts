/** `MemoryError`: the errors of a memory store, and its kinds that a program acts on. */
import { ClewError } from '@clew/core'
import type { Block } from './memory.ts'

/** The store failed or was closed; or one of the kinds below. */
export class MemoryError extends ClewError {
  constructor(message: string, options?: ErrorOptions) {
    super('memory', message, options)
  }
}

/** A block was written meanwhile. */
export class StaleBlockError extends MemoryError {
  /** As it is now; undefined when there is none. */
  readonly current: Block | undefined
  constructor(name: string, revision: number, current: Block | undefined) {
    const now = current ? `is at revision ${current.revision}` : 'does not exist'
    super(
      `The block ${JSON.stringify(name)} ${now}, not at ${revision}. Read it again, and write what follows from it.`,
    )
    this.current = current
  }
}

/** The scope, or one above it, was erased after this handle was opened. */
export class ErasedError extends MemoryError {
  constructor(scope: string) {
    super(`The memory of ${scope} was erased after it was opened, so nothing more is written. Open it again.`)
  }
}

/** A legal hold forbids it. */
export class HeldError extends MemoryError {
  constructor(doing: string, scope: string, holder: string) {
    super(
      `${doing} in the memory of ${scope} is refused: there is a legal hold on ${holder}. End it there with hold(false) first.`,
    )
  }
}

export function closedMemory(): MemoryError {
  return new MemoryError('The memory store is closed. Make it anew.')
}

/** Tool calls out of stream fragments, by section 9.2 of the wire contract. */
import type { ModelDelta } from '@clew/core'
import { isTooDeep } from '@clew/core'
import { fieldsOf, isObject } from './json.ts'

type Assembled = { id: string; name: string; arguments: string; started: boolean }

export class ToolCallAssembly {
  readonly #calls: Assembled[] = []
  readonly #byIndex = new Map<number, Assembled>()

  get calls(): { id?: string; name: string; arguments: string }[] {
    return this.#calls.map(({ id, name, arguments: text }) => ({ ...(id !== '' && { id }), name, arguments: text }))
  }

  /** Adds one fragment, or a call of a `whole` message, and says what it showed. A call begins when its name is known. */
  push(fragment: unknown, deltas: ModelDelta[], whole = false): void {
    if (!isObject(fragment)) return
    const { index, id } = fragment
    const fn = fieldsOf(fragment.function)
    const name = typeof fn.name === 'string' ? fn.name : ''
    const text = typeof fn.arguments === 'string' ? fn.arguments : fn.arguments ? written(fn.arguments) : ''
    // An entry without id, name and arguments is noise of the host, not a call.
    if ((id ?? '') === '' && name === '' && text === '') return
    const call = whole ? this.#begin() : this.#callFor(numberIn(index), typeof id === 'string' ? id : '', name, text)
    // Some hosts end with the whole call once more.
    if (call.name !== '' && call.id !== '' && call.id === id && call.name === name && isRepeated(call, text)) return
    if (typeof id === 'string' && call.id === '') call.id = id
    if (call.name === '') call.name = name
    call.arguments += text
    if (call.name === '') return
    const position = this.#calls.indexOf(call)
    if (!call.started) {
      call.started = true
      deltas.push({ type: 'tool-input-start', index: position, name: call.name })
      if (call.arguments !== '') deltas.push({ type: 'tool-input-delta', index: position, text: call.arguments })
    } else if (text !== '') {
      deltas.push({ type: 'tool-input-delta', index: position, text })
    }
  }

  /** At the end of the answer: the calls are whole. */
  end(): ModelDelta[] {
    return this.#calls.flatMap((call, index): ModelDelta[] => (call.started ? [{ type: 'tool-input-end', index }] : []))
  }

  #callFor(index: number | undefined, id: string, name: string, text: string): Assembled {
    const known = index === undefined ? this.#withoutIndex(id, name) : this.#byIndex.get(index)
    // One index for several calls: another id, or another whole call behind a whole one, begins a new call.
    const isOther =
      known &&
      (id !== ''
        ? known.id !== '' && known.id !== id && !isContinued(known, name)
        : name !== '' && text !== '' && (isWhole(known) || (known.name !== '' && known.name !== name)))
    if (known && !isOther) return known
    const call = this.#begin()
    if (index !== undefined) this.#byIndex.set(index, call)
    return call
  }

  #begin(): Assembled {
    const call: Assembled = { id: '', name: '', arguments: '', started: false }
    this.#calls.push(call)
    return call
  }

  /** Without an index, the id tells the call; without both, a name begins a new one. */
  #withoutIndex(id: string, name: string): Assembled | undefined {
    if (id !== '') {
      const known = this.#calls.find((call) => call.id === id)
      if (known) return known
    }
    const last = this.#calls.at(-1)
    return name !== '' && last?.name !== '' ? undefined : last
  }
}

/** Some servers count in texts. */
function numberIn(index: unknown): number | undefined {
  const number = typeof index === 'string' && index.trim() !== '' ? Number(index) : index
  return typeof number === 'number' && !Number.isNaN(number) ? number : undefined
}

/** Some servers make up a new id for each fragment: without a name of its own it goes on with a call that is not whole. */
function isContinued(known: Assembled, name: string): boolean {
  return name === '' && known.name !== '' && !isWhole(known)
}

/** Some hosts send an object. */
function written(value: unknown): string {
  // What is no JSON is not run.
  return isTooDeep(value) ? '(nested too deep)' : JSON.stringify(value)
}

function isRepeated(call: Assembled, text: string): boolean {
  return text === call.arguments && isWhole(call)
}

function isWhole(call: Assembled): boolean {
  // Looked at first, because this is asked for every fragment.
  if (!call.arguments.trimEnd().endsWith('}') || call.arguments.trim() === '{}') return false
  try {
    return typeof JSON.parse(call.arguments) === 'object'
  } catch {
    return false
  }
}

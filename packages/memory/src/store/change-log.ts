/**
 * What stands in a memory's file: a first line that tells what it is, then one line for each change.
 *
 *     {"clew":"memory-log","v":1}
 *     {"in":["acme","ada"],"block":{"name":"plan","value":"1","revision":1,"token":"…"}}
 *
 * A change is in the memory when its line has its end.
 */
import { MemoryError } from './memory-error.ts'
import type { Change, State } from './state.ts'
import { shelfOf } from './state-backend.ts'

export const header = '{"clew":"memory-log","v":1}\n'

const newline = 0x0a

/**
 * Applies what follows byte `from` of the file to `state`; gives how many of the bytes are whole lines.
 * @throws MemoryError when the file is something else, or a line in the middle is damaged.
 */
export function applyLines(path: string, state: State, from: number, bytes: Buffer): number {
  let done = 0
  while (done < bytes.length) {
    const end = bytes.indexOf(newline, done)
    const line = bytes.subarray(done, end < 0 ? bytes.length : end)
    const isFirst = from + done === 0
    if (isFirst) checkHeader(path, line, end < 0)
    // What a crash left at the end: a line that has none, or (after a power failure) one with blocks of zeros in it.
    if (end < 0 || (end === bytes.length - 1 && line.includes(0))) return done
    if (!isFirst) state.apply(parseChange(path, from + done, line))
    done = end + 1
  }
  return done
}

export function lineOf(change: Change): string {
  return `${JSON.stringify(change, (_, value) => (value instanceof Float32Array ? Array.from(value) : value))}\n`
}

/** All that is there now, without what was written over and removed on the way. */
export function* linesOf(state: State): Generator<string> {
  yield header
  for (const place of state.all()) {
    const { path, epoch, held, artifacts, sessions } = place
    if (epoch > 0) yield lineOf({ in: path, epoch })
    if (held) yield lineOf({ in: path, hold: true })
    yield lineOf({ in: path, load: [{ ...shelfOf(place), artifacts: [], sessions: [] }] })
    for (const artifact of artifacts.values()) yield lineOf({ in: path, artifact })
    for (const [session, { batches }] of sessions)
      for (const batch of batches.values()) yield lineOf({ in: path, session, batch })
  }
}

function checkHeader(path: string, line: Buffer, isTorn: boolean): void {
  const text = line.toString()
  if (`${text}\n` === header) return
  // Only the beginning of a header is ours to cut off; any other line without an end is somebody's text.
  if (isTorn && (header.startsWith(text) || line.every((byte) => byte === 0))) return
  const version = /^\{"clew":"memory-log","v":(\d+)\}$/.exec(text)?.[1]
  throw new MemoryError(
    version
      ? `${path} was written by a newer version of Clew (its memory is v${version}, this reads v1). Update Clew to open it.`
      : `${path} is no memory: it does not begin with ${header.trim()}. Name another file; this one is left as it is.`,
  )
}

function parseChange(path: string, at: number, line: Buffer): Change {
  try {
    return JSON.parse(line.toString(), (key, value) =>
      key === 'vector' && Array.isArray(value) ? Float32Array.from(value) : value,
    ) as Change
  } catch (cause) {
    throw new MemoryError(
      `${path} is damaged at byte ${at}: the line is no JSON. Restore it from a copy, or cut it off there to keep what stands before.`,
      { cause },
    )
  }
}

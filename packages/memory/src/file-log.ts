/**
 * What stands in a session's file: a first line that tells what it is, then one line for each batch.
 *
 *     {"clew":"session","v":1}
 *     {"id":"…","at":0,"events":[…]}
 *
 * `parseLog()` reads it, from any line on. A batch is in the log when its line has its end.
 */
import { type LoggedEvent, SessionError } from '@clew/core'

export const header = '{"clew":"session","v":1}\n'

export type Log = {
  /** Bytes that are whole lines. */
  bytes: number
  /** The position after the last event. */
  at: number
  /** By the position where it stands: each batch's id and the position after it. Left out by whoever only reads. */
  batches?: Map<number, { id: string; end: number }>
}
export const emptyLog = (): Required<Log> => ({ bytes: 0, at: 0, batches: new Map() })

type Batch = { id: string; at: number; events: LoggedEvent[] }

const newline = 0x0a

/**
 * Takes `bytes`, which follow `log` in the file, into `log`; gives their events and how many bytes at the end were torn:
 * a line without its end, or (after a power failure) one with blocks of zeros in it.
 * @throws SessionError when there is something else than a session, or a line in the middle is damaged.
 */
export function parseLog(path: string, log: Log, bytes: Buffer): { events: LoggedEvent[]; torn: number } {
  const events: LoggedEvent[] = []
  let from = 0
  while (from < bytes.length) {
    const taken = log.bytes > 0 ? takeMany(log, bytes.subarray(from, from + perText), events) : 0
    from += taken
    if (taken > 0) continue
    const end = bytes.indexOf(newline, from)
    const line = bytes.subarray(from, end < 0 ? bytes.length : end)
    if (log.bytes === 0) checkHeader(path, line, end < 0)
    const isLast = end < 0 || end === bytes.length - 1
    if (end < 0 || (isLast && line.includes(0))) return { events, torn: bytes.length - from }
    if (log.bytes > 0) take(path, log, line, events)
    log.bytes += line.length + 1
    from = end + 1
  }
  return { events, torn: 0 }
}

/** @throws SessionError unless the line is the header, or the beginning of one where it has no end. */
function checkHeader(path: string, line: Buffer, isTorn: boolean): void {
  const text = line.toString()
  if (`${text}\n` === header) return
  // Only the beginning of a header is ours to cut off; any other line without an end is somebody's text.
  if (isTorn && (header.startsWith(text) || line.every((byte) => byte === 0))) return
  const version = /^\{"clew":"session","v":(\d+)\}$/.exec(text)?.[1]
  throw new SessionError(
    version
      ? `${path} was written by a newer version of Clew (its lines are v${version}, this reads v1). Update Clew to open it.`
      : `${path} is no session: it does not begin with ${header.trim()}. Name another file; this one is left as it is.`,
  )
}

function take(path: string, log: Log, line: Buffer, events: LoggedEvent[]): void {
  const damaged = (reason: string, cause?: unknown) =>
    new SessionError(
      `${path} is damaged at byte ${log.bytes}: ${reason}. Restore it from a copy, or cut it off there to keep what stands before.`,
      { cause },
    )
  let batch: Batch
  try {
    batch = JSON.parse(line.toString())
  } catch (cause) {
    throw damaged('the line is no JSON', cause)
  }
  if (typeof batch?.id !== 'string' || !Array.isArray(batch.events)) throw damaged('the line is no batch')
  if (batch.at !== log.at) throw damaged(`a batch of position ${batch.at} stands at ${log.at}`)
  log.at += batch.events.length
  log.batches?.set(batch.at, { id: batch.id, end: log.at })
  for (const event of batch.events) events.push(event)
}

/**
 * All whole lines as one text, which is read in less time than line after line takes. Gives how many bytes that were; 0 when
 * there is none, or anything is wrong with them: then line after line tells where.
 */
function takeMany(log: Log, bytes: Buffer, events: LoggedEvent[]): number {
  const whole = bytes.lastIndexOf(newline) + 1
  if (whole === 0) return 0
  let batches: Batch[]
  try {
    batches = JSON.parse(`[${bytes.toString('utf8', 0, whole - 1).replaceAll('\n', ',')}]`)
  } catch {
    return 0
  }
  let { at } = log
  const before = events.length
  for (const batch of batches) {
    if (typeof batch?.id !== 'string' || !Array.isArray(batch.events) || batch.at !== at) {
      events.length = before
      return 0
    }
    at += batch.events.length
    log.batches?.set(batch.at, { id: batch.id, end: at })
    for (const event of batch.events) events.push(event)
  }
  log.at = at
  log.bytes += whole
  return whole
}

/** Bytes. Texts of megabytes are kept apart by the engine, and make its garbage collector look at everything. */
const perText = 65_536

/** `thisProcess()` marks what this process writes; `isGone()` tells whether the process of a mark is dead. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process that cannot be looked at counts as dead when nothing was heard of it for this long; how often one is heard of. */
const silentMs = 10_000
export const beatMs = 3000

/**
 * `place`: one boot of one kernel and one pid namespace there, where a pid means anything. `began`: in the kernel's own
 * count, since pids are given away again. Both empty where nothing tells.
 */
type Mark = { pid: number; place: string; began: string }

export function thisProcess(): string {
  return JSON.stringify({ pid: process.pid, place: place(), began: began(process.pid) ?? '' } satisfies Mark)
}

/** `heard`: when it wrote last, in milliseconds since 1970. */
export function isGone(mark: string, heard: number, now = Date.now()): boolean {
  const { pid, place: where, began: since } = JSON.parse(mark) as Mark
  if (where !== place()) return now - heard > silentMs
  if (since !== '') return began(pid) !== since
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

let known: string | undefined
function place(): string {
  if (known !== undefined) return known
  try {
    known = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    known = hostname()
  }
  return known
}

/** Undefined for a process that is not there, or is dead and not yet buried. */
function began(pid: number): string | undefined {
  try {
    // pid (command) state ppid …: the command may hold spaces and brackets, so fields are counted from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

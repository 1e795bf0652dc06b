/** Who holds a lease or a lock: `thisProcess()` describes us, `isGone()` tells whether another process may take over. */
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { SessionError } from '@clew/core'

export type Holder = {
  /** Made anew each time that a lease or lock is taken. */
  token: string
  host: string
  pid: number
  /** Where its pid means anything: one boot of one kernel, and one pid namespace there. */
  place: string
  /** When the process began, in the kernel's own count; a pid that was given away again begins at another time. Empty where nothing tells. */
  began: string
  /** When it was taken, in milliseconds since 1970. */
  since: number
}

/** How long, in milliseconds, a holder counts that cannot be looked at, since it was last heard of; and how often one is heard of. */
export const leaseMs = 10_000
export const renewMs = 3_000

export function thisProcess(since: number): Holder {
  const { pid } = process
  return { token: randomUUID(), host: hostname(), pid, place: place(), began: procOf(pid)?.began ?? '', since }
}

/**
 * Whether the holder has lost what it held. One of this machine is looked at: dead, or its pid another process's by now,
 * it has lost it at once; alive, it keeps it however silent it is. All others have until `leaseMs` after `renewed`, when
 * they were last heard of. (After a reboot `place` differs, so that its holders count as others: no clock decides whether
 * two boots are of one machine.)
 */
export function isGone(holder: Holder | undefined, renewed: number, now: number): boolean {
  if (holder?.place === place()) {
    const found = procOf(holder.pid)
    if (found && holder.began !== '') return found.isDead || found.began !== holder.began
    if (!found && !isThere(holder.pid)) return true
  }
  return now - renewed >= leaseMs
}

/** The error that a second worker gets. */
export function heldError(id: string, holder: Holder | undefined): SessionError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host}, since ${new Date(holder.since).toISOString()}`
    : 'another process'
  return new SessionError(
    `Session "${id}" is being worked on by ${who}. Let it finish or stop it, then try again; one that dies loses the session.`,
  )
}

/** What was written by `JSON.stringify(holder)`; undefined for anything else, such as what a power failure left. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const { token, host, pid, place, began, since } = JSON.parse(text) as Holder
    const isWhole = typeof token === 'string' && Number.isSafeInteger(pid) && Number.isFinite(new Date(since).getTime())
    return isWhole ? { token, host, pid, place, began, since } : undefined
  } catch {
    return undefined
  }
}

let known: string | undefined
function place(): string {
  if (known !== undefined) return known
  try {
    known = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // Without a boot id: the minute of the boot. Where the clock is set meanwhile, holders here count as others.
    known = `${hostname()} ${Math.round((Date.now() / 1000 - uptime()) / 60)}`
  }
  return known
}

function procOf(pid: number): { began: string; isDead: boolean } | undefined {
  try {
    // pid (command) state ppid …: the command may hold spaces and brackets, so fields are counted from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { began: fields[19] ?? '', isDead: fields[0] === 'Z' || fields[0] === 'X' }
  } catch {
    return undefined
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

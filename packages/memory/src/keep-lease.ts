/** `keepLease()`: a lease that is renewed until it is released. */
import type { Lease } from '@clew/core'
import { renewMs } from './holder.ts'

/**
 * Calls `renew` every three seconds, on a timer that keeps no process alive, and `drop` once, at the first `release()`.
 * `renew` gives false when the lease is another's by now: then a warning tells it, once. A renewal that throws is tried
 * again in three seconds.
 */
export function keepLease(
  id: string,
  { renew, drop }: { renew: () => boolean | Promise<boolean>; drop: () => void | Promise<void> },
): Lease {
  let dropped: Promise<void> | undefined
  const timer = setInterval(async () => {
    try {
      if (await renew()) return
      clearInterval(timer)
      if (dropped === undefined) warnLost(id)
    } catch {
      // A disk that was busy or full may not be so the next time.
    }
  }, renewMs)
  timer.unref()
  return {
    release() {
      clearInterval(timer)
      dropped ??= Promise.resolve().then(drop)
      return dropped
    },
  }
}

export function warnLost(id: string): void {
  process.emitWarning(
    `The lease on session "${id}" was lost: another worker may run on it now. The log stays right, since of two appends at one position the second is refused.`,
    { code: 'CLEW_LEASE_LOST' },
  )
}

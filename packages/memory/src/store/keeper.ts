/** `Keeper`: what a store's retention and its leases ask for beside the work itself. */
import type { Lease } from '@clew/core'
import type { Backend, Expiry, Only, Ticket } from './backend.ts'
import type { Receipt } from './memory.ts'
import { expiryOf, type RetentionOptions } from './retention.ts'
import { Scope } from './scope.ts'

/** How long, in milliseconds, a tenant that was tidied is left alone. */
const tidyMs = 3_600_000
/** How much is removed behind one write. */
const tidyLimit = 10_000

export class Keeper {
  readonly now: () => number
  readonly leases = new Set<Lease>()
  readonly #backend: Backend
  readonly #expiryAt: ((now: number) => Expiry) | undefined
  /** By tenant: when it was tidied. */
  readonly #tidied = new Map<string, number>()

  constructor(backend: Backend, { retention, now = Date.now }: RetentionOptions) {
    this.#backend = backend
    this.#expiryAt = expiryOf(retention)
    this.now = now
  }

  /** As of now; undefined when nothing ever expires. */
  expiry(): Expiry | undefined {
    return this.#expiryAt?.(this.now())
  }

  /** Removes a block or a session that has expired, so that another can begin under its name. Gives whether it did. */
  async makeRoom(ticket: Ticket, only: Only): Promise<boolean> {
    const expiry = this.expiry()
    if (!expiry) return false
    const { blocks, sessions } = await this.#backend.prune(ticket, { expiry, limit: 1, only, skipsHeld: true })
    return blocks + sessions > 0
  }

  /**
   * Behind a write: removes what has expired of the whole tenant, since nobody may ever write in some of its scopes again.
   * What was written is written, so a failure here is not told; the next write tries again.
   */
  async tidy({ path, epoch }: Ticket): Promise<void> {
    const expiry = this.expiry()
    const tenant = path[0] as string
    if (!expiry || this.now() - (this.#tidied.get(tenant) ?? Number.NEGATIVE_INFINITY) < tidyMs) return
    this.#tidied.set(tenant, this.now())
    const ticket = { scope: new Scope([tenant]), path: [tenant], epoch: epoch.split('.')[0] as string }
    const removed = await this.#backend
      .prune(ticket, { expiry, limit: tidyLimit, skipsHeld: true })
      .catch(() => undefined)
    if (!removed || thingsIn(removed) >= tidyLimit) this.#tidied.delete(tenant)
  }
}

/** What a limit counts. */
export function thingsIn({ blocks, entries, artifacts, sessions }: Receipt): number {
  return blocks + entries + artifacts + sessions
}

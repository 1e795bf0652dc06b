/**
 * `sessionTree()`: a conversation with branches, on sessions of any store.
 *
 * A branch has the first events of its parent and then its own. Nothing is copied: a fork is one entry in a session of
 * its own, `ROOT.branches`, and a branch is read along the path from the root. Positions count the events on that path.
 */
import { randomUUID } from 'node:crypto'
import { type Fork, InputError, isClewError, type LoggedEvent, type Session, SessionError } from '@clew/core'

/** The root, or a branch: from which session it was forked, and behind how many events. */
export type Head = { id: string; parent?: string; at?: number }

export interface SessionTree {
  /** The session of a head; without an id the root. It has a position, a log and a lease of its own. */
  checkout(id?: string): Session
  /**
   * A new head that goes on from the first `at` events of another, in the time of one append, however long that is. What
   * stands open there is closed by the next run, as after a crash.
   * @throws InputError for a position that is none; SessionError when the id is taken, or there is no such parent.
   */
  fork(parent: string, at: number, id?: string): Promise<Session>
  /** The root and all branches, in the order of their making. */
  heads(): Promise<Head[]>
  /** How many events two heads have in common, and what each has beyond them. */
  diff(one: string, other: string): Promise<{ common: number; one: LoggedEvent[]; other: LoggedEvent[] }>
  /** Closes what was opened to read; sessions that were checked out are closed by whoever has them. */
  close(): Promise<void>
}

/** `open` gives the session of an id: the same log for the same id, as `(id) => sqliteSession(id, { file })` does. */
export function sessionTree(root: string, open: (id: string) => Session): SessionTree {
  const registry = open(`${root}.branches`)
  /** For reading what branches stand on. */
  const trunks = new Map<string, Session>()

  async function forks(): Promise<{ forks: Fork[]; at: number }> {
    const { events, at } = await registry.read()
    return { forks: events.filter((event) => event.type === 'fork'), at }
  }

  /** From the root on: each session, and how many of the path's events stand before its own. */
  async function pathTo(id: string): Promise<{ id: string; base: number }[]> {
    const known = new Map((await forks()).forks.map((fork) => [fork.id, fork]))
    const path: { id: string; base: number }[] = []
    for (let at = id; at !== root; ) {
      const fork = known.get(at)
      if (!fork) throw unknown(root, at, [root, ...known.keys()])
      path.unshift({ id: at, base: fork.at })
      at = fork.parent
    }
    return [{ id: root, base: 0 }, ...path]
  }

  /** The events before the last session of the path, and that session's place. */
  async function trunkOf(path: { id: string; base: number }[]): Promise<LoggedEvent[]> {
    const events: LoggedEvent[] = []
    for (const [depth, { id }] of path.slice(0, -1).entries()) {
      const next = path[depth + 1] as { id: string; base: number }
      const own = await trunkAt(id).read()
      events.push(...own.events)
      if (next.base > events.length) {
        throw new SessionError(
          `Session "${next.id}" was forked behind event ${next.base} of "${id}", which has ${events.length}: a part of its log is missing.`,
        )
      }
      events.length = next.base
    }
    return events
  }

  /** Says to what a head stands on that it is used: where sessions expire, they do so by their last append. */
  async function use(id: string): Promise<void> {
    const path = await pathTo(id)
    for (const session of [registry, ...path.slice(0, -1).map(({ id }) => trunkAt(id))]) {
      const { at } = await session.read()
      // Refused, it was appended to meanwhile: that says it as well.
      await session.append(at, { id: randomUUID(), events: [] }).catch(() => {})
    }
  }

  function trunkAt(id: string): Session {
    const trunk = trunks.get(id) ?? open(id)
    trunks.set(id, trunk)
    return trunk
  }

  function checkout(id = root): Session {
    const own = open(id)
    let base: number | undefined
    let used = Number.NEGATIVE_INFINITY
    const baseOf = async () => (base ??= (await pathTo(id)).at(-1)?.base ?? 0)
    return {
      id: own.id,
      async read() {
        const path = await pathTo(id)
        const [trunk, { events, at }] = [await trunkOf(path), await own.read()]
        base = trunk.length
        return { events: [...trunk, ...events], at: trunk.length + at }
      },
      async append(at, batch) {
        const before = await baseOf()
        const end = before + (await own.append(at - before, batch))
        if (id !== root && Date.now() - used >= useMs) {
          used = Date.now()
          // It is appended, whatever becomes of this.
          await use(id).catch(() => {})
        }
        return end
      },
      close: () => own.close(),
      ...(own.acquire && { acquire: () => own.acquire!() }),
    }
  }

  async function fork(parent: string, at: number, id = `${root}.${randomUUID()}`): Promise<Session> {
    if (!Number.isSafeInteger(at) || at < 1) {
      throw new InputError(
        `fork(${JSON.stringify(parent)}, ${String(at)}): give the number of events to go on from, at least 1.`,
      )
    }
    // Another process may fork at the same time: the log says who came first, and the other looks again.
    for (let tries = 0; ; tries++) {
      const { forks: all, at: end } = await forks()
      const ids = [root, ...all.map((each) => each.id)]
      if (!ids.includes(parent)) throw unknown(root, parent, ids)
      if (ids.includes(id)) throw new SessionError(`Session "${root}" has a branch "${id}" already. Choose another id.`)
      try {
        await registry.append(end, { id: randomUUID(), events: [{ type: 'fork', id, parent, at }] })
        return checkout(id)
      } catch (error) {
        if (!isClewError(error, 'session') || tries === maxTries) throw error
      }
    }
  }

  return {
    checkout,
    fork,
    async heads() {
      return [{ id: root }, ...(await forks()).forks.map(({ id, parent, at }) => ({ id, parent, at }))]
    },
    async diff(one, other) {
      const [left, right] = [await pathTo(one), await pathTo(other)]
      const shared = left.findIndex(({ id }, depth) => id !== right[depth]?.id)
      const depth = shared === -1 ? left.length : shared
      // They part where the one of them, or both, were forked from the last session that they share.
      const bases = [left[depth]?.base, right[depth]?.base].filter((base) => base !== undefined)
      const [all, others] = [(await checkout(one).read()).events, (await checkout(other).read()).events]
      const common = Math.min(...bases, all.length, others.length)
      return { common, one: all.slice(common), other: others.slice(common) }
    },
    async close() {
      await Promise.all([registry, ...trunks.values()].map((session) => session.close()))
    },
  }
}

/** In milliseconds: how often a head says so. */
const useMs = 3_600_000

/** Forks of one conversation at one moment: more than these are something else. */
const maxTries = 20

function unknown(root: string, id: string, ids: string[]): SessionError {
  return new SessionError(`Conversation "${root}" has no head "${id}". Known: ${ids.join(', ')}.`)
}

/** `sqlBackend()`: a `Backend` over a database, from the programs of `sql-*.ts` and a driver that runs them. */
import type { Lease } from '@clew/core'
import type { Backend, Ticket } from './backend.ts'
import { leaseKey } from './convert.ts'
import { thingsIn } from './keeper.ts'
import type { Dialect, Program } from './sql.ts'
import { sqlArtifacts } from './sql-artifacts.ts'
import { sqlBlocks } from './sql-blocks.ts'
import { sqlRecords } from './sql-records.ts'
import { sqlRemoval } from './sql-removal.ts'
import { guard, sqlScopes } from './sql-scopes.ts'
import { sqlSearch } from './sql-search.ts'
import { sqlSessions } from './sql-sessions.ts'

export type Driver = {
  dialect: Dialect
  /** All of the program or nothing, on one view of the database, as this tenant; it may run twice. */
  read<Result>(tenant: string, program: () => Program<Result>): Promise<Result>
  write<Result>(tenant: string, program: () => Program<Result>): Promise<Result>
  /** The lease on session `id`, under a key of its own in this scope, unless `check` throws. */
  acquire(path: readonly string[], lease: { id: string; key: string; check: () => Program<void> }): Promise<Lease>
  /** After something was forgotten: what the database still has of it in files. */
  scrub?(): Promise<void>
  close(): Promise<void>
}

export function sqlBackend(driver: Driver): Backend {
  const { dialect } = driver
  const scopes = sqlScopes(dialect)
  const blocks = sqlBlocks(dialect)
  const records = sqlRecords(dialect)
  const artifacts = sqlArtifacts(dialect)
  const sessions = sqlSessions(dialect)
  const removal = sqlRemoval(dialect)
  const search = sqlSearch(dialect)
  const read = <Result>(path: readonly string[], program: () => Program<Result>) =>
    driver.read(path[0] as string, program)
  /** What takes `alone` shuts out all other writers of the scope and below. */
  const write = <Result>(ticket: Ticket, program: () => Program<Result>, alone = false) =>
    driver.write(ticket.path[0] as string, function* () {
      yield* guard(dialect, ticket, alone)
      return yield* program()
    })

  return {
    epoch: (path) => read(path, () => scopes.epoch(path)),
    blocks: (path, which, expiry) => read(path, () => blocks.read(path, which, expiry)),
    writeBlock: (ticket, block) => write(ticket, () => blocks.write(ticket.path, block)),
    add: (ticket, entries) => write(ticket, () => records.add(ticket.path, entries)),
    get: (path, id, expiry) => read(path, () => records.get(path, id, expiry)),
    remove: (ticket, ids) => write(ticket, () => records.remove(ticket.path, ids)),
    count: (path, expiry) => read(path, () => records.count(path, expiry)),
    search: (path, needle) => read(path, () => search(path, needle)),
    putArtifact: (ticket, artifact) => write(ticket, () => artifacts.put(ticket.path, artifact)),
    readArtifact: (path, id, from, to, expiry) => read(path, () => artifacts.read(path, id, from, to, expiry)),
    readSession: (path, id, expiry) => read(path, () => sessions.read(path, id, expiry)),
    appendSession: (ticket, id, batch) => write(ticket, () => sessions.append(ticket.path, id, batch)),
    sessions: (path, expiry) => read(path, () => sessions.ids(path, expiry)),
    acquire: (ticket, id) =>
      driver.acquire(ticket.path, { id, key: leaseKey(ticket, id), check: () => guard(dialect, ticket, false) }),
    hold: (ticket, on) => write(ticket, () => scopes.hold(ticket.path, on), true),
    async prune(ticket, which) {
      const receipt = await write(ticket, () => removal.prune(ticket.path, which), true)
      const removed = thingsIn(receipt)
      // Behind the last of several.
      if (removed > 0 && removed < which.limit) await driver.scrub?.()
      return receipt
    },
    async erase(ticket) {
      const receipt = await write(ticket, () => removal.erase(ticket.path), true)
      await driver.scrub?.()
      return receipt
    },
    dump: (path, expiry) => read(path, () => records.dump(path, expiry)),
    load: (ticket, shelves) =>
      write(
        ticket,
        function* () {
          for (const { path, ...shelf } of shelves) {
            yield* blocks.load(path, shelf.blocks)
            yield* records.add(path, shelf.entries)
            for (const artifact of shelf.artifacts) yield* artifacts.put(path, artifact)
            for (const session of shelf.sessions) yield* sessions.load(path, session)
          }
        },
        true,
      ),
    close: () => driver.close(),
  }
}

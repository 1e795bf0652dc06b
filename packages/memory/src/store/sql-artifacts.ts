/** Artifacts in a database: in parts, so that a range of a big one is read without the rest. */
import type { Artifact, Expiry } from './backend.ts'
import { lapsedArtifact } from './expired.ts'
import { type Dialect, decode, encode, exactly, isExactly, type Program, query } from './sql.ts'
import { isHeld } from './sql-scopes.ts'

/** In UTF-16 units. A pair that it splits is written as two halves, and whole again when they are joined. */
const partLength = 2 ** 18

export function sqlArtifacts(dialect: Dialect) {
  const { prefix } = dialect
  return {
    *put(path: readonly string[], { id, text, written }: Artifact): Program<void> {
      const renew = `UPDATE ${prefix}artifacts SET written = $5 WHERE ${isExactly} AND id = $4 AND part = 0 RETURNING part`
      if ((yield* query(renew, ...exactly(path), id, written)).length > 0) return
      for (let part = 0; part * partLength <= text.length; part += 1) {
        const piece = text.slice(part * partLength, (part + 1) * partLength)
        yield* query(
          `INSERT INTO ${prefix}artifacts (tenant, usr, thread, id, part, length, text, written)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, usr, thread, id, part) DO NOTHING`,
          ...[...exactly(path), id, part, text.length, encode(piece), written],
        )
      }
    },

    *read(path: readonly string[], id: string, from: number, to: number, expiry?: Expiry) {
      const first = Math.min(Math.floor(from / partLength), 2 ** 30)
      const last = Math.min(Math.floor(to / partLength), 2 ** 30)
      const rows = yield* query(
        `SELECT part, length, text, written FROM ${prefix}artifacts
           WHERE ${isExactly} AND id = $4 AND (part = 0 OR (part >= $5 AND part <= $6)) ORDER BY part`,
        ...[...exactly(path), id, first, last],
      )
      // Part 0 says when it was put.
      const written = rows[0]?.written as number | undefined
      if (!rows[0] || written === undefined) return undefined
      if (expiry && lapsedArtifact({ written }, expiry) && !(yield* isHeld(dialect, path))) return undefined
      const parts = rows.filter(({ part }) => (part as number) >= first)
      const text = parts.map((row) => decode(row.text as string)).join('')
      return { text, start: first * partLength, length: rows[0].length as number, written }
    },
  }
}

/**
 * `sqliteVectors`: vectors in SQLite: the bytes of their floats, in the table of entries.
 *
 * `sqlite-vec` measures distances over these rows where it can be loaded. Its own tables (`vec0`) would be twice as fast, but a
 * process without the extension could neither write to them nor erase from them, and they have one dimension each.
 */
import type { DatabaseSync } from 'node:sqlite'
import { query, reliable, type Vectors } from './sql.ts'

/** What `loadDistance` needs: fetched before, since loading may not wait. */
export type VectorExtension = { load(db: DatabaseSync): void }

/** Undefined where it is not installed. */
export async function vectorExtension(): Promise<VectorExtension | undefined> {
  return await import('sqlite-vec').catch(() => undefined)
}

/** For a database that was opened with `allowExtension`. Nothing else can be loaded afterwards. */
export function loadDistance(db: DatabaseSync, extension: VectorExtension | undefined): void {
  try {
    extension?.load(db)
  } catch {
    // It is not made for this machine. Ranked in the program, the same is found.
  } finally {
    db.enableLoadExtension(false)
  }
}

export const sqliteVectors: Vectors = {
  columns: ['vector'],
  write: (vector) => [new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)],
  // Copied, so that the floats begin where floats may.
  read: (bytes) => new Float32Array(new Uint8Array(bytes as Uint8Array).buffer),
  *distance(parameter) {
    const known = yield* query("SELECT 1 AS one FROM pragma_function_list WHERE name = 'vec_distance_cosine' LIMIT 1")
    if (known.length === 0) return undefined
    const length = `vec_distance_l2(vector, zeroblob(length(vector)))`
    return reliable(length, `vec_distance_cosine(vector, ${parameter})`)
  },
}

/** From the first version, in which they were texts. */
export const migrateSqliteVectors = (table: string): string[] => [
  `UPDATE ${table} SET vector = clew_bytes(vector) WHERE vector IS NOT NULL`,
]

/** What `migrateSqliteVectors` calls. */
export function defineBytes(db: DatabaseSync): void {
  db.function('clew_bytes', (text) => Buffer.from(text as string, 'base64'))
}

/**
 * `postgresVectors`: vectors in PostgreSQL: as texts, which the program reads fastest, and as arrays of floats beside them.
 *
 * Where the extension `vector` (pgvector) is in the database, it measures distances over the arrays: all that the policy shows,
 * and none but those. It may come and go, since nothing is kept in its type; nobody has to create it for Clew.
 */
import { query, reliable, type Vectors } from './sql.ts'

/** As many numbers has a vector of the extension. */
const maxDimension = 16_000

export const postgresVectors: Vectors = {
  columns: ['vector', 'floats'],
  write: (vector) => [
    Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
    arrayOf(vector),
  ],
  // Copied, so that the floats begin where floats may.
  read: (text) => new Float32Array(new Uint8Array(Buffer.from(text as string, 'base64')).buffer),
  *distance(parameter, dimension) {
    if (dimension > maxDimension) return undefined
    // Asked every time: it costs little beside the search. Its schema may not be one of those that are searched.
    const [found] = yield* query(
      `SELECT quote_ident(nspname) AS name FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
         WHERE extname = 'vector' AND has_schema_privilege(pg_namespace.oid, 'USAGE')`,
    )
    if (!found) return undefined
    const [here, other] = ['floats', parameter].map((each) => `CAST(CAST(${each} AS real[]) AS ${found.name}.vector)`)
    return reliable(`${found.name}.vector_norm(${here})`, `${here} OPERATOR(${found.name}.<=>) ${other}`)
  },
}

/**
 * In PostgreSQL's binary form, since as a text every number would be written and read for itself: dimensions, flags, type (float4),
 * length, first index; then each value behind its size.
 */
function arrayOf(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(20 + 8 * vector.length)
  for (const [at, value] of [1, 0, 700, vector.length, 1].entries()) bytes.writeInt32BE(value, 4 * at)
  for (let at = 0; at < vector.length; at += 1) {
    bytes.writeInt32BE(4, 20 + 8 * at)
    bytes.writeFloatBE(vector[at] as number, 24 + 8 * at)
  }
  return bytes
}

/**
 * From the first version, which had the texts alone: bytes in base64, of each number the lowest first. A change of a column's type
 * is no query, so that it reaches the rows of all tenants; the function that reads the bytes is gone behind it.
 */
export function migratePostgresVectors(table: string): string[] {
  const read = `${table.slice(0, -1)}_floats${table.slice(-1)}`
  const byte = (number: number) => `CAST(get_byte(bytes, 4 * at + ${number}) AS bigint) << ${8 * number}`
  return [
    `CREATE FUNCTION ${read}(bytes bytea) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
       SELECT array_agg(CAST(CASE WHEN bits >> 31 = 1 THEN -1.0 ELSE 1.0 END AS double precision) * CASE
           WHEN (bits >> 23) & 255 = 0 THEN (bits & 8388607) * power(CAST(2 AS double precision), -149)
           ELSE ((bits & 8388607) + 8388608) * power(CAST(2 AS double precision), CAST((bits >> 23) & 255 AS integer) - 150)
         END ORDER BY at)
       FROM (SELECT at, ${[0, 1, 2, 3].map((number) => `(${byte(number)})`).join(' | ')} AS bits
         FROM generate_series(0, length(bytes) / 4 - 1) AS at) AS numbers
     $$`,
    `ALTER TABLE ${table} ADD COLUMN floats real[]`,
    `ALTER TABLE ${table} ALTER COLUMN floats TYPE real[] USING ${read}(decode(vector, 'base64'))`,
    `DROP FUNCTION ${read}`,
  ]
}

/**
 * `postgresVectors`: vectors in PostgreSQL: arrays of floats, in the table of entries.
 *
 * Where the extension `vector` (pgvector) is in the database, it measures distances over these rows: all that the policy shows,
 * and none but those. It may come and go, since nothing is kept in its type; nobody has to create it for Clew.
 */
import { query, reliable, type Vectors } from './sql.ts'

/** As many numbers has a vector of the extension. */
const maxDimension = 16_000

export const postgresVectors: Vectors = {
  // As bytes, both ways: as a text every number would be written and read for itself.
  column: 'array_send(vector)',
  write: bytesOf,
  read: (bytes) => floatsOf(bytes as Buffer),
  *distance(parameter, dimension) {
    if (dimension > maxDimension) return undefined
    // Asked every time: it costs little beside the search. Its schema may not be one of those that are searched.
    const [found] = yield* query(
      `SELECT quote_ident(nspname) AS name FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
         WHERE extname = 'vector' AND has_schema_privilege(pg_namespace.oid, 'USAGE')`,
    )
    if (!found) return undefined
    const [here, other] = ['vector', parameter].map((each) => `CAST(CAST(${each} AS real[]) AS ${found.name}.vector)`)
    return reliable(`${found.name}.vector_norm(${here})`, `${here} OPERATOR(${found.name}.<=>) ${other}`)
  },
}

/** PostgreSQL's binary form of an array: dimensions, flags, type (float4), length, first index; then each value behind its size. */
function bytesOf(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(20 + 8 * vector.length)
  for (const [at, value] of [1, 0, 700, vector.length, 1].entries()) bytes.writeInt32BE(value, 4 * at)
  for (const [at, value] of vector.entries()) {
    bytes.writeInt32BE(4, 20 + 8 * at)
    bytes.writeFloatBE(value, 24 + 8 * at)
  }
  return bytes
}

function floatsOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: (bytes.length - 20) / 8 }, (_, at) => bytes.readFloatBE(24 + 8 * at))
}

/**
 * From the first version, in which they were texts: bytes in base64, of each number the lowest first. A change of the type is no
 * query, so that it reaches the rows of all tenants; the function that reads the bytes is gone behind it.
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
    `ALTER TABLE ${table} ALTER COLUMN vector TYPE real[] USING ${read}(decode(vector, 'base64'))`,
    `DROP FUNCTION ${read}`,
  ]
}

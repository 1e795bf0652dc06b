/** `undoRetention()`: what takes the second step of a database's tables back; a prefix with a schema is PostgreSQL's. */
export const undoRetention = (prefix: string): string =>
  [
    `DROP TABLE ${prefix}leases`,
    `DROP INDEX ${prefix}batches_by_use`,
    ...['blocks', 'artifacts', 'batches'].flatMap((table) => [
      `DROP INDEX ${prefix}${table}_by_time`,
      `ALTER TABLE ${prefix}${table} DROP COLUMN written`,
    ]),
  ].join('; ')

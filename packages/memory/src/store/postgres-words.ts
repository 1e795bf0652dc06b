/**
 * `postgresWords()`: the words of entries in PostgreSQL, as rows.
 *
 * Not as a `tsvector`: behind a policy on rows the planner uses no index with an operator that could tell of a row before
 * the policy was asked, and `@@` is one of them; `=` is not. The score (BM25), the order and the limit are the database's.
 */
import { among, type Dialect, type Program, query, type RowNumber, type WordIndex } from './sql.ts'

/** `length` is the entry's: a search of the whole tenant reads one index and no entry. */
export function postgresWordTables(prefix: string, bare: string): string[] {
  return [
    `CREATE TABLE ${prefix}words (
      no bigint NOT NULL, count integer NOT NULL, length integer NOT NULL,
      tenant text NOT NULL, word text NOT NULL
    )`,
    `CREATE INDEX ${bare}words_by_entry ON ${prefix}words (no)`,
    `CREATE INDEX ${bare}words_by_word ON ${prefix}words (tenant, word) INCLUDE (no, count, length)`,
  ]
}

export function postgresWords(dialect: Omit<Dialect, 'words'>): WordIndex {
  const { prefix } = dialect

  function* drop(nos: RowNumber[]): Program<void> {
    yield* query(`DELETE FROM ${prefix}words WHERE ${dialect.isOneOf('no', '$1', 'bigint')}`, JSON.stringify(nos))
  }

  return {
    *put(path, entries) {
      const replacing = entries.filter(({ isReplacing }) => isReplacing)
      if (replacing.length > 0) yield* drop(replacing.map(({ no }) => no))
      const rows = entries.map(({ no, length, words }) => ({ no, length, words: Object.fromEntries(words) }))
      yield* query(
        `INSERT INTO ${prefix}words (tenant, no, length, word, count)
           SELECT $1, given.no, given.length, word.key, CAST(word.value AS integer)
           FROM json_to_recordset(CAST($2 AS json)) AS given (no bigint, length integer, words json),
             json_each_text(given.words) AS word`,
        path[0] as string,
        JSON.stringify(rows),
      )
    },

    drop,

    *find(path, { words, kinds }, most) {
      const { where, values } = among(dialect, path, kinds)
      const [wordsAt, mostAt] = [1, 2].map((more) => `$${values.length + more}`) as [string, string]
      // Read twice from the index it costs less than written down, and more where entries are looked up for it.
      const isAll = path.length === 1 && !kinds
      const text = `
        WITH sums AS (
          SELECT CAST(count(*) AS double precision) AS entries, CAST(avg(length) AS double precision) AS mean
          FROM ${prefix}entries WHERE ${where}
        ), hits AS ${isAll ? 'NOT' : ''} MATERIALIZED (
          SELECT no, word, CAST(count AS double precision) AS count, CAST(length AS double precision) AS length FROM ${prefix}words
          WHERE tenant = $1 AND ${dialect.isOneOf('word', wordsAt, 'text')}
            ${isAll ? '' : `AND no IN (SELECT no FROM ${prefix}entries WHERE ${where})`}
        ), weights AS (
          SELECT word, mean, ln(1 + (entries - matches + 0.5) / (matches + 0.5)) AS weight
          FROM (SELECT word, CAST(count(*) AS double precision) AS matches FROM hits GROUP BY word) AS rarity, sums
        )
        SELECT no, sum(weight * count * 2.2 / (count + 0.3 + 0.9 * length / mean)) AS score
        FROM hits JOIN weights USING (word) GROUP BY no ORDER BY score DESC, no DESC LIMIT ${mostAt}`
      const rows = yield* query(text, ...values, JSON.stringify(words), most)
      // The database adds in any order, so that what is equal can differ in the last digits.
      return rows.map(({ no, score }) => ({ no: no as string, score: Number((score as number).toFixed(9)) }))
    },
  }
}

/** `sqlQuery()`: the tool that reads a database, and only reads it. */
import { DefinitionError, InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkCount, checkNames } from '../guard/check-option.ts'
import { pageChars } from '../page.ts'
import { checkQuery } from './one-query.ts'
import { askPostgres, postgresSchema } from './postgres.ts'
import { Refused, TooLong, TooMuch } from './refused.ts'
import { type Caps, type Rows, schemaOf, tableOf } from './rows.ts'
import { askSqlite, sqliteSchema } from './sqlite.ts'

export type SqlQueryOptions = (
  | {
      /** Path of an SQLite file. */
      sqlite: string
      postgres?: undefined
    }
  | {
      /** Connection string of a PostgreSQL database, with a role that may only `SELECT`. Needs the package `pg`. */
      postgres: string
      sqlite?: undefined
    }
) & {
  /** Default `sql_query`. For agents with several databases. */
  name?: string
  /** What is in the database, for the tool's description. */
  about?: string
  /** Rows that are read, at most. Default 100. */
  maxRows?: number
  /** Characters of a cell that are shown. Default 500. */
  maxCellChars?: number
  /** Milliseconds after which a query is stopped. Default 10,000. */
  timeoutMs?: number
  /** What is in the database may have been written by strangers. Default true. */
  untrusted?: boolean
}

const optionNames = ['sqlite', 'postgres', 'name', 'about', 'maxRows', 'maxCellChars', 'timeoutMs', 'untrusted']

/** Columns of a schema that are listed, at most. */
const maxColumns = 2_000

type Ask = (sql: string, caps: Caps, signal: AbortSignal) => Promise<Rows>

/**
 * `sql_query` runs one `SELECT` in a database that refuses to write, or lists tables and columns. Rows, cells, bytes and
 * time are bounded.
 * @throws DefinitionError for options that cannot be used
 */
export function sqlQuery(options: SqlQueryOptions): Tool<{ query?: string | undefined }> {
  const { name, caps, untrusted, ask, dialect, schema, about } = checkOptions(options)
  return tool({
    name,
    description: `Reads from a ${dialect} database with one SELECT statement. Call it without "query" first: then it lists the tables and their columns. It cannot change anything.${about === undefined ? '' : ` ${about}`}`,
    effect: 'pure',
    untrusted,
    // The database has its own word on what takes long, and says it first.
    timeoutMs: caps.timeoutMs + 5_000,
    maxResultChars: pageChars + 2_000,
    input: z.object({
      query: z
        .string()
        .optional()
        .describe(`One SELECT statement in the SQL of ${dialect}. Left out: tables and columns are listed.`),
    }),
    execute: async ({ query }, { signal, fence }) => {
      const shown = (text: string) => (untrusted ? fence(text) : text)
      try {
        if (query === undefined) {
          const rows = await ask(schema, { ...caps, maxRows: maxColumns }, signal)
          return shown(schemaOf(rows).slice(0, pageChars).toWellFormed())
        }
        checkQuery(query)
        const rows = await ask(query, caps, signal)
        const { table, note, shown: count } = tableOf(rows, pageChars)
        return { content: `${shown(table)}\n${note}`, view: { columns: rows.columns, rows: rows.rows.slice(0, count) } }
      } catch (error) {
        throw told(error, shown)
      }
    },
    fake: ({ query }) => (query === undefined ? 'people(id integer, name text)' : 'id | name\n1 | Ada\n(1 row)'),
  })
}

/** A message of the database can quote what stands in it. */
function told(error: unknown, shown: (text: string) => string): unknown {
  if (error instanceof Refused)
    return new InputError(
      `The database refused the query:\n${shown(error.message.slice(0, 2_000))}\nCorrect it, or call this tool without "query" to see tables and columns.`,
    )
  if (error instanceof TooLong || error instanceof TooMuch)
    return new InputError(
      `The query has no result: ${error.message}. Ask for less, with WHERE, LIMIT, count() or sum().`,
    )
  return error
}

function checkOptions(options: SqlQueryOptions) {
  const {
    sqlite,
    postgres,
    name = 'sql_query',
    about,
    maxRows = 100,
    maxCellChars = 500,
    timeoutMs = 10_000,
  } = options ?? {}
  const where = 'sqlQuery()'
  checkNames(where, options ?? {}, optionNames)
  const given = [sqlite, postgres].filter((each) => typeof each === 'string' && each !== '')
  if (given.length !== 1) {
    throw new DefinitionError(
      `${where}: give one database: { sqlite: 'shop.db' } or { postgres: 'postgres://reader:…@localhost/shop' }.`,
    )
  }
  checkCount(where, 'maxRows', maxRows, 10_000)
  checkCount(where, 'maxCellChars', maxCellChars)
  checkCount(where, 'timeoutMs', timeoutMs, 3_600_000)
  const ask: Ask =
    postgres === undefined
      ? (...rest) => askSqlite(sqlite as string, ...rest)
      : (...rest) => askPostgres(postgres, ...rest)
  return {
    name,
    about,
    caps: { maxRows, maxCellChars, timeoutMs },
    untrusted: options.untrusted ?? true,
    ask,
    dialect: postgres === undefined ? 'SQLite' : 'PostgreSQL',
    schema: postgres === undefined ? sqliteSchema : postgresSchema,
  }
}

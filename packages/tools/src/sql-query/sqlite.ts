/** `askSqlite()`: rows of an SQLite file, read by a process that can be ended. */
import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DefinitionError } from '@clew/core'
import { residentMbOf, watchEveryMs } from '../jail/resident.ts'
import { Refused, TooLong } from './refused.ts'
import type { Caps, Rows } from './rows.ts'
import type { Answer, Question } from './sqlite-child.ts'

export const sqliteSchema = `
  SELECT t.name AS in_table, c.name AS name, c.type AS type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
  WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid`

/** Megabytes that a query may hold; SQLite has no bound of its own for them. Watched on Linux. */
const maxResidentMb = 512
/** Blocks of 512 bytes of a file that it sorts in, on systems that have such a limit. */
const maxFileBlocks = 2 ** 20

/** Beside this file, whether it was compiled or not. */
const child = fileURLToPath(new URL(`./sqlite-child${extname(import.meta.url)}`, import.meta.url))

/**
 * SQLite works where it is called until it is done, and neither a signal nor the end of a worker thread stops it: so each
 * query has a process of its own, without the environment's secrets, which is killed when its time is over.
 * @throws Refused, TooLong, DefinitionError for a file that cannot be opened, the signal's reason
 */
export async function askSqlite(path: string, sql: string, caps: Caps, signal: AbortSignal): Promise<Rows> {
  const answer = JSON.parse(await run({ path, sql, ...caps }, signal)) as Answer
  if ('rows' in answer) return answer.rows
  if ('problem' in answer) throw new Refused(answer.problem)
  throw new DefinitionError(
    `sql_query cannot open its database (${answer.unopened}). Check the path and that the file can be read.`,
  )
}

function run(question: Question, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const { SystemRoot } = process.env
    const [file, ...args] = commandOf(question)
    const asked = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: SystemRoot === undefined ? {} : { SystemRoot },
    })
    const end = (reason: unknown) => {
      asked.kill('SIGKILL')
      reject(reason)
    }
    const leave = () => end(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    const timer = setTimeout(() => end(new TooLong(question.timeoutMs)), question.timeoutMs)
    const watch = setInterval(() => {
      if (residentMbOf(asked.pid) > maxResidentMb) asked.kill('SIGKILL')
    }, watchEveryMs)
    let answer = ''
    asked.stdout.setEncoding('utf8').on('data', (piece: string) => {
      answer += piece
    })
    // Killed before it had read: the close that follows says so.
    asked.stdin.on('error', () => {})
    asked.on('error', reject)
    asked.on('close', () => {
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', leave)
      if (answer === '') reject(new Refused('the query needed more memory than it may have'))
      else resolve(answer)
    })
    asked.stdin.end(JSON.stringify(question))
  })
}

/** Should this process die, the kernel ends what still computes. */
function commandOf({ timeoutMs }: Question): [string, ...string[]] {
  const command: [string, ...string[]] = [process.execPath, '--no-warnings', child]
  if (process.platform === 'win32') return command
  const limits = ['-f', `${maxFileBlocks}`, '-t', `${10 + Math.ceil(timeoutMs / 500)}`]
  return ['/bin/sh', '-c', 'ulimit "$0" "$1" && ulimit "$2" "$3" && shift 3 && exec "$@"', ...limits, ...command]
}

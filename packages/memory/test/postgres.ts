/** `startPostgres()`: a PostgreSQL server of its own for a test file, in a temporary folder, on a free port of 127.0.0.1. */
import { execFile } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The folder of `initdb` and `pg_ctl`. */
const binaries = ['/usr/local/bin', '/usr/bin', ...globSync('/usr/lib/postgresql/*/bin').toSorted().reverse()].find(
  (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')),
)

/** PostgreSQL refuses to run as root: then it is run as the user that its package made. */
const isRoot = process.getuid?.() === 0
const user = isRoot ? /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) : null
const owner = user ? { uid: Number(user[1]), gid: Number(user[2]) } : undefined

export const hasPostgres = binaries !== undefined && (!isRoot || owner !== undefined)
if (!hasPostgres) console.warn('SKIPPED: PostgreSQL cannot be run here, so the tests on it do not run.')

export type LocalPostgres = {
  connectionString: string
  /** Ends all connections at once, and starts again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startPostgres(): Promise<LocalPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-postgres-'))
  const run = (program: string, ...args: string[]) =>
    execute(join(binaries as string, program), args, {
      env: { ...process.env, LC_ALL: 'C', HOME: folder },
      cwd: folder,
      ...owner,
    })
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'clew', '-E', 'UTF8', '--no-sync')
  let port = await freePort()
  // Without autovacuum, what the planner knows does not depend on how long a test takes.
  const control = (...args: string[]) =>
    run(
      'pg_ctl',
      '-D',
      data,
      '-l',
      join(folder, 'log'),
      '-w',
      '-o',
      `-p ${port} -k ${folder} -h 127.0.0.1 -c autovacuum=off`,
      ...args,
    )
  await control('start').catch(async () => {
    // Somebody else was given the port meanwhile.
    port = await freePort()
    await control('start')
  })
  return {
    connectionString: `postgres://clew@127.0.0.1:${port}/postgres`,
    restart: async () => void (await control('restart', '-m', 'fast')),
    async stop() {
      await control('stop', '-m', 'immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address() as { port: number }
      server.close(() => resolve(address.port))
    })
  })
}

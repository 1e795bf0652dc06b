/** `startPostgres()`: a PostgreSQL server of its own for a test file, in a temporary folder, on a free port of 127.0.0.1. */
import { execFile } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The folder of `initdb` and `pg_ctl`. */
const binaries = ['/usr/local/bin', '/usr/bin', ...globSync('/usr/lib/postgresql/*/bin').toSorted().reverse()].find(
  (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')),
)

export const hasPostgres = binaries !== undefined
if (!hasPostgres) console.warn('SKIPPED: no PostgreSQL binaries are here, so the tests on PostgreSQL do not run.')

export type LocalPostgres = {
  connectionString: string
  /** Ends all connections at once, and starts again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startPostgres(): Promise<LocalPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-postgres-'))
  const isRoot = process.getuid?.() === 0
  // PostgreSQL refuses to run as root.
  const run = (program: string, ...args: string[]) => {
    const path = join(binaries as string, program)
    const options = { env: { ...process.env, LC_ALL: 'C' }, cwd: folder }
    return isRoot ? execute('runuser', ['-u', 'postgres', '--', path, ...args], options) : execute(path, args, options)
  }
  if (isRoot) {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => (await execute('id', [flag, 'postgres'])).stdout),
    )
    chownSync(folder, Number(uid), Number(gid))
  }
  const data = join(folder, 'data')
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'clew', '-E', 'UTF8', '--no-sync')
  const port = await freePort()
  const control = (...args: string[]) =>
    run('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-w', '-o', `-p ${port} -k ${folder} -h 127.0.0.1`, ...args)
  await control('start')
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

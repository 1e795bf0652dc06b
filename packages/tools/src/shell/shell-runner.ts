/** Runs a command of strangers in just-bash, a shell written in TypeScript over files in memory. Started by `inJail`. */
import type * as justBash from 'just-bash'
import { load, serve } from '../jail/inside.ts'
import { kept } from '../jail/kept.ts'

export type ShellEntry = { path: string; mode: number; mtime: number } & (
  | { type: 'file'; data: string }
  | { type: 'directory' }
  | { type: 'link'; to: string }
)
export type ShellRequest = {
  url: string
  command: string
  cwd: string
  entries: ShellEntry[]
  timeoutMs: number
  storageMb: number
  chars: number
}
export type ShellAnswer = { exitCode: number; stdout: string; stderr: string; entries: ShellEntry[] }

/** What just-bash puts there itself. */
const furniture = /^\/(bin|usr|dev|proc)(\/|$)/

await serve<ShellRequest>(async ({ url, command, cwd, entries, timeoutMs, storageMb, chars }) => {
  const { Bash, getCommandNames } = await load<typeof justBash>(url)
  const bytes = storageMb * 1024 * 1024
  const bash = new Bash({
    cwd,
    // It wants a thread, which there is none of here.
    commands: getCommandNames().filter((name) => name !== 'sqlite3') as justBash.CommandName[],
    env: { HOME: cwd, USER: 'user' },
    executionLimitProfile: 'hardened',
    executionLimits: {
      maxExecutionTimeMs: timeoutMs,
      maxFileSystemBytes: bytes,
      maxOutputSize: bytes,
      maxLiveBytes: 2 * bytes,
      maxCommandCount: 100_000,
      maxLoopIterations: 100_000,
    },
  })
  const { fs } = bash
  for (const folder of [cwd, '/tmp']) await fs.mkdir(folder, { recursive: true })
  // Links last: a file must not be put where one points.
  for (const entry of entries) if (entry.type !== 'link') await put(fs, entry)
  for (const entry of entries) if (entry.type === 'link') await put(fs, entry)

  return async () => {
    const { stdout, stderr, exitCode } = await bash.exec(command, { rawScript: true })
    const answer: ShellAnswer = {
      exitCode,
      stdout: kept(stdout, chars),
      // Who reads it cannot change a limit.
      stderr: kept(stderr.replace(/, increase executionLimits\.\w+/g, ''), chars),
      entries: await list(fs),
    }
    return { answer }
  }
})

async function put(fs: justBash.IFileSystem, entry: ShellEntry): Promise<void> {
  const { path, mode, mtime } = entry
  await fs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true })
  if (entry.type === 'link') return fs.symlink(entry.to, path)
  if (entry.type === 'directory') await fs.mkdir(path, { recursive: true })
  else await fs.writeFile(path, Buffer.from(entry.data, 'base64'))
  await fs.chmod(path, mode)
  await fs.utimes(path, new Date(mtime), new Date(mtime))
}

async function list(fs: justBash.IFileSystem): Promise<ShellEntry[]> {
  const entries: ShellEntry[] = []
  for (const path of fs.getAllPaths()) {
    if (path === '/' || furniture.test(path)) continue
    const stat = await fs.lstat(path)
    const base = { path, mode: stat.mode, mtime: stat.mtime.getTime() }
    if (stat.isSymbolicLink) entries.push({ ...base, type: 'link', to: await fs.readlink(path) })
    else if (stat.isDirectory) entries.push({ ...base, type: 'directory' })
    else entries.push({ ...base, type: 'file', data: Buffer.from(await fs.readFileBuffer(path)).toString('base64') })
  }
  return entries
}

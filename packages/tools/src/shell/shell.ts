/** `shell` gives a model a shell over files in memory. Nothing of this machine is in it; see `runCommand` for what is. */
import { DefinitionError, InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkLimits, checkNames } from '../guard/check-option.ts'
import { inJail } from '../jail/jail.ts'
import { installed } from '../jail/resolve.ts'
import { KeptFiles } from './kept-files.ts'
import type { ShellEntry, ShellRequest } from './shell-runner.ts'

export type ShellOptions = {
  /** What every run begins with: absolute paths and what is in them. */
  files?: Record<string, string | Uint8Array>
  /** Where every command starts. Default `/home/user`. */
  cwd?: string
  /** Milliseconds for a command. Default 10,000. */
  timeoutMs?: number
  /** Megabytes of files that a run may have. Default 16. */
  storageMb?: number
}

/** Characters of each of stdout and stderr that a model reads. */
const chars = 5_000

const shellAnswer = z.object({
  exitCode: z.int(),
  stdout: z.string(),
  stderr: z.string(),
  entries: z.array(
    z.intersection(
      z.object({ path: z.string(), mode: z.int(), mtime: z.number() }),
      z.discriminatedUnion('type', [
        z.object({ type: z.literal('file'), data: z.base64() }),
        z.object({ type: z.literal('directory') }),
        z.object({ type: z.literal('link'), to: z.string() }),
      ]),
    ),
  ),
})

/**
 * Needs the package just-bash. Files stay from one command of a run to its next; every run has its own. A command that is
 * ended changes nothing.
 * @throws DefinitionError when a limit or a path cannot be used
 */
export function shell(options: ShellOptions = {}): Tool<{ command: string }> {
  const { files = {}, cwd = '/home/user', timeoutMs = 10_000, storageMb = 16 } = options
  checkNames('shell', options, ['files', 'cwd', 'timeoutMs', 'storageMb'])
  checkLimits('shell', { timeoutMs: [timeoutMs, 10, 600_000], storageMb: [storageMb, 1, 256] })
  const kept = new KeptFiles(toEntries({ ...files }, cwd))
  return tool({
    name: 'shell',
    description:
      'Runs a bash command on a private set of files and returns its output and exit code. Has the usual tools (ls, cat, grep, sed, awk, sort, find, jq, tar); ' +
      'no network, no other programs. Files you write stay for your next command; cd and variables do not. ' +
      `Every command starts in ${cwd}.`,
    input: z.object({
      command: z.string().min(1).describe('A command or a script, for example: grep -rn TODO . | head'),
    }),
    effect: 'pure',
    timeoutMs: timeoutMs + 120_000,
    async execute({ command }, { signal, runId }) {
      const { url, modules } = await installed('just-bash', 'just-bash', 'shell')
      return kept.use(runId, async (entries) => {
        const request: ShellRequest = { url, command, cwd, entries, timeoutMs, storageMb, chars }
        const outcome = await inJail({
          runner: 'shell/shell-runner',
          request,
          reads: [modules],
          timeoutMs: timeoutMs + 2_000,
          residentMb: 500 + 8 * storageMb,
          heapMb: 256 + 4 * storageMb,
          answerBytes: storageMb * 3_000_000 + 1_000_000,
          signal,
        })
        const undone = 'The files are as they were before it.'
        if (outcome.status === 'timeout') {
          throw new InputError(
            `The command was ended after ${timeoutMs} ms. ${undone} Make it do less, or look for an endless loop.`,
          )
        }
        if (outcome.status === 'ended') {
          throw new InputError(`The command was ended: ${outcome.reason}. ${undone} Work on less at a time.`)
        }
        const { entries: after, ...shown } = shellAnswer.parse(outcome.answer)
        return { result: textOf(shown), entries: after }
      })
    },
    fake: ({ command }) => `(not run: ${command})\nExit code 0.`,
  })
}

/** As a person at a terminal would see it. */
export function textOf({ stdout, stderr, exitCode }: { stdout: string; stderr: string; exitCode: number }): string {
  const parts = [stdout.trimEnd(), stderr === '' ? '' : `stderr:\n${stderr.trimEnd()}`]
  if (exitCode !== 0 || stdout === '') parts.push(`Exit code ${exitCode}.`)
  return parts.filter((part) => part !== '').join('\n')
}

function toEntries(files: Record<string, string | Uint8Array>, cwd: string): ShellEntry[] {
  for (const path of [cwd, ...Object.keys(files)]) {
    if (/^\/(?!(bin|usr|dev|proc)(\/|$))/.test(path) && !/(^|\/)\.\.?(\/|$)|\/$|\0/.test(path)) continue
    throw new DefinitionError(
      `shell: ${JSON.stringify(path)} is no place for files; give an absolute path, without "..", outside /bin, /usr, /dev and /proc.`,
    )
  }
  return Object.entries(files).map(([path, content]) => {
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
      throw new DefinitionError(`shell: the file ${JSON.stringify(path)} is no text and no bytes.`)
    }
    return { type: 'file', path, mode: 0o644, mtime: 0, data: Buffer.from(content).toString('base64') }
  })
}

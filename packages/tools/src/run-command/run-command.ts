/** `runCommand` lets a model run programs of this machine: those that are listed, in one folder, after a person agreed. */
import { realpathSync, statSync } from 'node:fs'
import { DefinitionError, InputError, type Tool, type ToolOptions, tool } from '@clew/core'
import { z } from 'zod/v4'
import { checkLimits, checkNames } from '../guard/check-option.ts'
import { textOf } from '../shell/shell.ts'
import { commandChild } from './command-child.ts'

export type CommandInput = { command: string; args: string[] }

export type RunCommandOptions = {
  /** The folder in which commands start. It is no wall: a program reaches whatever its user does. */
  cwd: string
  /** Programs that may be started: names that `env.PATH` finds, or absolute paths. */
  commands: string[]
  /** The whole environment: nothing of this process's own is handed on. Default: a `PATH` of the system's folders. */
  env?: Record<string, string>
  /** Milliseconds for a command. Default 60,000. */
  timeoutMs?: number
  /** Default true: a person agrees to every command. */
  needsApproval?: ToolOptions<z.ZodType<CommandInput>, unknown>['needsApproval']
}

const systemPath = '/usr/local/bin:/usr/bin:/bin'

/**
 * No shell stands between: arguments are handed over as they are. The list binds which program starts, not what it does: one
 * that starts others (`env`, `find -exec`, `git -c`, every interpreter) opens all. That is what the approval is for.
 * @throws DefinitionError on Windows, which has no process groups, or when an option cannot be used
 */
export function runCommand(options: RunCommandOptions): Tool<CommandInput> {
  checkNames('runCommand', options, ['cwd', 'commands', 'env', 'timeoutMs', 'needsApproval'])
  const { commands, env = { PATH: systemPath }, timeoutMs = 60_000, needsApproval = true } = options
  checkLimits('runCommand', { timeoutMs: [timeoutMs, 10, 3_600_000] })
  const cwd = folder(options.cwd)
  checkCommands(commands)
  if (process.platform === 'win32') {
    throw new DefinitionError('runCommand: Windows cannot end a command together with what it started. Use shell().')
  }
  return tool({
    name: 'run_command',
    description:
      `Runs one program on this computer and returns its output and exit code. Programs: ${commands.join(', ')}. ` +
      'There is no shell: no pipes, redirections, wildcards or variables. Give each argument as its own string.',
    input: z.object({
      command: z.string().describe(`The program: ${commands.join(', ')}`),
      args: z
        .array(z.string())
        .default([])
        .describe('Its arguments, one string each, for example ["status", "--short"]'),
    }),
    effect: 'once',
    needsApproval,
    timeoutMs: timeoutMs + 10_000,
    async execute({ command, args }, { signal }) {
      if (!commands.includes(command)) {
        throw new InputError(
          `${JSON.stringify(command)} is not among the programs that may run. Choose one of: ${commands.join(', ')}.`,
        )
      }
      const odd = args.find((arg) => arg.includes('\0'))
      if (odd !== undefined) throw new InputError(`The argument ${JSON.stringify(odd)} has a zero byte. Leave it out.`)
      const ended = await commandChild({ command, args, cwd, env: { PATH: systemPath, ...env }, timeoutMs, signal })
      if (ended.status === 'missing') {
        throw new InputError(
          `The program ${JSON.stringify(command)} could not be started (${ended.reason}). Use another one.`,
        )
      }
      const shown = textOf({ ...ended, exitCode: ended.exitCode ?? 0 })
      if (ended.status === 'timeout') {
        throw new InputError(
          `The command was ended after ${timeoutMs} ms. It may have taken effect. Its output until then:\n${shown}`,
        )
      }
      return ended.killedBy === undefined ? shown : `${shown}\nEnded by ${ended.killedBy}.`
    },
    fake: ({ command, args }) => `(not run: ${[command, ...args].join(' ')})\nExit code 0.`,
  }) as Tool<CommandInput>
}

function folder(cwd: string): string {
  try {
    if (statSync(cwd).isDirectory()) return realpathSync(cwd)
  } catch {
    // Told below.
  }
  throw new DefinitionError(`runCommand: cwd is ${JSON.stringify(cwd)}, which is no folder. Give one that is there.`)
}

function checkCommands(commands: unknown): void {
  if (!Array.isArray(commands) || commands.length === 0) {
    throw new DefinitionError('runCommand: list the programs in commands, for example ["git", "ls"].')
  }
  for (const each of commands) {
    if (typeof each === 'string' && /^(\/[^\0]+|[^/\s\0-][^/\s\0]*)$/.test(each)) continue
    throw new DefinitionError(
      `runCommand: commands has ${JSON.stringify(each)}; give the name of a program or its absolute path, without arguments.`,
    )
  }
}

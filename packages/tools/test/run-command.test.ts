import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, approve } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { type RunCommandOptions, runCommand } from '../src/run-command/run-command.ts'
import { call } from './sandbox-kit.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clew-command-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commands = ['sh', 'echo', 'env', 'cat', 'no-such-program']
const make = (options: Partial<RunCommandOptions> = {}) => runCommand({ cwd: folder, commands, ...options })
const run = (command: string, args: string[] = [], options: Partial<RunCommandOptions> = {}) =>
  call(make(options), { command, args })

/** Waits for a file of the test's folder to hold a line. */
function written(name: string): Promise<string> {
  return new Promise((resolve) => {
    const look = () => {
      const path = join(folder, name)
      const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
      if (!text.endsWith('\n')) return
      watcher.close()
      resolve(text.trim())
    }
    const watcher = watch(folder, look)
    look()
  })
}

const isAlive = (pid: string) => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

describe('run_command', () => {
  it('asks a person first, then runs in its folder', async () => {
    const model = scriptedModel([
      { calls: [{ name: 'run_command', arguments: { command: 'sh', args: ['-c', 'pwd; echo err >&2; exit 3'] } }] },
      ({ messages }) => JSON.stringify(messages.at(-1)?.content),
    ])
    const agent = new Agent({ name: 'a', model, tools: [make()] })
    const paused = await agent.run('where?')
    expect(paused.status).toBe('waiting')
    const result = await agent.resume(paused.state, { [paused.needs?.[0]?.id ?? '']: approve() })
    expect(JSON.parse(result.text)).toBe(`${folder}\nstderr:\nerr\nExit code 3.`)
  })

  it('hands arguments over as they are: no shell reads them', async () => {
    expect(await run('echo', ['$HOME', '`id`', '; ls', '*', 'a b'])).toBe('$HOME `id` ; ls * a b')
  })

  it('hands nothing of its own environment on', async () => {
    process.env.CLEW_TEST_SECRET = 'secret'
    expect(await run('env')).toBe('PATH=/usr/local/bin:/usr/bin:/bin')
    expect(await run('env', [], { env: { LANG: 'C' } })).toBe('PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C')
  })

  it('starts listed programs only, and says when there is none', async () => {
    expect(await run('ls')).toBe(
      `error: "ls" is not among the programs that may run. Choose one of: ${commands.join(', ')}.`,
    )
    expect(await run('/bin/sh')).toMatch(/^error: "\/bin\/sh" is not among/)
    expect(await run('no-such-program')).toBe(
      'error: The program "no-such-program" could not be started (ENOENT). Use another one.',
    )
    expect(await run('echo', ['a\0b'])).toMatch(/^error: The argument .* has a zero byte/)
  })

  it('has an empty stdin', async () => {
    expect(await run('cat')).toBe('Exit code 0.')
  })

  it('keeps the beginning and the end of long output', async () => {
    const text = await run('sh', [
      '-c',
      'echo first; i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; echo last',
    ])
    expect(text.length).toBeLessThan(5_200)
    expect(text).toMatch(/^first\n.*characters left out …\].*\nlast$/s)
  })

  const grandchild = (file: string) => `sh -c 'trap "" TERM; echo $$ > ${file}; while :; do sleep 0.05; done' & `

  it('ends grandchildren too when time is over, even those that do not listen', async () => {
    const running = run('sh', ['-c', `echo begun; ${grandchild('late')} wait`], { timeoutMs: 500 })
    const pid = await written('late')
    expect(isAlive(pid)).toBe(true)
    expect(await running).toMatch(
      /^error: The command was ended after 500 ms\. It may have taken effect\. Its output until then:\nbegun/,
    )
    expect(isAlive(pid)).toBe(false)
  })

  it('ends a program that does not listen to SIGTERM', async () => {
    const deaf = 'trap "" TERM; while :; do sleep 0.05; done'
    expect(await run('sh', ['-c', deaf], { timeoutMs: 100 })).toMatch(/^error: The command was ended after 100 ms/)
  })

  it('ends them when the run is left', async () => {
    const leave = new AbortController()
    const running = call(
      make(),
      { command: 'sh', args: ['-c', `${grandchild('left')} wait`] },
      { signal: leave.signal },
    )
    const pid = await written('left')
    leave.abort(new Error('left'))
    expect(await running).toBe('error: left')
    expect(isAlive(pid)).toBe(false)
  })

  it('leaves nothing running behind a command that has ended', async () => {
    expect(
      await run('sh', ['-c', `${grandchild('behind')} while [ ! -s behind ]; do sleep 0.01; done; echo done`]),
    ).toBe('done')
    expect(isAlive(await written('behind'))).toBe(false)
  })

  it('tells which signal ended a command', async () => {
    expect(await run('sh', ['-c', 'kill -9 $$'])).toMatch(/Ended by SIGKILL\.$/)
  })

  it('refuses a folder that is not there, and lists that list no programs', () => {
    expect(() => make({ cwd: join(folder, 'nowhere') })).toThrow('which is no folder. Give one that is there.')
    expect(() => make({ commands: [] })).toThrow('list the programs in commands')
    expect(() => make({ commands: ['git status'] })).toThrow('commands has "git status"; give the name of a program')
    expect(() => make({ shell: true } as object)).toThrow('there is no option "shell"')
    expect(() => make({ timeoutMs: 0 })).toThrow('timeoutMs is 0')
  })

  it('has a fake that runs nothing', () => {
    expect(make().fake?.({ command: 'echo', args: ['a'] }, {} as never)).toBe('(not run: echo a)\nExit code 0.')
  })
})

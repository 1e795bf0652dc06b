/** The `clew` command, as a process. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openTraces } from '@clew/tracing'
import { afterAll, describe, expect, it } from 'vitest'
import { type Commands, dispatch } from '../src/cli/dispatch.ts'

const folder = mkdtempSync(join(tmpdir(), 'clew-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const bin = join(import.meta.dirname, '../src/bin.ts')

function clew(args: string[], env: { [name: string]: string } = {}) {
  const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...rest, ...env },
  })
  return { status, stdout, stderr }
}
function add(name: string, spanId: string) {
  const traces = openTraces(join(folder, '.clew/traces.db'), { create: true })
  traces.add([
    {
      traceId: 'abcdef'.padEnd(32, '0'),
      spanId,
      name,
      kind: 'internal',
      start: '1763640000000000000',
      end: '1763640001000000000',
      status: 'unset',
      attributes: {},
      events: [],
      links: [],
      origin: { resource: {}, scope: { name: 'test' } },
    },
  ])
  traces.close()
}

describe('clew', () => {
  it('tells what there is', () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { status, stdout, stderr } = clew(args)
      expect([status, stderr]).toEqual([0, ''])
      for (const name of ['runs', 'show', 'cost', 'studio', 'tail'])
        expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    const { status, stdout } = clew(['cost', '--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^clew cost .*\n[\s\S]*--since WHEN[\s\S]*--file PATH/)
  })

  it('without traces says how to switch them on, and ends with 1', () => {
    for (const args of [['runs'], ['show', 'last'], ['cost'], ['tail']]) {
      const { status, stdout, stderr } = clew(args)
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/^There are no traces at .*use: \[trace\(\{ tracerProvider: localTraces\(\) \}\)\].*\n$/)
    }
  })

  it('what it does not understand ends with 2', () => {
    expect(clew(['nonsense'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'There is no command "nonsense". There are: runs, show, cost, studio, tail.\n',
    })
    expect(clew(['constructor']).status).toBe(2)
    expect(clew(['cost', '--by', 'moon']).status).toBe(2)
  })

  it('shows runs, in colours only where they are wanted', () => {
    add('one', '1'.padStart(16, '0'))
    const plain = clew(['runs'])
    expect([plain.status, plain.stderr]).toEqual([0, ''])
    expect(plain.stdout).toMatch(/^abcdef00 .* one /m)
    expect(plain.stdout).not.toContain('\u001b')
    expect(clew(['runs'], { FORCE_COLOR: '1' }).stdout).toContain('\u001b[1mabcdef00\u001b[0m')
    expect(clew(['runs'], { FORCE_COLOR: '0' }).stdout).toBe(plain.stdout)
    expect(JSON.parse(clew(['runs', '--json'], { FORCE_COLOR: '1' }).stdout)).toMatchObject([{ name: 'one' }])
    expect(clew(['show', 'abcdef']).stdout).toContain('one')
  })

  it('whoever reads may leave before the end', () => {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `"$1" "$2" show last --content | head -c 1`, 'sh', process.execPath, bin],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    )
    expect([status, stderr]).toEqual([0, ''])
  })

  it('tail tells what other processes write, until Ctrl-C', async () => {
    const child = spawn(process.execPath, [bin, 'tail'], { cwd: folder })
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    expect((await lines.next()).value).toMatch(/^Watching .*traces\.db$/)
    add('two', '2'.padStart(16, '0'))
    expect((await lines.next()).value).toMatch(/abcdef00 ✓ two {2}1\.0 s$/)
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })

  it('studio serves its page under a link, until Ctrl-C', async () => {
    expect(clew(['studio', '--help']).stdout).toMatch(/^clew studio .*\n[\s\S]*--port PORT/)
    for (const args of [['--port', '99999'], ['--port', 'x'], ['--nonsense'], ['not-there.ts'], ['one.ts', 'two.ts']])
      expect(clew(['studio', ...args]), args.join(' ')).toMatchObject({ status: 2, stdout: '' })
    const agents = join(import.meta.dirname, 'agents.ts')
    const store = join(folder, 'new', 'traces.db')
    const child = spawn(process.execPath, [bin, 'studio', agents, '--file', store], { cwd: folder })
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const link = String((await lines.next()).value)
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/)
    expect(await (await fetch(link)).text()).toContain('Clew studio')
    expect(await (await fetch(`${link}api/runs`)).json()).toEqual({ runs: [], hasMore: false })
    expect(await (await fetch(`${link}api/agents`)).json()).toEqual({ names: ['clerk', 'guide'] })
    expect((await fetch(new URL('/', link))).status).toBe(404)
    expect(clew(['studio', bin.replace('bin.ts', 'index.ts')]).stderr).toContain('exports no agent')
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })

  it('a command whose package is not installed says what to install', async () => {
    let told = ''
    const terminal = {
      out: () => {},
      err: (text: string) => {
        told += text
      },
      isColoured: false,
      columns: 80,
      signal: new AbortController().signal,
    }
    const name: string = '@clew/not-there'
    const commands: Commands = { far: { about: 'x', needs: name, load: async () => (await import(name)).far } }
    expect(await dispatch(commands, ['far'], terminal)).toBe(1)
    expect(told).toMatch(/comes with @clew\/not-there.*npm install @clew\/not-there/)
    // A mistake of ours is none of the person's.
    const broken: Commands = {
      far: { about: 'x', needs: name, load: async () => async () => Promise.reject(new TypeError('ours')) },
    }
    await expect(dispatch(broken, ['far'], terminal)).rejects.toThrow(TypeError)
  })

  it('the front door is free of tracing', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
    expect(manifest.dependencies).not.toHaveProperty('@clew/tracing')
    expect(manifest.peerDependenciesMeta['@clew/tracing']).toEqual({ optional: true })
    const index = readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8')
    expect(index.match(/from '.*'/g)).toEqual(["from '@clew/core'", "from '@clew/openrouter'"])
  })
})

/** `npm create clew-plugin`, as its process runs, and what it makes: linked to the packages of this workspace, without npm. */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { loadPlugin } from '@clew/tools'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toPlan } from '../src/plan.ts'

const own = join(import.meta.dirname, '..')
const modules = join(own, 'node_modules')
const room = realpathSync(mkdtempSync(join(tmpdir(), 'clew create ')))
afterAll(() => rmSync(room, { recursive: true }))

type Ran = { code: number; output: string; errors: string }
type Settings = { cwd?: string; env?: NodeJS.ProcessEnv }

/** Node as a user's shell would run it, not as these tests are run. */
function run(words: string[], { cwd = room, env = {} }: Settings = {}): Promise<Ran> {
  const clean = { PATH: process.env.PATH, HOME: room, NO_COLOR: '1', CI: 'true', ...env }
  return new Promise((done) => {
    execFile(process.execPath, words, { cwd, env: clean }, (error, output, errors) => {
      done({ code: error ? Number(error.code ?? 1) : 0, output, errors })
    })
  })
}

const program = join(own, 'src/index.ts')
const create = (words: string[], settings?: Settings) => run([program, ...words], settings)
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

describe('what it makes', () => {
  const folder = join(room, 'clew-plugin-my.rates')
  let said: Ran

  beforeAll(async () => {
    said = await create(['clew-plugin-my.rates', '--no-install'])
    mkdirSync(join(folder, 'node_modules/@clew'), { recursive: true })
    for (const name of Object.keys(manifestOf(own).devDependencies))
      symlinkSync(realpathSync(join(modules, name)), join(folder, 'node_modules', name))
  })

  const bin = (name: string, words: string[]) => run([join(folder, 'node_modules', name), ...words], { cwd: folder })

  it('says what comes next', () => {
    expect(said).toMatchObject({ code: 0, errors: '' })
    expect(said.output).toBe(
      `Made clew-plugin-my.rates in ${folder}.\n\nNext:\n  cd clew-plugin-my.rates\n  npm install\n  npm test\n`,
    )
  })

  it('has its names filled in, and nothing of the template left', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
      .map((entry) => join(entry.parentPath, entry.name))
    expect(files.map((file) => file.slice(folder.length + 1)).sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'src/index.ts',
      'test/__snapshots__/plugin.test.ts.snap',
      'test/plugin.test.ts',
      'tsconfig.build.json',
      'tsconfig.json',
    ])
    for (const file of files) expect(readFileSync(file, 'utf8'), file).not.toMatch(/__(PACKAGE|PLUGIN)__/)
    expect(manifestOf(folder).name).toBe('clew-plugin-my.rates')
    expect(readFileSync(join(folder, 'src/index.ts'), 'utf8')).toMatch("name: 'my-rates'")
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toMatch('npm install clew-plugin-my.rates')
  })

  it('passes its tests', async () => {
    const { code, output, errors } = await bin('vitest/vitest.mjs', ['run'])
    expect(code, output + errors).toBe(0)
    expect(output).toMatch(/Tests {2}7 passed/)
  })

  it('has types, builds, can be published, and loads in a process of its own', async () => {
    for (const words of [[], ['-p', 'tsconfig.build.json']])
      expect(await bin('typescript/bin/tsc', words)).toMatchObject({ code: 0, output: '' })
    const { code, output } = await bin('publint/src/cli.js', ['--strict', '--pack', 'false'])
    expect(code, output).toBe(0)
    const plugin = await loadPlugin(pathToFileURL(join(folder, 'dist/index.js')), {
      allow: { hosts: ['api.frankfurter.dev'] },
      isolate: true,
      parts: { fetch: async () => Response.json({ date: '2026-01-02', rates: { USD: 1.2 } }) },
    })
    const model = scriptedModel([{ calls: [{ name: 'exchange_rate', arguments: { from: 'EUR', to: 'USD' } }] }, 'ok'])
    const { state } = await new Agent({ name: 'a', model, plugins: [plugin] }).run('go')
    expect(state.messages[2]?.content).toMatch(/1 EUR = 1\.2 USD \(2026-01-02\)/)
    plugin.close()
  })
})

describe('where Clew comes from', () => {
  it('is the checkout that it runs from, as npm counts the way to it', async () => {
    const elsewhere = join(room, 'elsewhere')
    mkdirSync(join(elsewhere, 'deep'), { recursive: true })
    symlinkSync(join(elsewhere, 'deep'), join(room, 'link'))
    await create(['link/linked', '--no-install'])
    const { devDependencies } = manifestOf(join(elsewhere, 'deep/linked'))
    const [, way] = /^file:(.+)$/.exec(devDependencies['@clew/testing']) ?? []
    expect(realpathSync(resolve(elsewhere, 'deep/linked', way ?? ''))).toBe(resolve(own, '../testing'))
    expect(devDependencies['@clew/core']).toMatch(/^file:\.\..*\/core$/)
  })

  it('is npm where it was installed from there', async () => {
    const installed = join(room, 'node_modules/create-clew-plugin')
    for (const part of ['dist', 'template', 'package.json'])
      cpSync(join(own, part), join(installed, part), { recursive: true })
    mkdirSync(join(room, 'node_modules/core'))
    writeFileSync(join(room, 'node_modules/core/package.json'), '{"name":"core"}')
    const { code } = await run([join(installed, 'dist/index.js'), '@me/wool', '--no-install'])
    expect(code).toBe(0)
    const { name, devDependencies, peerDependencies } = manifestOf(join(room, 'wool'))
    const range = `^${manifestOf(own).version}`
    expect(name).toBe('@me/wool')
    expect(devDependencies).toMatchObject({ '@clew/core': range, '@clew/testing': range })
    expect(peerDependencies['@clew/core']).toBe(range)
  })

  it('has the versions of this workspace', () => {
    const template = JSON.parse(readFileSync(join(own, 'template/_package.json'), 'utf8'))
    const { devDependencies: ours } = manifestOf(join(own, '../..'))
    for (const name of ['node', 'typescript', 'vitest', 'zod'])
      expect([name, template.devDependencies[name]]).toEqual([name, ours[name]])
    expect(template.engines).toEqual(manifestOf(join(own, '../core')).engines)
    expect(template.peerDependencies.zod).toBe(manifestOf(join(own, '../core')).peerDependencies.zod)
  })
})

describe('the Node of the user', () => {
  it.each([
    ['20.20.2', true],
    ['22.12.9', true],
    ['22.13.0', false],
    ['24.1.0', false],
  ])('%s gets one of its own in the package: %s', async (version, needed) => {
    const name = `node-${version}`
    const env = { npm_config_user_agent: `npm/11.19.1 node/v${version} linux x64 workspaces/false` }
    const { output } = await create([name, '--no-install'], { env })
    const { devDependencies, allowScripts } = manifestOf(join(room, name))
    expect('node' in devDependencies).toBe(needed)
    expect(allowScripts).toEqual(needed ? { node: true } : undefined)
    expect(output.includes(`Your Node is ${version}, Clew needs 22.13`)).toBe(needed)
  })

  it('is the one that runs, without npm', () => {
    expect(toPlan(join(room, 'plain'), {})).toMatchObject({ userNode: process.versions.node, ownNode: false })
  })
})

describe('what was typed', () => {
  it.each<[string, string[], RegExp]>([
    ['nothing', [], /^Say in which folder: npm create clew-plugin my-plugin\n$/],
    ['two folders', ['my', 'plugin'], /^One folder at a time; quote one with spaces\. \["plugin"\] came beside it/],
    ['an option that is none', ['a', '--fast'], /Unknown option '--fast'[\s\S]*npm create clew-plugin FOLDER/],
    ['capitals and spaces', ['My Plugin'], /^"My Plugin" can be no name .* for example my-plugin\.\n$/],
    ['a dot first', ['.hidden'], /for example hidden\./],
    ['nothing but signs', ['§§'], /for example my-plugin\./],
    ['a name that npm keeps', ['node_modules'], /"node_modules" can be no name .* for example my-plugin\./],
    ['a scope with capitals', ['@Me/wool'], /"@Me\/wool" can be no name .* for example wool\./],
    ['a very long name', ['x'.repeat(215)], /can be no name/],
  ])('is refused: %s', async (_, words, message) => {
    const before = readdirSync(room)
    const { code, output, errors } = await create(words)
    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errors).toMatch(message)
    expect(readdirSync(room)).toEqual(before)
  })

  it('is refused where something stands already', async () => {
    mkdirSync(join(room, 'full'))
    writeFileSync(join(room, 'full/mine.txt'), 'x')
    writeFileSync(join(room, 'file'), 'x')
    expect((await create(['full'])).errors).toBe(`${join(room, 'full')} is not empty. Choose a new folder.\n`)
    expect((await create(['file'])).errors).toBe(`${join(room, 'file')} is a file. Choose another folder.\n`)
    expect(readdirSync(join(room, 'full'))).toEqual(['mine.txt'])
  })

  it('may be an empty folder, this one, or one far away', async () => {
    mkdirSync(join(room, 'empty'))
    const { code, output } = await create(['.', '--no-install'], { cwd: join(room, 'empty') })
    expect(code).toBe(0)
    expect(output).toMatch(/Next:\n {2}npm install\n/)
    expect(manifestOf(join(room, 'empty')).name).toBe('empty')
    const far = await create([join(room, 'a b/far'), '--no-install'])
    expect(far.output).toMatch(/Next:\n {2}cd "a b\/far"\n/)
    expect(existsSync(join(room, 'a b/far/package.json'))).toBe(true)
  })

  it('may be a question', async () => {
    for (const word of ['--help', '-h'])
      expect(await create([word])).toMatchObject({ code: 0, output: expect.stringContaining('--no-install') })
  })
})

describe('npm install', () => {
  /** Stands in for npm, and writes down how it was called. */
  const npm = (code: number) => {
    const folder = mkdtempSync(join(room, 'npm-'))
    const path = join(folder, 'npm-cli.js')
    const script = `require('fs').writeFileSync(${JSON.stringify(join(folder, 'called'))}, JSON.stringify([process.cwd(), process.argv[2]])); process.exit(${code})`
    writeFileSync(path, script)
    writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}')
    return { env: { npm_execpath: path }, called: () => JSON.parse(readFileSync(join(folder, 'called'), 'utf8')) }
  }

  it('is run in the new folder, by the npm that began', async () => {
    const { env, called } = npm(0)
    const { code, output } = await create(['installed'], { env })
    expect(code).toBe(0)
    expect(output).toMatch(/npm install …\n\nNext:\n {2}cd installed\n {2}npm test\n$/)
    expect(called()).toEqual([join(room, 'installed'), 'install'])
  })

  it('that fails is told, with what to do', async () => {
    const { code, errors } = await create(['failed'], npm(1))
    expect(code).toBe(1)
    expect(errors).toMatch(/^npm install failed.*\n {2}cd failed\n {2}npm install\n {2}npm test\n$/)
    expect(basename(manifestOf(join(room, 'failed')).name)).toBe('failed')
  })
})

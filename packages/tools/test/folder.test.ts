/** The jail: whatever is asked, nothing outside is told or made. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Agent, approve, type Tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { hasShared, readCases } from '../../../test/shared.ts'
import { openJail } from '../src/guard/folder/folder.ts'
import { type OpenFolder, openFolder } from '../src/guard/folder/open-folder.ts'
import { readPlain } from '../src/guard/folder/read-plain.ts'
import {
  applyPatch,
  editFile,
  type Folder,
  type FolderOptions,
  fileTools,
  folder,
  glob,
  grep,
  listFiles,
  readFile,
  secretNames,
  writeFile,
} from '../src/index.ts'
import { addLinks, call, callAll, makeBox, secret } from './hand.ts'

/** Names and contents of all that stands in a folder; links as they are. */
function tree(path: string, except?: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !except || !(entry.parentPath === except || entry.parentPath.startsWith(`${except}/`)))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name)
      return `${full} ${entry.isFile() ? readFileSync(full, 'latin1') : ''}`
    })
    .sort()
}

/** Every way in, for one path. */
const everyTool = (files: Folder): [Tool, (path: string) => unknown][] => [
  [readFile(files), (path) => ({ path })],
  [listFiles(files), (path) => ({ path })],
  [glob(files), (path) => ({ pattern: path || '*' })],
  [grep(files), (path) => ({ pattern: 'secret', files: path || '**' })],
  [writeFile(files), (path) => ({ path, content: 'written' })],
  [editFile(files), (path) => ({ path, old: 'secret', new: 'edited' })],
  [applyPatch(files), (path) => ({ patch: `*** Begin Patch\n*** Add File: ${path}\n+written\n*** End Patch` })],
  [applyPatch(files), (path) => ({ patch: `*** Begin Patch\n*** Delete File: ${path}\n*** End Patch` })],
  [applyPatch(files), (path) => ({ patch: `*** Update File: in.txt\n*** Move to: ${path}\n@@\n-inside\n+moved` })],
]

const hostile = [
  '../secret.txt',
  'sub/../../secret.txt',
  './/..//secret.txt',
  '..',
  '.',
  '',
  '/',
  '/etc/passwd',
  '//etc/passwd',
  '~',
  '~/.ssh/id_rsa',
  '..\\secret.txt',
  'C:\\Windows\\win.ini',
  'c:/boot.ini',
  '\\\\server\\share\\x',
  '\\\\?\\C:\\x',
  'link-out/secret.txt',
  'dir-link/secret.txt',
  'dir-link/new.txt',
  'dir-link/new/deeper.txt',
  'link-file',
  'link-relative',
  'link-dangling',
  'link-dangling/new.txt',
  'link-loop',
  'link-loop/x',
  'link-chain/secret.txt',
  'in.txt/x',
  'in.txt/../../secret.txt',
  'secret.txt\0.md',
  'a\nb',
  '\u202etxt.exe',
  'lone\ud800.txt',
  'n'.repeat(300),
  `${'d/'.repeat(3000)}x`,
  '．．/secret.txt',
  '.git/config',
  '.GIT/hooks/post-commit',
  '.g\u200cit/config',
  '.env',
  'sub/.env.local',
  'keys/server.pem',
]

describe.each([
  ['through opened folders', true],
  ['by checked paths, as where there is no /proc', false],
])('the jail %s', (_, byHandle) => {
  const jail = (box: string, options: FolderOptions = {}) => openJail(box, { write: 'allowed', ...options }, byHandle)

  const attack = async (paths: readonly string[]) => {
    const made = makeBox({ 'in.txt': 'inside\n', '.env': secret, '.git/config': secret, 'keys/server.pem': secret })
    addLinks(made)
    const before = tree(made.beside, made.box)
    const closed = ['.env', '.git', 'keys/server.pem'].map((path) =>
      tree(made.box).filter((line) => line.includes(path)),
    )
    const answers: string[] = []
    for (const [tool, input] of everyTool(jail(made.box))) {
      for (const { text } of await callAll(tool, paths.map(input))) answers.push(text)
    }
    expect(answers.filter((text) => text.includes(secret) || text.includes(made.beside))).toEqual([])
    expect(tree(made.beside, made.box)).toEqual(before)
    expect(
      ['.env', '.git', 'keys/server.pem'].map((path) => tree(made.box).filter((line) => line.includes(path))),
    ).toEqual(closed)
  }

  it('tells and makes nothing outside, for paths that lead out in every way', () => attack(hostile))

  it.skipIf(!hasShared)('tells and makes nothing outside, for the cases of path-traversal', async () => {
    const cases = readCases<{ path: string }>('path-traversal')
    expect(cases.length).toBeGreaterThan(100)
    await attack(cases.map(({ path }) => path))
  })

  it('follows links that stay inside, and writes to what they lead to', async () => {
    const { box } = makeBox({ 'sub/a.txt': 'text' })
    symlinkSync('sub', join(box, 'short'))
    symlinkSync(join(box, 'sub', 'a.txt'), join(box, 'b.txt'))
    const files = jail(box)
    expect((await call(readFile(files), { path: 'short/a.txt' })).text).toBe('1\ttext')
    expect((await call(editFile(files), { path: 'b.txt', old: 'text', new: 'new' })).isError).toBe(false)
    expect(readFileSync(join(box, 'sub', 'a.txt'), 'utf8')).toBe('new')
    expect(readdirSync(box).sort()).toEqual(['b.txt', 'short', 'sub'])
  })

  it('says the same of links to what is there outside and to what is not', async () => {
    const made = makeBox()
    addLinks(made)
    const paths = [
      'link-out/secret.txt',
      'link-out/none',
      'link-out/secret.txt/x',
      'link-file',
      'link-dangling',
      'link-dangling/x',
      'link-loop',
      'dir-link/none/none',
    ]
    const files = jail(made.box)
    const reads = await callAll(
      readFile(files),
      paths.map((path) => ({ path })),
    )
    const writes = await callAll(
      writeFile(files),
      paths.map((path) => ({ path, content: 'x' })),
    )
    for (const results of [reads, writes]) {
      const said = results.map(({ text }, index) => text.replace(`"${paths[index]}"`, 'PATH'))
      expect(new Set(said).size).toBe(1)
      expect(said[0]).toContain('a link in it leads out of the folder, or nowhere')
    }
  })

  it('takes an absolute path into the folder as the relative one', async () => {
    const { box } = makeBox({ 'a.txt': 'text' })
    expect((await call(readFile(jail(box)), { path: join(box, 'a.txt') })).text).toBe('1\ttext')
    expect((await call(readFile(jail(box)), { path: `${box}-not/a.txt` })).isError).toBe(true)
  })

  it('never waits for a pipe, and touches no device and no socket', async () => {
    const { box } = makeBox()
    const pipe = spawn('mkfifo', [join(box, 'pipe')])
    await once(pipe, 'exit')
    const server = createServer().listen(join(box, 'socket'))
    await once(server, 'listening')
    symlinkSync('/dev/zero', join(box, 'zero'))
    const files = jail(box)
    const answers = await callAll(readFile(files), [{ path: 'pipe' }, { path: 'socket' }, { path: 'zero' }])
    expect(answers.map(({ text }) => text)).toEqual([
      expect.stringContaining('is a pipe, no plain file'),
      expect.stringContaining('is a socket, no plain file'),
      expect.stringContaining('leads out'),
    ])
    for (const path of ['pipe', 'socket']) {
      expect((await call(writeFile(files), { path, content: 'x' })).text).toContain('no plain file')
    }
    expect((await call(grep(files), { pattern: 'x' })).text).toBe('"x" stands in none of 0 files.')
    expect((await call(listFiles(files), {})).text).toBe('pipe (no plain file)\nsocket (no plain file)\nzero (link)')
    server.close()
  })

  it('parts a file from its other names when it writes', async () => {
    const { box, beside } = makeBox()
    linkSync(join(beside, 'secret.txt'), join(box, 'hard.txt'))
    const files = jail(box)
    await call(readFile(files), { path: 'hard.txt' })
    expect((await call(writeFile(files), { path: 'hard.txt', content: 'mine' })).isError).toBe(false)
    expect(readFileSync(join(box, 'hard.txt'), 'utf8')).toBe('mine')
    expect(readFileSync(join(beside, 'secret.txt'), 'utf8')).toBe(secret)
  })

  it('reads no file with other names where the files are untrusted', async () => {
    const { box, beside } = makeBox()
    linkSync(join(beside, 'secret.txt'), join(box, 'hard.txt'))
    const files = jail(box, { untrusted: true })
    const { text } = await call(readFile(files), { path: 'hard.txt' })
    expect(text).toContain('hard links')
    expect((await call(grep(files), { pattern: 'secret' })).text).toContain('in none of 0 files')
  })

  // A neighbour swaps a folder and a link that leads out, as fast as it can.
  it('tells and makes nothing outside while a folder is swapped for a link', async () => {
    const { box, beside } = makeBox({ 'sub/secret.txt': 'harmless', 'sub/b.txt': 'harmless' })
    symlinkSync(join(beside, 'outside'), join(beside, 'link'))
    const racer = spawn(process.execPath, [
      '-e',
      swapping,
      join(box, 'sub'),
      join(beside, 'away'),
      join(beside, 'link'),
    ])
    await once(racer.stdout, 'data')
    const files = jail(box)
    const read = { text: 0, refused: 0 }
    for (let round = 0; round < 15; round++) {
      const reads = await callAll(
        readFile(files),
        Array.from({ length: 20 }, () => ({ path: 'sub/secret.txt' })),
      )
      for (const { text, isError } of reads) {
        expect(text).not.toContain(secret)
        read[isError ? 'refused' : 'text']++
      }
      const found = await callAll(grep(files), [{ pattern: 'secret' }, { pattern: 'harmless' }])
      for (const { text } of found) expect(text).not.toContain(secret)
      // Without opened folders, writing while somebody swaps folders is not safe, and the page says so.
      if (!byHandle) continue
      await callAll(writeFile(files), [
        { path: `sub/new-${round}.txt`, content: 'written' },
        { path: `sub/deep-${round}/new.txt`, content: 'written' },
      ])
    }
    const exit = once(racer, 'exit')
    racer.kill()
    await exit
    expect(readdirSync(join(beside, 'outside'))).toEqual(['secret.txt'])
    expect(read.refused).toBeGreaterThan(0)
  })

  it('never waits for a pipe that is swapped with a file', async () => {
    const { box, beside } = makeBox({ 'a.txt': 'text' })
    const pipe = spawn('mkfifo', [join(beside, 'pipe')])
    await once(pipe, 'exit')
    const racer = spawn(process.execPath, [
      '-e',
      swapping,
      join(box, 'a.txt'),
      join(beside, 'away'),
      join(beside, 'pipe'),
    ])
    await once(racer.stdout, 'data')
    const results = await callAll(
      readFile(jail(box)),
      Array.from({ length: 300 }, () => ({ path: 'a.txt' })),
    )
    const exit = once(racer, 'exit')
    racer.kill()
    await exit
    expect(results).toHaveLength(300)
  })

  it('tells nothing of what was put in place of a folder that is open', async () => {
    const { box, beside } = makeBox({ 'sub/secret.txt': 'harmless' })
    const root = { path: box, isDenied: () => false, refusesHardLinks: false, byHandle }
    const read = (open: OpenFolder) => readPlain(root, open, 'secret.txt', { path: 'p', maxBytes: 1000 })
    const swapped = await openFolder(root, ['sub'])
    renameSync(join(box, 'sub'), join(beside, 'away'))
    symlinkSync(join(beside, 'outside'), join(box, 'sub'))
    await expect(read(swapped)).rejects.toThrow('was moved or replaced')
    await expect(openFolder(root, ['sub'])).rejects.toThrow()
    await swapped.close()
  })

  it('reads no further than allowed, whatever size the system tells', async () => {
    const { box } = makeBox()
    writeFileSync(join(box, 'sparse'), '')
    truncateSync(join(box, 'sparse'), 2 ** 33)
    expect((await call(readFile(jail(box)), { path: 'sparse' })).text).toContain('has 8,589,934,592 bytes or more')
    if (process.platform !== 'linux') return
    // Files there say that they have no bytes.
    const root = { path: `/proc/${process.pid}`, isDenied: () => false, refusesHardLinks: false, byHandle }
    const open = await openFolder(root, [])
    await expect(readPlain(root, open, 'status', { path: 'p', maxBytes: 10 })).rejects.toThrow('bytes or more')
    await open.close()
  })

  it('takes back what was done when a later change cannot be made', async () => {
    const { box } = makeBox({ 'a.txt': 'one', 'b.txt': 'two' })
    chmodSync(join(box, 'b.txt'), 0o640)
    const before = tree(box)
    const change = jail(box).change(async (now) => {
      const [a, b] = [await now('a.txt'), await now('b.txt')]
      const [was, bytes] = [a.bytes!, Buffer.from('new')]
      const removal = { path: 'b.txt', names: b.names, was: b.bytes! }
      return [{ path: 'c/d.txt', names: ['c', 'd.txt'], bytes }, { ...a, was, bytes }, removal, removal]
    })
    await expect(change).rejects.toThrow('"b.txt" cannot be used: it does not exist, or went away meanwhile')
    expect(tree(box)).toEqual(before)
    expect(statSync(join(box, 'b.txt')).mode & 0o777).toBe(0o640)
  })

  it('changes nothing when a file is not any more what the change was worked out from', async () => {
    const { box } = makeBox({ 'a.txt': 'one' })
    const files = jail(box)
    for (const path of ['a.txt', 'new.txt']) {
      const change = files.change(async (now) => {
        const { bytes, names } = await now(path)
        writeFileSync(join(box, path), 'of somebody else')
        return [{ path, names, ...(bytes && { was: bytes }), bytes: Buffer.from('mine') }]
      })
      await expect(change).rejects.toThrow('was changed since it was read. Nothing was done.')
      expect(readFileSync(join(box, path), 'utf8')).toBe('of somebody else')
    }
    expect(readdirSync(box).sort()).toEqual(['a.txt', 'new.txt'])
  })

  it('changes all files or none, when the disk is full or one is not as it was', async () => {
    const { box } = makeBox({ 'a.txt': 'one\n', 'b.txt': 'two\n', 'c.txt': 'three\n' })
    const files = jail(box)
    await callAll(readFile(files), [{ path: 'a.txt' }, { path: 'b.txt' }, { path: 'c.txt' }])
    const before = tree(box)
    const change = files.change(async (now) => {
      const [a, b, c] = [await now('a.txt'), await now('b.txt'), await now('c.txt')]
      rmSync(join(box, 'c.txt'))
      mkdirSync(join(box, 'c.txt'))
      const bytes = Buffer.from('new')
      return [
        { path: 'new/deep/d.txt', names: ['new', 'deep', 'd.txt'], bytes },
        { path: 'a.txt', names: a.names, was: a.bytes!, bytes },
        { path: 'b.txt', names: b.names, was: b.bytes! },
        { path: 'c.txt', names: c.names, was: c.bytes!, bytes },
      ]
    })
    await expect(change).rejects.toThrow('"c.txt" is a folder')
    rmSync(join(box, 'c.txt'), { recursive: true })
    writeFileSync(join(box, 'c.txt'), 'three\n')
    expect(tree(box)).toEqual(before)
  })
})

const swapping = `
const { renameSync } = require('node:fs')
const [sub, away, link] = process.argv.slice(1)
const quietly = (from, to) => { try { renameSync(from, to) } catch {} }
process.stdout.write('on')
// A tool may make the folder anew while it is away: then that one is swapped from there on.
for (let n = 0; ; n++) {
  quietly(sub, away + n); quietly(link, sub)
  quietly(sub, link); quietly(away + n, sub)
}`

describe('a folder', () => {
  it('is there, and is not the whole machine', () => {
    const { box } = makeBox({ 'a.txt': '' })
    expect(() => folder(join(box, 'none'))).toThrow('(ENOENT). Make the folder first.')
    expect(() => folder(join(box, 'a.txt'))).toThrow('is a file')
    expect(() => folder('/')).toThrow('is the whole machine')
    expect(() => folder('/proc/self')).toThrow('doors to the system')
    expect(() => folder('')).toThrow('Name the folder')
    for (const options of [
      { write: 'yes' },
      { readonly: true },
      { deny: '.env' },
      { deny: [''] },
      { skip: [1] },
      { maxBytes: 0 },
      { maxBytes: Number.NaN },
    ]) {
      expect(() => folder(box, options as never)).toThrow('folder: ')
    }
    expect(() => readFile(undefined as never)).toThrow("Write readFile(folder('./notes')).")
  })

  it('that goes away is told', async () => {
    const { box } = makeBox()
    const files = folder(box)
    rmSync(box, { recursive: true })
    expect((await call(readFile(files), { path: 'a' })).text).toContain('The folder itself is gone')
  })

  it('asks a person before each change, unless it was said otherwise', async () => {
    const { box } = makeBox()
    const agent = new Agent({
      name: 'clerk',
      model: scriptedModel([{ calls: [{ name: 'write_file', arguments: { path: 'a', content: 'x' } }] }, 'done']),
      tools: fileTools(folder(box)),
    })
    const paused = await agent.run('go')
    expect(paused.status).toBe('waiting')
    expect(existsSync(join(box, 'a'))).toBe(false)
    await agent.resume(paused.state, { [paused.needs![0]!.id]: approve() })
    expect(readFileSync(join(box, 'a'), 'utf8')).toBe('x')
    for (const make of [writeFile, editFile, applyPatch]) {
      expect(make(folder(box)).needsApproval).toBe(true)
      expect(make(folder(box, { write: 'allowed' })).needsApproval).toBe(false)
      expect(() => make(folder(box, { write: 'never' }))).toThrow('the folder has write: "never"')
    }
  })

  it('that is only read has no tools that write', () => {
    const { box } = makeBox()
    const names = (write: 'ask' | 'never') => fileTools(folder(box, { write })).map(({ name }) => name)
    expect(names('never')).toEqual(['read_file', 'list_files', 'glob', 'grep'])
    expect(names('ask')).toEqual(['read_file', 'list_files', 'glob', 'grep', 'write_file', 'edit_file'])
  })

  it('keeps secrets from every tool, and lets the list be chosen', async () => {
    const files = { '.env': secret, '.env.example': 'A=1', 'private/a.txt': secret, 'a/private/b.txt': 'open' }
    const { box } = makeBox(files)
    const usual = (await call(listFiles(folder(box)), { depth: 5 })).text
    expect(usual).toContain('.env.example')
    expect(usual).not.toContain('.env ')
    const mine = folder(box, { deny: [...secretNames, 'private/**', 'private'] })
    expect((await call(listFiles(mine), { depth: 5 })).text).toBe('.env.example 3\na/')
    expect((await call(readFile(mine), { path: 'PRIVATE/a.txt' })).text).toContain('closed to tools')
    expect((await call(readFile(folder(box, { deny: [] })), { path: '.env' })).text).toContain(secret)
    const byPath = folder(box, { deny: ['private/*'] })
    expect((await call(readFile(byPath), { path: 'a/private/b.txt' })).text).toBe('1\topen')
    expect((await call(readFile(byPath), { path: 'private/a.txt' })).isError).toBe(true)
  })

  it('denies what a link inside leads to', async () => {
    const { box } = makeBox({ '.env': secret })
    symlinkSync('.env', join(box, 'plain.txt'))
    expect((await call(readFile(folder(box)), { path: 'plain.txt' })).text).toContain('closed to tools')
  })

  it('names what is there when a file is missing, but not where strangers gave the names', async () => {
    const { box } = makeBox({ 'src/app.ts': '', 'src/.env': '' })
    const { text } = await call(readFile(folder(box)), { path: 'src/aap.ts' })
    expect(text).toContain('There is no file "src/aap.ts". "src" has: "app.ts".')
    const strange = await call(readFile(folder(box, { untrusted: true })), { path: 'src/aap.ts' })
    expect(strange.text).not.toContain('app.ts')
  })

  it('puts marks around what strangers wrote, and its own words outside', async () => {
    const { box } = makeBox({ 'a.txt': 'obey\n'.repeat(5000) })
    const files = folder(box, { untrusted: true })
    const { text } = await call(readFile(files), { path: 'a.txt' })
    expect(text).toMatch(
      /^<untrusted [\s\S]*<\/untrusted id="[^"]+">\n\[Lines 1 to \d+ of 5000\. Go on with "from": \d+\.\]$/,
    )
    for (const [tool, input] of [
      [listFiles(files), {}],
      [glob(files), { pattern: '*' }],
      [grep(files), { pattern: 'obey' }],
    ] as const) {
      expect((await call(tool, input)).text).toMatch(/^<untrusted/)
    }
    expect((await call(readFile(folder(box)), { path: 'a.txt' })).text).not.toContain('<untrusted')
  })

  it('gives each tool a fake that touches nothing and always says the same', async () => {
    const { box } = makeBox()
    const files = folder(box, { write: 'allowed' })
    rmSync(box, { recursive: true })
    const inputs: { [name: string]: object } = {
      read_file: { path: 'a', from: 1 },
      write_file: { path: 'a', content: 'b' },
      edit_file: { path: 'a' },
      apply_patch: { patch: '*** Begin Patch\n*** Add File: a\n+b\n*** End Patch' },
      glob: { pattern: '*' },
      grep: { pattern: 'x' },
    }
    for (const each of [...fileTools(files), applyPatch(files)]) {
      const fake = () => each.fake?.(inputs[each.name] as never, {} as never)
      expect(typeof fake()).toBe('string')
      expect(fake()).toBe(fake())
    }
  })

  it('says what each tool does to the world', () => {
    const files = folder(makeBox().box)
    const effects = [...fileTools(files), applyPatch(files)].map(({ name, effect }) => [name, effect])
    expect(Object.fromEntries(effects)).toEqual({
      read_file: 'pure',
      list_files: 'pure',
      glob: 'pure',
      grep: 'pure',
      write_file: 'idempotent',
      edit_file: 'once',
      apply_patch: 'once',
    })
  })
})

describe.runIf(process.platform === 'linux')('trouble with the system', () => {
  const restore: (() => void)[] = []
  afterEach(() => {
    for (const back of restore.splice(0)) back()
  })

  /** Tests that run as root lay it down, for root may do everything. */
  const asNobody = () => {
    if (process.geteuid?.() !== 0) return
    process.seteuid?.(65534)
    restore.push(() => process.seteuid?.(0))
  }

  it('is told: no permission to read, to look, to write', async () => {
    const { box, beside } = makeBox({ 'locked.txt': 'x', 'closed/a.txt': 'x', 'fixed.txt': 'old', 'open/a.txt': 'x' })
    chmodSync(beside, 0o755)
    chmodSync(join(box, 'locked.txt'), 0o000)
    chmodSync(join(box, 'closed'), 0o000)
    chmodSync(join(box, 'open'), 0o777)
    chmodSync(join(box, 'open', 'a.txt'), 0o444)
    const files = folder(box, { write: 'allowed' })
    asNobody()
    const reads = await callAll(readFile(files), [{ path: 'locked.txt' }, { path: 'closed/a.txt' }])
    for (const { text } of reads) expect(text).toContain('there is no permission')
    expect((await call(listFiles(files), {})).text).toContain('closed/ …')
    await callAll(readFile(files), [{ path: 'fixed.txt' }, { path: 'open/a.txt' }])
    const writes = await callAll(writeFile(files), [
      { path: 'fixed.txt', content: 'new' },
      { path: 'new/file.txt', content: 'new' },
      { path: 'closed/new.txt', content: 'new' },
      { path: 'open/a.txt', content: 'new' },
    ])
    for (const { text } of writes) expect(text).toContain('there is no permission')
    for (const back of restore.splice(0)) back()
    chmodSync(join(box, 'closed'), 0o755)
    expect(readFileSync(join(box, 'open', 'a.txt'), 'utf8')).toBe('x')
    expect(readdirSync(box).sort()).toEqual(['closed', 'fixed.txt', 'locked.txt', 'open'])
  })

  it('is told: a file that the system lets grow no further leaves nothing behind', async () => {
    const { box } = makeBox({ 'a.txt': 'old' })
    const program = `
      import { folder, writeFile, readFile } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      process.on('SIGXFSZ', () => {})
      const files = folder(${JSON.stringify(box)}, { write: 'allowed' })
      await files.read('a.txt')
      for (const path of ['a.txt', 'new/b.txt']) {
        await writeFile(files).execute({ path, content: 'x'.repeat(500_000) }, { signal: AbortSignal.timeout(60_000) }).catch((error) => console.log(error.message))
      }`
    const child = spawn('prlimit', ['--fsize=100000', process.execPath, '--input-type=module', '-e', program])
    let said = ''
    child.stdout.on('data', (data) => (said += data))
    child.stderr.on('data', (data) => (said += data))
    await once(child, 'close')
    expect(said).toContain('"a.txt" cannot be used: the file would be too big. Nothing was changed')
    expect(said).toContain('"new/b.txt" cannot be used: the file would be too big.')
    expect(readFileSync(join(box, 'a.txt'), 'utf8')).toBe('old')
    expect(readdirSync(box)).toEqual(['a.txt'])
  })

  it('keeps mode and owner of a file, and drops what would make it run as another', async () => {
    const { box } = makeBox({ 'run.sh': 'old', 'suid.sh': 'old' })
    chmodSync(join(box, 'run.sh'), 0o750)
    chmodSync(join(box, 'suid.sh'), 0o4755)
    const files = folder(box, { write: 'allowed' })
    await callAll(readFile(files), [{ path: 'run.sh' }, { path: 'suid.sh' }])
    await callAll(writeFile(files), [
      { path: 'run.sh', content: 'new' },
      { path: 'suid.sh', content: 'new' },
      { path: 'fresh.txt', content: 'new' },
    ])
    const mode = (path: string) => (statSync(join(box, path)).mode & 0o7777).toString(8)
    expect([mode('run.sh'), mode('suid.sh')]).toEqual(['750', '755'])
    expect(mode('fresh.txt')).toBe((0o666 & ~process.umask()).toString(8))
  })
})

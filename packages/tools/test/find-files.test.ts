/** `list_files`, `glob` and `grep`: what goes through a folder. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { globMatcher } from '../src/glob/glob-matcher.ts'
import { folder, glob, grep, listFiles, readFile } from '../src/index.ts'
import { addLinks, call, callAll, makeBox } from './hand.ts'

const project = {
  'README.md': '# Title\r\nSee docs\r\n',
  'src/app.ts': 'export const app = 1\n// TODO: more\nlast\n',
  'src/deep/er/x.ts': 'todo()\n',
  'node_modules/lib/index.js': 'TODO in a library',
  '.env': 'TODO=secret',
  'logo.bin': Buffer.from([0x54, 0x4f, 0x44, 0x4f, 0]),
}

describe('list_files', () => {
  it('shows folders and sizes in the order of names, as deep as asked', async () => {
    const tool = listFiles(folder(makeBox(project).box))
    expect((await call(tool, {})).text).toBe(
      'README.md 19\nlogo.bin 5\nnode_modules/ …\nsrc/\nsrc/app.ts 40\nsrc/deep/ …',
    )
    expect((await call(tool, { depth: 1 })).text).toBe('README.md 19\nlogo.bin 5\nnode_modules/ …\nsrc/ …')
    expect((await call(tool, { path: 'src/deep', depth: 5 })).text).toBe('src/deep/er/\nsrc/deep/er/x.ts 7')
    expect((await call(tool, { path: 'node_modules' })).text).toContain('node_modules/lib/index.js')
  })

  it('shows links and does not follow them', async () => {
    const made = makeBox({ 'a.txt': 'x' })
    addLinks(made)
    symlinkSync('.', join(made.box, 'self'))
    const { text } = await call(listFiles(folder(made.box)), { depth: 20 })
    expect(text).toContain('self (link)')
    expect(text).toContain('dir-link (link)')
    expect(text).not.toContain('secret')
  })

  it('comes in pages, and ends', async () => {
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`folder/some-name-${index}.txt`, '']))
    const { box } = makeBox(many)
    const tool = listFiles(folder(box))
    const first = await call(tool, {})
    expect(first.text.length).toBeLessThan(10_100)
    const from = Number(/Go on with "from": (\d+)/.exec(first.text)?.[1])
    const next = await call(tool, { from })
    expect((first.text + next.text).match(/some-name/g)).toHaveLength(600)
  })

  it('tells of files, missing folders and empty ones', async () => {
    const { box } = makeBox({ 'a.txt': '' })
    const said = await callAll(listFiles(folder(box)), [
      { path: 'a.txt' },
      { path: 'none' },
      { path: '/' },
      { depth: 0 },
    ])
    expect(said.every(({ isError }) => isError)).toBe(true)
    expect(said[0]!.text).toContain('"a.txt" is a file. Read it with read_file.')
    expect((await call(listFiles(folder(makeBox().box)), {})).text).toBe('There is nothing in it.')
  })

  it('quotes names that could be taken for something else', async () => {
    const { box } = makeBox({ 'a\n[Lines 1 to 2 of 3.]': '', '\u202egpj.exe': '' })
    expect((await call(listFiles(folder(box)), {})).text).toBe('"a\\n[Lines 1 to 2 of 3.]" 0\n"\\u202egpj.exe" 0')
  })
})

describe('glob', () => {
  it.each([
    ['**/*.ts', ['src/app.ts', 'src/deep/er/x.ts']],
    ['*.md', ['README.md']],
    ['src/**', ['src/app.ts', 'src/deep/er/x.ts']],
    ['**', ['README.md', 'logo.bin', 'src/app.ts', 'src/deep/er/x.ts']],
    ['src/*/er/?.ts', ['src/deep/er/x.ts']],
    ['{README.*,src/{app,none}.ts}', ['README.md', 'src/app.ts']],
    ['src\\app.[tj]s', ['src/app.ts']],
    ['./src/**/x.ts', ['src/deep/er/x.ts']],
    ['**/[!a]*.ts', ['src/deep/er/x.ts']],
  ])('finds %s', async (pattern, found) => {
    const { text } = await call(glob(folder(makeBox(project).box)), { pattern })
    expect(text.split('\n')).toEqual(found)
  })

  it('says what to write when nothing matches', async () => {
    const { text } = await call(glob(folder(makeBox(project).box)), { pattern: '*.ts' })
    expect(text).toBe('No file matches "*.ts". For files at any depth write "**/*.ts".')
  })

  it.each([
    ['', 'is empty'],
    ['x'.repeat(501), 'more than 500 characters'],
    ['*a*b*c*d', 'more than 3 "*"'],
    ['{a,b}'.repeat(7), 'more than 64 patterns'],
    ['../**', 'leads out'],
    ['/etc/*', 'is absolute'],
    ['C:\\*', 'is absolute'],
  ])('refuses %j', async (pattern, why) => {
    const { text, isError } = await call(glob(folder(makeBox().box)), { pattern })
    expect([isError, text]).toEqual([true, expect.stringContaining(why)])
  })

  it.each([
    ['a(b+)+c', 'a(b+)+c', 'abbc'],
    ['a+(b)', 'a+(b)', 'ab'],
    ['a|b', 'a|b', 'a'],
    ['!a', '!a', 'b'],
    ['[a-c]x', 'bx', 'dx'],
    ['[!a-c]x', 'dx', 'bx'],
    ['a/**/b', 'a/b', 'a/bb'],
    ['**/b', 'b', 'b/a'],
    ['a.b', 'a.b', 'axb'],
    ['a***b', 'aXb', 'a/b'],
    ['[', '[', 'x'],
  ])('%j means %j and not %j', (pattern, yes, no) => {
    expect([globMatcher(pattern)(yes), globMatcher(pattern)(no)]).toEqual([true, false])
  })

  it('takes no time that grows with the pattern', () => {
    const deep = `${'a/'.repeat(100)}a`
    const long = `${'a'.repeat(254)}!`
    const patterns = [`${'**/a/'.repeat(60)}b`, '*a*a*b', '+(+(a))b', '(a+)+b', '(a|a)+b', '@(a|a*)b']
    for (const pattern of patterns) {
      const matches = globMatcher(pattern)
      expect([matches(deep), matches(long)]).toEqual([false, false])
    }
  })
})

describe('grep', () => {
  const ask = (input: object, files: { [path: string]: string | Uint8Array } = project) =>
    call(grep(folder(makeBox(files).box)), input)

  it('finds text as it stands, not in binaries, secrets and skipped folders', async () => {
    expect((await ask({ pattern: 'TODO' })).text).toBe('src/app.ts\n2:// TODO: more')
    expect((await ask({ pattern: 'todo', ignoreCase: true })).text).toBe(
      'src/app.ts\n2:// TODO: more\nsrc/deep/er/x.ts\n1:todo()',
    )
    expect((await ask({ pattern: 'todo()' })).text).toBe('src/deep/er/x.ts\n1:todo()')
    expect((await ask({ pattern: 'nothing here' })).text).toBe('"nothing here" stands in none of 3 files.')
  })

  it('looks only in the files asked for', async () => {
    expect((await ask({ pattern: 'o', files: '*.md' })).text).toBe('README.md\n2:See docs')
    expect((await ask({ pattern: 'o', files: 'src/app.ts' })).text).toContain('src/app.ts')
  })

  it('shows the lines around, each once', async () => {
    const text = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n')
    const { text: said } = await ask({ pattern: 'line [358]|12', regex: true, context: 1 }, { t: text })
    expect(said).toBe(
      't\n2-line 2\n3:line 3\n4-line 4\n5:line 5\n6-line 6\n7-line 7\n8:line 8\n9-line 9\n--\n11-line 11\n12:line 12',
    )
  })

  it('knows regular expressions, in linear time', async () => {
    expect((await ask({ pattern: '^export\\s+const (\\w+)', regex: true })).text).toBe(
      'src/app.ts\n1:export const app = 1',
    )
    expect((await ask({ pattern: 'SEE', regex: true, ignoreCase: true })).text).toContain('2:See docs')
    expect((await ask({ pattern: '^See docs$', regex: true })).text).toContain('2:See docs')
    const evil = { t: `${'a'.repeat(20_000)}!` }
    expect((await ask({ pattern: '^(a+)+$', regex: true }, evil)).text).toContain('in none of 1 files')
    expect((await ask({ pattern: '(a|a)*b', regex: true }, evil)).isError).toBe(false)
    for (const pattern of ['a(?=b)', '(a)\\1', '(', '(a{1000}){1000}']) {
      const { text, isError } = await ask({ pattern, regex: true })
      expect([isError, text]).toEqual([
        true,
        expect.stringContaining('to look for the text as it is, leave "regex" out'),
      ])
    }
  })

  it('cuts long lines around what was found, and long results, and tells', async () => {
    const { text } = await ask({ pattern: 'needle' }, { t: `${'x'.repeat(5000)}needle${'y'.repeat(5000)}` })
    expect(text.length).toBeLessThan(330)
    expect(text).toMatch(/^t\n1:…x+needley+…$/)
    const many = await ask({ pattern: 'x' }, { a: 'x marks\n'.repeat(5000), b: 'x' })
    expect(many.text.length).toBeLessThan(10_200)
    expect(many.text).toContain('[There is more. Look for a longer text, or in fewer files with "files".]')
  })

  it('leaves big files out, and tells', async () => {
    expect((await ask({ pattern: 'x' }, { big: 'x'.repeat(2_000_001) })).text).toBe(
      '"x" stands in none of 0 files.\n[1 files are bigger than 2000000 bytes and were not searched.]',
    )
  })

  it('reads UTF-16, and is no reading that allows to write', async () => {
    expect((await ask({ pattern: 'grün' }, { t: Buffer.from('\ufeffx\ngrün', 'utf16le') })).text).toBe('t\n2:grün')
  })

  it('refuses patterns that are empty, too long or of several lines, and stops when it should', async () => {
    const { box } = makeBox(project)
    const tool = grep(folder(box))
    const said = await callAll(tool, [
      { pattern: '' },
      { pattern: 'x'.repeat(1001) },
      { pattern: 'a\nb' },
      { pattern: 1 },
    ])
    expect(said.every(({ isError }) => isError)).toBe(true)
    const gone = AbortSignal.abort(new Error('left'))
    const execution = { signal: gone, fence: (content: unknown) => content } as never
    for (const [each, input] of [
      [tool, { pattern: 'x', regex: false, ignoreCase: false, context: 0 }],
      [listFiles(folder(box)), { path: '.', depth: 1, from: 0 }],
      [readFile(folder(box)), { path: 'README.md', from: 1 }],
    ] as const) {
      await expect(each.execute?.(input as never, execution)).rejects.toThrow('left')
    }
  })
})

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCases } from '../../../test/shared.ts'
import { folder, readFile, writeFile } from '../src/index.ts'
import { call, callAll, makeBox } from './hand.ts'

const open = (files: { [path: string]: string | Uint8Array } = {}) => {
  const { box } = makeBox(files)
  const jail = folder(box, { write: 'allowed' })
  return { box, files: jail, tool: writeFile(jail), text: (path: string) => readFileSync(join(box, path), 'utf8') }
}

describe('write_file', () => {
  it('writes exactly what it is given, and makes the folders', async () => {
    const { tool, text, box } = open()
    const content = '\ufeffone\r\ntwo\n\tgrün 🧶\0end'
    const { text: said, view } = await call(tool, { path: 'a/b/c.txt', content })
    expect(said).toBe(`Wrote a/b/c.txt: ${Buffer.byteLength(content)} bytes.`)
    expect(view).toContain('+two')
    expect(text('a/b/c.txt')).toBe(content)
    expect(readdirSync(join(box, 'a/b'))).toEqual(['c.txt'])
    expect((await call(tool, { path: 'empty', content: '' })).text).toBe('Wrote empty: 0 bytes.')
  })

  it('writes over a file only when it was read, and is as it was then', async () => {
    const { tool, text, files, box } = open({ 'a.txt': 'old' })
    expect((await call(tool, { path: 'a.txt', content: 'new' })).text).toContain(
      'has not been read. Read it with read_file first.',
    )
    await call(readFile(files), { path: 'a.txt' })
    writeFileSync(join(box, 'a.txt'), 'of somebody else')
    expect((await call(tool, { path: 'a.txt', content: 'new' })).text).toContain('was changed since it was read')
    expect(text('a.txt')).toBe('of somebody else')
    await call(readFile(files), { path: 'a.txt' })
    expect((await call(tool, { path: 'a.txt', content: 'new' })).view).toContain('-of somebody else')
    expect((await call(tool, { path: './a.txt', content: 'newer' })).isError).toBe(false)
    expect(text('a.txt')).toBe('newer')
  })

  it('can be repeated, in another process too: what is there already is as it should be', async () => {
    const { tool, box } = open({ 'a.txt': 'same' })
    expect(await call(tool, { path: 'a.txt', content: 'same' })).toMatchObject({
      text: 'a.txt has this content.',
      isError: false,
    })
    const other = folder(box, { write: 'allowed' })
    expect((await call(writeFile(other), { path: 'a.txt', content: 'same' })).isError).toBe(false)
    expect((await call(writeFile(other), { path: 'a.txt', content: 'next' })).isError).toBe(false)
  })

  it('refuses half a character, too much, and places where no file can be', async () => {
    const { tool, box } = open({ 'a.txt': 'x' })
    const small = writeFile(folder(box, { write: 'allowed', maxBytes: 10 }))
    expect((await call(tool, { path: 'b', content: 'ab\ud800' })).isError).toBe(true)
    expect((await call(small, { path: 'b', content: 'é'.repeat(6) })).text).toContain('12 bytes are more than 10')
    const places = await callAll(
      tool,
      ['.', 'a.txt/b', 'n/', ''].map((path) => ({ path, content: 'x' })),
    )
    expect(places.map(({ isError }) => isError)).toEqual([true, true, false, true])
    expect(readdirSync(box).sort()).toEqual(['a.txt', 'n'])
    const wrong = await callAll(tool, [{}, { path: 'c' }, { path: 'c', content: 1 }, { path: ['c'], content: 'x' }])
    expect(wrong.every(({ isError }) => isError)).toBe(true)
  })

  it('of one turn writes one after another', async () => {
    const { tool, text } = open()
    const inputs = Array.from({ length: 20 }, (_, index) => ({ path: 'a.txt', content: `${index}` }))
    const results = await callAll(tool, inputs)
    expect(results.every(({ isError }) => !isError)).toBe(true)
    expect(text('a.txt')).toBe('19')
  })

  it('keeps naughty strings, as contents and as names, byte for byte or refuses them', async () => {
    const cases = readCases<{ s: string }>('naughty-strings').map(({ s }) => s)
    const { box, tool, files } = open()
    const asContent = await callAll(
      tool,
      cases.map((content, index) => ({ path: `content/${index}`, content })),
    )
    for (const [index, { isError }] of asContent.entries()) {
      if (!isError) expect(readFileSync(join(box, 'content', `${index}`), 'utf8')).toBe(cases[index])
      else expect(cases[index]!.isWellFormed()).toBe(false)
    }
    const asNames = await callAll(
      tool,
      cases.map((path) => ({ path, content: path })),
    )
    // "/" and "\\" part names alike, so some of them are one path: the last one stands there.
    const last = new Map<string, string>()
    for (const [index, { isError, text }] of asNames.entries()) {
      if (isError) expect(text).toMatch(/cannot be used|is a folder|is the folder itself/)
      else last.set((await files.read(cases[index]!)).path, cases[index]!)
    }
    for (const [path, wanted] of last) expect(Buffer.from((await files.read(path)).bytes).toString()).toBe(wanted)
    if (cases.length > 0) expect(last.size).toBeGreaterThan(150)
  })
})

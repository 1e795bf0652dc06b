import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replaceText } from '../src/edit-file/replace-text.ts'
import { editFile, folder, readFile } from '../src/index.ts'
import { call, callAll, makeBox } from './hand.ts'

/** What becomes of a file that was read, and what is said. */
const edit = async (content: string | Uint8Array, input: object) => {
  const { box } = makeBox({ 'a.txt': content })
  const files = folder(box, { write: 'allowed' })
  await call(readFile(files), { path: 'a.txt' })
  const result = await call(editFile(files), { path: 'a.txt', ...input })
  return { ...result, bytes: readFileSync(join(box, 'a.txt')), after: readFileSync(join(box, 'a.txt'), 'utf8') }
}

describe('edit_file', () => {
  it('replaces what stands there once, and shows people the difference', async () => {
    const { after, text, view } = await edit('one\ntwo\nthree\n', { old: 'two', new: '2\n2' })
    expect(after).toBe('one\n2\n2\nthree\n')
    expect(text).toBe('Replaced 1 place in a.txt.')
    expect(view).toContain('-two\n+2\n+2\n')
    expect((await edit('a$&b', { old: 'a', new: '$&$1' })).after).toBe('$&$1$&b')
    expect((await edit('keep\nline\n', { old: 'line\n', new: '' })).after).toBe('keep\n')
  })

  it('names the places of what stands there more than once, or replaces all', async () => {
    const twice = await edit('x = 1\ny = 2\nx = 1\n', { old: 'x = 1', new: 'x = 3' })
    expect(twice.text).toContain(
      'in 2 places: lines 1, 3. Give more lines around the one you mean, or set "replaceAll"',
    )
    expect(twice.after).toBe('x = 1\ny = 2\nx = 1\n')
    const all = await edit('aaa\naa', { old: 'aa', new: 'b', replaceAll: true })
    expect([all.after, all.text]).toEqual(['ba\nb', 'Replaced 2 places in a.txt.'])
  })

  it('P153: takes LF for the CR LF of the file, and keeps each line end as it is', async () => {
    const { after } = await edit('one\r\ntwo\r\nthree\r\n', { old: 'one\ntwo\n', new: '1\n2\n2b\n' })
    expect(after).toBe('1\r\n2\r\n2b\r\nthree\r\n')
    expect((await edit('one\ntwo\n', { old: 'one\r\ntwo', new: 'a\r\nb' })).after).toBe('a\nb\n')
    const mixed = await edit('a\r\nb\nc\r\nd\r\n', { old: 'c\nd', new: 'C\nD' })
    expect(mixed.after).toBe('a\r\nb\nC\r\nD\r\n')
    expect((await edit('a\r\nb', { old: 'a', new: 'x' })).after).toBe('x\r\nb')
  })

  it('keeps encoding and byte order mark', async () => {
    const wide = await edit(Buffer.from('\ufeffgrün\r\n🧶', 'utf16le'), { old: 'grün', new: 'rot' })
    expect(wide.bytes.toString('utf16le')).toBe('\ufeffrot\r\n🧶')
    const big = await edit(Buffer.from('\ufeffgrün', 'utf16le').swap16(), { old: 'ü', new: 'u' })
    expect(Buffer.from(big.bytes).swap16().toString('utf16le')).toBe('\ufeffgrun')
    expect((await edit('\ufeffa', { old: 'a', new: 'b' })).after).toBe('\ufeffb')
  })

  it('touches no file that it would damage', async () => {
    const latin = Buffer.from('caf\xe9 and tea, twenty characters', 'latin1')
    const { text, bytes } = await edit(latin, { old: 'tea', new: 'milk' })
    expect(text).toContain('without loss')
    expect(bytes).toEqual(latin)
    expect((await edit('abc', { old: 'b', new: '\udc00' })).isError).toBe(true)
  })

  it('touches no file that was not read, or changed since', async () => {
    const { box } = makeBox({ 'a.txt': 'one' })
    const files = folder(box, { write: 'allowed' })
    const input = { path: 'a.txt', old: 'one', new: 'two' }
    expect((await call(editFile(files), input)).text).toContain('has not been read')
    await call(readFile(files), { path: 'a.txt' })
    writeFileSync(join(box, 'a.txt'), 'one!')
    expect((await call(editFile(files), input)).text).toContain('was changed since it was read. Nothing was done.')
    await call(readFile(files), { path: 'a.txt' })
    const both = await callAll(editFile(files), [input, { path: 'a.txt', old: '!', new: '?' }])
    expect(both.map(({ isError }) => isError)).toEqual([false, false])
    expect(readFileSync(join(box, 'a.txt'), 'utf8')).toBe('two?')
  })

  it('shows what is nearest to text that does not stand there', async () => {
    const code = 'import x\n\nfunction greet(name) {\n  return `Hello` + name\n}\n'
    const { text, after } = await edit(code, { old: 'function greet(name)  {\n return "Hello"', new: 'x' })
    expect(text).toContain(
      'The nearest is, mind spaces and signs:\n3\tfunction greet(name) {\n4\t  return `Hello` + name',
    )
    expect(after).toBe(code)
    expect((await edit(code, { old: 'zzzzzz', new: 'x' })).text).toContain(
      'Read the file again and copy the text exactly.',
    )
    expect((await edit(code, { old: '3\tfunction greet(name) {', new: 'x' })).text).toContain('leave them out')
    const { box } = makeBox({ 'a.txt': code })
    const strange = folder(box, { write: 'allowed', untrusted: true })
    await call(readFile(strange), { path: 'a.txt' })
    const quiet = await call(editFile(strange), { path: 'a.txt', old: 'function greet(names) {', new: 'x' })
    expect(quiet.text).not.toContain('function greet(name) {')
  })

  it('refuses what changes nothing, files that are not there, and input of another kind', async () => {
    expect((await edit('a', { old: '', new: 'b' })).text).toContain('"old" is empty')
    expect((await edit('a', { old: 'a', new: 'a' })).text).toContain('are the same')
    expect((await edit('a', { path: 'none', old: 'a', new: 'b' })).text).toContain('There is no file "none"')
    expect((await edit('a', { path: '.', old: 'a', new: 'b' })).text).toContain('is a folder')
    expect((await edit('a', { old: 'a' })).isError).toBe(true)
    const { box } = makeBox({ 'a.txt': 'aaaa' })
    const small = folder(box, { write: 'allowed', maxBytes: 8 })
    await small.read('a.txt')
    const input = { path: 'a.txt', old: 'a', new: 'bbb', replaceAll: true }
    expect((await call(editFile(small), input)).text).toContain('12 bytes are more than 8')
  })

  it('changes the places alone, whatever the line ends', () => {
    const word = fc.constantFrom('a', 'b', '\n', '\r\n', '\r', 'é')
    fc.assert(
      fc.property(fc.array(word), fc.array(word, { minLength: 1, maxLength: 3 }), (words, wanted) => {
        const text = words.join('')
        const old = wanted.join('').replaceAll('\r\n', '\n')
        const plain = text.replaceAll('\r\n', '\n')
        // What has "\r\n" left is read as "\n" once more.
        if (!plain.includes(old) || old === '' || old.includes('\r\n')) return
        const result = replaceText(text, { path: 'p', old, new: '<>', replaceAll: true, tellsText: true })
        expect(result.text.replaceAll('\r\n', '\n')).toBe(plain.split(old).join('<>'))
        expect(result.text.split('\r\n').length).toBeLessThanOrEqual(text.split('\r\n').length)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses to replace what stands there too often', async () => {
    const { text, isError } = await edit('a'.repeat(100_001), { old: 'a', new: 'b', replaceAll: true })
    expect([isError, text]).toEqual([
      true,
      expect.stringContaining('in 100001 places, more than 100000. Use write_file.'),
    ])
  })

  it('finds what is near in a big file without delay', async () => {
    const big = Array.from({ length: 60_000 }, (_, index) => `line number ${index} of many`).join('\n')
    expect((await edit(big, { old: 'line numbr 77 of many', new: 'x' })).text).toContain('78\tline number 77 of many')
  })
})

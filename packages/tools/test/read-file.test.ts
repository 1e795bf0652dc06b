import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folder, readFile } from '../src/index.ts'
import { call, callAll, makeBox } from './hand.ts'

const read = async (content: string | Uint8Array, input: object = {}, name = 'a.txt') => {
  const { box } = makeBox({ [name]: content })
  return await call(readFile(folder(box)), { path: name, ...input })
}

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

describe('read_file', () => {
  it('shows lines with their numbers', async () => {
    expect(await read('one\n\n  three\n')).toMatchObject({ text: '1\tone\n2\t\n3\t  three', isError: false })
    expect((await read('no end')).text).toBe('1\tno end')
    expect((await read('')).text).toBe('[The file is empty.]')
    expect((await read('\n')).text).toBe('1\t')
  })

  it('P153: shows lines that end with CR LF like others', async () => {
    expect((await read('one\r\ntwo\r\n')).text).toBe('1\tone\n2\ttwo')
    expect((await read('a\rb\n')).text).toBe('1\ta\rb')
  })

  it('reads on where its note says, to the end, each line once', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index + 1} ${'x'.repeat(index % 50)}`)
    const { box } = makeBox({ 'a.txt': lines.join('\n') })
    const tool = readFile(folder(box))
    const seen: string[] = []
    for (let from: number | undefined = 1; from !== undefined; ) {
      const { text } = await call(tool, { path: 'a.txt', from })
      expect(text.length).toBeLessThan(10_100)
      seen.push(...text.split('\n').filter((line) => !line.startsWith('[')))
      const next: string | undefined = /Go on with "from": (\d+)/.exec(text)?.[1]
      if (next === undefined) expect(text).toMatch(/\[Lines \d+ to 3000 of 3000\. This is the end\.\]$/)
      from = next === undefined ? undefined : Number(next)
    }
    expect(seen).toEqual(lines.map((line, index) => `${index + 1}\t${line}`))
  })

  it('shows as many lines as asked, and tells of lines that are not there', async () => {
    expect((await read('a\nb\nc\n', { from: 2, lines: 1 })).text).toBe(
      '2\tb\n[Lines 2 to 2 of 3. Go on with "from": 3.]',
    )
    expect(await read('a\nb\n', { from: 3 })).toMatchObject({
      isError: true,
      text: expect.stringContaining('The file has 2 lines; there is no line 3.'),
    })
  })

  it('cuts a very long line, and tells', async () => {
    const { text } = await read(`${'x'.repeat(1_000_000)}\nnext`)
    expect(text.length).toBeLessThan(2200)
    expect(text).toContain('[…998000 more characters in this line]\n2\tnext')
  })

  it('reads UTF-8 and UTF-16 with byte order mark, which is not shown', async () => {
    expect((await read('\ufeffgrün\n')).text).toBe('1\tgrün')
    expect((await read(Buffer.from('\ufeffgrün\r\n🧶', 'utf16le'))).text).toBe('1\tgrün\n2\t🧶')
    expect((await read(Buffer.from('\ufeffgrün', 'utf16le').swap16())).text).toBe('1\tgrün')
  })

  it('says where text is not what its encoding allows, and shows no binary', async () => {
    expect((await read(Buffer.from('caf\xe9 and tea, twenty characters', 'latin1'))).text).toBe(
      '1\tcaf\ufffd and tea, twenty characters\n[Parts that are no valid utf-8 stand as "\ufffd".]',
    )
    for (const bytes of [Buffer.from([1, 0, 2]), Buffer.from('\xff\x80\x81\x9a\xfe', 'latin1')]) {
      expect(await read(bytes)).toMatchObject({ isError: true, text: expect.stringContaining('no text and no image') })
    }
  })

  it('gives images as images, known by their bytes and not by their name', async () => {
    const { content } = await read(png, {}, 'not-a-name.txt')
    expect(content).toEqual([
      { type: 'text', text: `not-a-name.txt: image/png, ${png.length} bytes.` },
      { type: 'image', url: `data:image/png;base64,${png.toString('base64')}` },
    ])
    const types = [
      ['\xff\xd8\xff\xe0', 'image/jpeg'],
      ['GIF89a', 'image/gif'],
      ['RIFF\x01\x02\x03\x04WEBP', 'image/webp'],
    ] as const
    for (const [magic, type] of types) {
      expect((await read(Buffer.from(magic, 'latin1'))).text).toContain(type)
    }
    expect((await read('RIFF text', {}, 'x.png')).text).toBe('1\tRIFF text')
    expect(await read(Buffer.concat([png, Buffer.alloc(4_000_000)]))).toMatchObject({
      isError: true,
      text: expect.stringContaining('more than the 4000000 that are shown'),
    })
  })

  it('puts marks around images of strangers', async () => {
    const { box } = makeBox({ 'a.png': png })
    const { content } = await call(readFile(folder(box, { untrusted: true })), { path: 'a.png' })
    expect(content).toMatchObject([{ text: expect.stringContaining('<untrusted') }, {}, { type: 'image' }, {}])
  })

  it('reads nothing that is bigger than the folder allows', async () => {
    const { box } = makeBox({ 'a.txt': 'x'.repeat(1001), 'b.txt': 'x'.repeat(1000) })
    const tool = readFile(folder(box, { maxBytes: 1000 }))
    const [a, b] = await callAll(tool, [{ path: 'a.txt' }, { path: 'b.txt' }])
    expect(a!.text).toContain('"a.txt" has 1,001 bytes or more, more than the 1,000 that tools read.')
    expect(b!.isError).toBe(false)
  })

  it('tells of folders, missing files, and input of another kind', async () => {
    const { box } = makeBox({ 'sub/a.txt': 'x' })
    const inputs = [{ path: 'sub' }, { path: '.' }, { path: '' }, { path: 'none' }, {}, { path: 3 }, { path: null }]
    const results = await callAll(readFile(folder(box)), [...inputs, { path: 'sub/a.txt', from: 0 }])
    expect(results.every(({ isError }) => isError)).toBe(true)
    expect(results.slice(0, 4).map(({ text }) => text.replace(/^[^:]*: /, ''))).toEqual([
      '"sub" is a folder. Look into it with list_files.',
      '"." is a folder. Look into it with list_files.',
      '"" is a folder. Look into it with list_files.',
      'There is no file "none". The folder has: "sub".',
    ])
  })

  it('reads the same after a file has grown or changed', async () => {
    const { box } = makeBox({ 'a.txt': 'one' })
    const tool = readFile(folder(box))
    await call(tool, { path: 'a.txt' })
    writeFileSync(join(box, 'a.txt'), 'two\nthree')
    expect((await call(tool, { path: 'a.txt' })).text).toBe('1\ttwo\n2\tthree')
  })
})

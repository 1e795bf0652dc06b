/** `shapeOutput`: long results have three views, and strangers' words stay between their marks. */
import { Agent, type ContentPart, type Tool, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { readArtifactTool } from '@clew/memory'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shapeOutput } from '../src/index.ts'
import { shorten } from '../src/shape-output/shorten.ts'
import { resultOf } from './result-of.ts'

const long = Array.from({ length: 3_000 }, (_, at) => `line ${at}`).join('\n')

function shelf() {
  const texts: string[] = []
  return { texts, artifacts: { put: async (text: string) => `t${texts.push(text) - 1}` } }
}

async function shaped(options: Omit<Parameters<typeof tool>[0], 'name'>, maxChars = 2_000) {
  const { texts, artifacts } = shelf()
  const use = [shapeOutput({ artifacts, maxChars })]
  return { ...(await resultOf(tool({ name: 'read', ...options }) as Tool<never>, {}, { use })), texts }
}

const note = (id: string, chars: number) =>
  `[Shortened: the whole text has ${chars} characters and is artifact "${id}". read_artifact pages through it with this id, "from" and "to" (positions of characters).]`

describe('a long result', () => {
  it('is kept whole, and the model reads its ends and where the rest is', async () => {
    const { text, texts, view } = await shaped({ execute: () => long })
    expect(texts).toEqual([long])
    expect(text).toMatch(
      /^line 0\nline 1\n[\s\S]*\nline \d+\n\[… characters \d+ to \d+ are left out here …\]\nline \d+\n[\s\S]*\nline 2999\n\[Shortened/,
    )
    expect(text.endsWith(note('t0', long.length))).toBe(true)
    expect(text.length).toBeLessThanOrEqual(2_000)
    expect(text.length).toBeGreaterThan(1_200)
    expect(view).toEqual({ artifact: 't0', chars: long.length })
  })

  it('tells truly what is left out', async () => {
    const { text } = await shaped({ execute: () => long })
    const [, head, from, to, tail] =
      /^([\s\S]*)\n\[… characters (\d+) to (\d+) are left out here …\]\n([\s\S]*)\n\[Shortened/.exec(text)!
    expect(head).toBe(long.slice(0, Number(from)))
    expect(tail).toBe(long.slice(Number(to)))
  })

  it('can be read on with read_artifact, whose pages are not shortened again', async () => {
    const { texts, artifacts } = shelf()
    const read = readArtifactTool(async (id, { from, to }) => {
      const text = texts[Number(id.slice(1))]
      return text === undefined ? undefined : { text: text.slice(from, to), length: text.length }
    })
    const model = scriptedModel([
      { calls: [{ name: 'big' }] },
      { calls: [{ name: 'read_artifact', arguments: { id: 't0', from: 1_000 } }] },
      'Read.',
    ])
    const big = tool({ name: 'big', execute: () => long })
    const use = [shapeOutput({ artifacts, maxChars: 2_000 })]
    await new Agent({ name: 'a', model, tools: [big, read], use }).run('Read.')
    expect(model.requests[2]?.messages.at(-1)?.content).toContain(long.slice(1_000, 11_000))
    expect(texts).toHaveLength(1)
  })

  it('keeps what its tool shows to people', async () => {
    expect((await shaped({ execute: () => ({ content: long, view: '3000 lines' }) })).view).toBe('3000 lines')
  })

  it('leaves images and files where they are', async () => {
    const image: ContentPart = { type: 'image', url: 'https://example.com/a.png' }
    const parts: ContentPart[] = [{ type: 'text', text: long }, image, { type: 'text', text: 'The end.' }]
    const { content, texts } = await shaped({ execute: () => parts })
    expect(content).toMatchObject([
      { type: 'text', text: expect.stringMatching(/^line 0\n[\s\S]*The end\.$/) },
      image,
      { type: 'text', text: `\n${note('t0', long.length + 8)}` },
    ])
    expect(texts).toEqual([`${long}The end.`])
  })

  it('keeps to what its tool allows', async () => {
    expect((await shaped({ maxResultChars: 1_500, execute: () => long }, 12_000)).text.length).toBeLessThanOrEqual(
      1_500,
    )
  })

  it('is cut as ever where there is no place to keep it', async () => {
    const use = [shapeOutput({ artifacts: { put: () => Promise.reject(new Error('full')) }, maxChars: 2_000 })]
    const { text } = await resultOf(tool({ name: 'read', maxResultChars: 3_000, execute: () => long }), {}, { use })
    expect(text).toMatch(/\[Cut: the first 3,000 of [\d,]+ characters\./)
  })

  it('is cut as ever where its tool allows next to nothing', async () => {
    const { text, texts } = await shaped({ maxResultChars: 500, execute: () => long })
    expect(text).toContain('[Cut: the first 500 of')
    expect(texts).toEqual([])
  })
})

it('a short result passes as it is', async () => {
  const { text, texts, view } = await shaped({ execute: () => 'x'.repeat(2_000) })
  expect(text).toBe('x'.repeat(2_000))
  expect([texts, view]).toEqual([[], undefined])
})

it('a page of other tools passes by default', async () => {
  const { texts, artifacts } = shelf()
  const page = (chars: number) => tool({ name: 'page', execute: () => 'x'.repeat(chars) })
  const use = [shapeOutput({ artifacts })]
  expect((await resultOf(page(12_000), {}, { use })).text).toHaveLength(12_000)
  expect(texts).toEqual([])
  expect((await resultOf(page(12_001), {}, { use })).text.length).toBeLessThan(12_000)
})

describe('what strangers wrote', () => {
  const fences = /<untrusted id="[^"]+" tool="read">\n.*\n|\n<\/untrusted id="[^"]+">/g
  /** What stands between no marks. */
  const open = (text: string) => {
    let isInside = false
    let at = 0
    let own = ''
    for (const match of text.matchAll(fences)) {
      if (!isInside) own += text.slice(at, match.index)
      isInside = match[0].startsWith('<')
      at = match.index + match[0].length
    }
    expect(isInside).toBe(false)
    return own + text.slice(at)
  }

  it('stands between marks, and the note outside of them', async () => {
    const { text, texts } = await shaped({ untrusted: true, execute: () => long })
    expect(text.match(fences)).toHaveLength(2)
    expect(open(text)).toBe(`\n${note('t0', long.length)}`)
    expect(texts).toEqual([long])
  })

  it('stands between marks with its images', async () => {
    const image: ContentPart = { type: 'image', url: 'https://example.com/a.png' }
    const { content } = await shaped({ untrusted: true, execute: () => [{ type: 'text', text: long }, image] })
    const kinds = (content as ContentPart[]).map((part) => (part.type === 'text' ? part.text.slice(0, 11) : part.type))
    expect(kinds).toEqual(['<untrusted ', expect.stringMatching(/^line 0/), 'image', '\n</untruste', '\n[Shortened'])
  })

  it.each<[string, (fence: (text: string) => string) => string]>([
    ['all', (fence) => fence(long)],
    ['the first half', (fence) => `${fence(long)}\n${'own '.repeat(1_000)}`],
    ['the last half', (fence) => `${'own '.repeat(1_000)}\n${fence(long)}`],
    ['the middle', (fence) => `${'own '.repeat(1_000)}\n${fence(long)}\n${'own '.repeat(1_000)}`],
    ['two pieces', (fence) => `own ${fence(long)} own ${fence(long)} own`],
    ['little', (fence) => `${fence('line 1')}${'own '.repeat(1_000)}`],
  ])('stays between marks that its tool set around %s', async (_, make) => {
    const { text, texts } = await shaped({ untrusted: true, execute: (_, { fence }) => make(fence as never) })
    expect(open(text)).not.toContain('line')
    expect(text.match(/<untrusted/g)?.length).toBe(text.match(/<\/untrusted/g)?.length)
    expect(text.length).toBeLessThanOrEqual(2_000)
    expect(texts).toHaveLength(1)
  })

  it('in parts with marks of their own is cut as ever, and marked anew', async () => {
    const { content, texts } = await shaped({
      untrusted: true,
      maxResultChars: 2_500,
      execute: (_, { fence }) => fence([{ type: 'text', text: long }]),
    })
    const text = (content as ContentPart[]).map((part) => (part.type === 'text' ? part.text : '')).join('')
    expect(open(text)).not.toContain('line')
    expect(text).toContain('[Cut: the first 2,500')
    expect(texts).toEqual([])
  })
})

describe('shorten', () => {
  const marks = { begin: '<begin>', end: '<end>' }

  it('never leaves a stranger’s letter outside of marks, wherever it cuts', () => {
    const piece = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 60 }))
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.integer({ min: 3, max: 80 }), (pieces, chars) => {
        const text = pieces
          .map(([isStrange, length]) => (isStrange ? `<begin>${'s'.repeat(length)}<end>` : 'O'.repeat(length)))
          .join('')
        if (text.length <= chars) return
        const own = shorten(text, chars, marks)
          .replace(/\n\[… .* …\]\n/, '')
          .split(/<begin>s*<end>/)
        expect(own.join('')).toMatch(/^O*$/)
      }),
      { seed: 5, numRuns: 2_000 },
    )
  })

  it('leaves no half of a character', () => {
    for (let chars = 20; chars < 40; chars++) expect(shorten('🧶'.repeat(100), chars, marks).isWellFormed()).toBe(true)
  })
})

it.each([
  [undefined, 'artifacts has no put()'],
  [{ artifacts: {} }, 'artifacts has no put()'],
  [{ artifacts: shelf().artifacts, maxChars: 10 }, 'maxChars is 10; give at least 1000'],
  [{ artifacts: shelf().artifacts, maxChars: 1.5 }, 'maxChars is 1.5; give a whole number'],
  [{ artifacts: shelf().artifacts, headChars: 10 }, 'there is no option "headChars"'],
])('%j is refused when it is defined', (options, message) => {
  expect(() => shapeOutput(options as never)).toThrow(message)
})

import { stripVTControlCharacters } from 'node:util'
import { documents } from '@clew/tools'
import { describe, expect, it } from 'vitest'
import { practiceModel } from '../src/practice-model.ts'
import { checkQuote } from '../src/quotes.ts'
import { openScreen } from '../src/terminal.ts'

const library = documents()
library.add([
  {
    id: 'a.md',
    title: 'A',
    text: 'The **quick** brown fox — so they say — jumps over\nthe “lazy” dog. It isn’t slow.',
  },
  {
    id: 'b.md',
    title: 'B',
    text: `${'Filler line about nothing.\n\n'.repeat(600)}The last sentence of b stands on a late page.`,
  },
])

describe('quotations', () => {
  it.each([
    ['word for word', 'The quick brown fox — so they say — jumps', 'a.md', true],
    [
      'over a line break, with other quotation marks and dashes',
      'so they say - jumps over the "lazy" dog',
      'a.md',
      true,
    ],
    ['with another apostrophe', "the lazy dog. It isn't slow", 'a.md', false],
    ['on a late page', 'The last sentence of b stands on a late page.', 'b.md', true],
    ['a word changed', 'The quick brown cat — so they say — jumps', 'a.md', false],
    ['two words swapped', 'The brown quick fox — so they say — jumps', 'a.md', false],
    ['an ellipsis', 'The quick brown fox … the “lazy” dog', 'a.md', false],
    ['too short', 'quick brown', 'a.md', false],
    ['empty', '', 'a.md', false],
    ['no such document', 'The quick brown fox — so they say', 'c.md', false],
  ])('%s', (_, quote, source, ok) => expect(checkQuote(library, quote, source).ok).toBe(ok))

  it('names the document that has the words', () => {
    expect(checkQuote(library, 'The last sentence of b stands on a late page.', 'a.md')).toMatchObject({
      problem: 'these words are not in "a.md", but in "b.md"',
    })
  })
})

describe('the library', () => {
  it('pages a long document without losing a word', () => {
    expect(library.pageCount('b.md')).toBeGreaterThan(2)
    const pages = Array.from({ length: library.pageCount('b.md') }, (_, index) => library.read('b.md', index + 1)!.text)
    expect(pages.join(' ').match(/Filler/g)).toHaveLength(600)
  })

  it.each(['"', 'fox AND', 'NEAR(', "'; DROP TABLE pages; --", '*', '', '   ', 'a'.repeat(10_000), '\u0000'])(
    'takes %j as a query',
    (query) => {
      expect(Array.isArray(library.search(query))).toBe(true)
    },
  )
})

describe('the practice model', () => {
  const ask = (tools: object[], messages: object[]) => practiceModel({ messages, tools } as never)

  it('uses tools by their schemas, whatever they are called', () => {
    const find = {
      type: 'function',
      function: {
        name: 'find_pages',
        parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
      },
    }
    const { calls } = ask([find], [{ role: 'user', content: 'How are wooden looms driven by running water?' }])
    expect(calls?.length).toBeGreaterThan(1)
    for (const call of calls ?? [])
      expect(call).toMatchObject({ name: 'find_pages', arguments: { q: expect.stringMatching(/\w/) } })
  })

  it('without tools it answers, and says what it is', () => {
    const { text, calls, reasoningDetails } = ask([], [{ role: 'user', content: 'Why?' }])
    expect(calls).toBeUndefined()
    expect(text).toContain('practice model without a neural network')
    expect(reasoningDetails?.[0]).toMatchObject({ type: 'reasoning.text', signature: expect.stringMatching(/.{20}/) })
  })
})

describe('the screen', () => {
  const record = (isTTY: boolean) => {
    const output = { text: '', isTTY, columns: 40, write: (piece: string) => (output.text += piece) }
    const screen = openScreen(output, {})
    screen.show({ type: 'turn-start', turn: 1 })
    screen.show({ type: 'tool-start', id: 'x', name: 'look', input: { q: '\u001b[2Jboo' } })
    screen.show({ type: 'tool-end', id: 'x', name: 'look', content: 'no\u001b]0;evil\u0007', isError: true })
    screen.close()
    return output.text
  }

  it('piped is plain', () => {
    expect(record(false)).toBe('  look " [2Jboo" ✗ no ]0;evil \n')
  })

  it('on a terminal has a live line no wider than it, and nothing that the model wrote steers it', () => {
    const text = record(true)
    expect(text).toContain('turn 1 · running look · 1 call so far')
    expect(text).not.toContain('\u001b[2J')
    expect(text).not.toContain('\u0007')
    const live = text.split('\r\u001b[K').map((line) => stripVTControlCharacters(line).split('\n')[0] ?? '')
    for (const line of live.filter((line) => line.startsWith('turn'))) expect(line.length).toBeLessThan(40)
  })
})

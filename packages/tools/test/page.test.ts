import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pageOf } from '../src/page.ts'

/** The text of all pages, read as their notes say. */
function readOn(text: string, chars: number): string {
  let all = ''
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page = pageOf(text, from, chars)
    expect(page.text.length).toBeLessThanOrEqual(chars)
    all += page.text
    if (page.next !== undefined) expect(page.note).toContain(`Go on with "from": ${page.next}.`)
    from = page.next
  }
  return all
}

describe('pages', () => {
  it('of a short text are the text, without a note', () => {
    expect(pageOf('abc', 0, 3)).toEqual({ text: 'abc', note: '' })
    expect(pageOf('', 0, 3)).toEqual({ text: '', note: '' })
  })

  it('break at lines where one is near, never inside a character, and name the next', () => {
    expect(pageOf('aaaaaaaa\nbb', 0, 10)).toEqual({
      text: 'aaaaaaaa\n',
      note: '[Characters 0 to 9 of 11. Go on with "from": 9.]',
      next: 9,
    })
    expect(pageOf('🧶🧶', 0, 3).text).toBe('🧶')
    expect(pageOf('🧶🧶', 1, 3)).toEqual({ text: '🧶', note: '[Characters 2 to 4 of 4. This is the end.]' })
  })

  it('give the whole text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 2, max: 50 }), (text, chars) => {
        expect(readOn(text, chars)).toBe(text)
      }),
    )
  })

  it('end: a position behind it is told', () => {
    expect(() => pageOf('abc', 3)).toThrow('The text has 3 characters; none stands at 3. Choose a smaller "from".')
  })
})

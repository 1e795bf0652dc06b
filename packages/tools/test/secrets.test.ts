/** Secrets of tools are found however they are written. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hideSecrets } from '../src/guard/secrets.ts'

const secret = 'k3y/with+odd"signs é!'
const hide = hideSecrets([secret, 'second-secret'])
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a secret', () => {
  it.each([
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a URL, in small letters', encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ['in a form', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['in a URL with everything encoded', encodeURIComponent(secret).replace('!', '%21')],
    ['in base64', base64(secret).replace(/=+$/, '')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['a second one', 'second-secret'],
  ])('is hidden %s', (_, written) => {
    expect(hide(`before ${written} behind ${written}`)).toBe('before [secret] behind [secret]')
  })

  it('leaves nothing to decode in a longer text that was encoded as a whole', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 12 })
    const key = fc.stringMatching(/^[\x21-\x7e]{10,30}$/)
    fc.assert(
      fc.property(text, key, text, (before, key, behind) => {
        const shown = hideSecrets([key])(base64(`${before}${key}${behind}`))
        expect(shown).toContain('[secret]')
        const left = shown.split('[secret]').map((piece) => Buffer.from(piece, 'base64').toString('latin1'))
        expect(left.join('')).not.toContain(key.slice(1, -1))
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  it('that is a piece of another does not leave the other’s rest', () => {
    expect(hideSecrets(['abcd', 'abcdefgh'])('x abcdefgh y abcd')).toBe('x [secret] y [secret]')
  })

  it('that is short takes no innocent words out of base64', () => {
    expect(hideSecrets(['abc'])('YWJj abc')).toBe('YWJj [secret]')
  })

  it('is not taken for a pattern', () => {
    expect(hideSecrets(['a.c*'])('abc a.c*')).toBe('abc [secret]')
    expect(hideSecrets(['$&'])('$&')).toBe('[secret]')
  })

  it('may not be empty; there may be none', () => {
    expect(() => hideSecrets([''])).toThrow('A secret is empty.')
    expect(() => hideSecrets([undefined as never])).toThrow('A secret is empty.')
    expect(hideSecrets([])('text')).toBe('text')
  })
})

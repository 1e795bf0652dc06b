/** What changed between two requests, and where the cached prefix broke. */
import { describe, expect, it } from 'vitest'
import { compare } from '../src/compare.ts'
import type { ModelRequestContent, Said } from '../src/wire.ts'

const say = (role: string, content: string): Said => ({ role, parts: [{ type: 'text', content }] })
const request = (messages: Said[], more: Partial<ModelRequestContent> = {}): ModelRequestContent => ({
  instructions: 'Be brief.',
  tools: [{ name: 'search' }],
  settings: {},
  messages,
  ...more,
})
const [hello, hi, bye] = [say('user', 'Hello'), say('assistant', 'Hi'), say('user', 'Bye')]
const outline = (before: ModelRequestContent, after: ModelRequestContent) =>
  compare('p', before, after).parts.map(({ label, change }) => `${change} ${label}`)

describe('compare', () => {
  it('a request that goes on keeps the prefix whole', () => {
    const found = compare('p', request([hello]), request([hello, hi, bye]))
    expect(found.prefix).toEqual({ isWhole: true })
    expect(found.previous).toBe('p')
    expect(found.parts.map(({ change }) => change)).toEqual(['same', 'same', 'same', 'added', 'added'])
  })

  it('the same request again has nothing added', () => {
    const found = compare('p', request([hello]), request([hello]))
    expect(found).toMatchObject({ prefix: { isWhole: true }, isPartial: false, settings: [] })
    expect(found.parts.every(({ change }) => change === 'same')).toBe(true)
  })

  it('names the part and the character where the prefix broke', () => {
    const after = request([hello, hi], { instructions: 'Be brave.' })
    expect(compare('p', request([hello]), after).prefix).toEqual({
      isWhole: false,
      part: 1,
      label: 'Instructions',
      at: 5,
    })
    const tools = request([hello], { tools: [{ name: 'search' }, { name: 'read' }] })
    expect(compare('p', request([hello]), tools).prefix).toMatchObject({ part: 0, label: 'Tools' })
    const edited = request([say('user', 'Hello there'), hi])
    expect(compare('p', request([hello, hi]), edited).prefix).toEqual({
      isWhole: false,
      part: 2,
      label: 'Message 1, user',
      at: 5,
    })
  })

  it('a part that went broke the prefix where it stood', () => {
    expect(compare('p', request([hello, hi]), request([hello])).prefix).toMatchObject({
      part: 3,
      label: 'Message 2, assistant',
    })
    const none = request([hello], { tools: [] })
    expect(compare('p', request([hello]), none).prefix).toEqual({
      isWhole: false,
      part: 0,
      label: 'Instructions',
      at: 0,
    })
  })

  it('finds what was put in and taken out between what stayed', () => {
    expect(outline(request([hello, bye]), request([hello, hi, bye]))).toEqual([
      'same Tools',
      'same Instructions',
      'same Message 1, user',
      'added Message 2, assistant',
      'same Message 3, user',
    ])
    expect(outline(request([hello, hi, bye]), request([hello, bye]))).toContain('removed Message 2, assistant')
    expect(outline(request([hello, hi]), request([hello, say('assistant', 'Ho')]))).toContain(
      'changed Message 2, assistant',
    )
  })

  it('settings are told apart by their values', () => {
    const settings = (given: ModelRequestContent['settings']) => request([hello], { settings: given })
    expect(
      compare('p', settings({ model: 'a', top_k: 1 }), settings({ model: 'b', top_k: 1, seed: 7 })).settings,
    ).toEqual([
      { name: 'model', before: 'a', after: 'b' },
      { name: 'seed', after: 7 },
    ])
  })

  it('says when some was not kept', () => {
    const cut = request([{ role: 'user', parts: [{ type: 'cut', content: 'The first 9 are left out.' }] }, hello])
    expect(compare('p', cut, request([hello])).isPartial).toBe(true)
    expect(compare('p', request([hello]), cut).isPartial).toBe(true)
  })

  it('long texts and long talks take time in proportion', () => {
    const long = request([say('user', 'x'.repeat(5_000_000)), ...Array.from({ length: 20_000 }, () => hi)])
    const other = request([say('user', `${'x'.repeat(4_999_999)}y`), ...Array.from({ length: 20_000 }, () => hi)])
    expect(compare('p', long, other).prefix).toMatchObject({ at: 4_999_999 })
  })
})

/** JSON Patch, by table. */
import type { Json } from '@clew/core'
import { describe, expect, it } from 'vitest'
import { applyPatch } from '../src/index.ts'

const right: [name: string, value: Json, patch: object[], result: Json][] = [
  ['adds a member', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
  ['adds over a member', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
  ['adds into a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
  ['adds at the end of a list by its length', [1], [{ op: 'add', path: '/1', value: 2 }], [1, 2]],
  ['adds at the end of a list by -', [1], [{ op: 'add', path: '/-', value: [2] }], [1, [2]]],
  ['adds the whole', { a: 1 }, [{ op: 'add', path: '', value: [1] }], [1]],
  ['adds null', {}, [{ op: 'add', path: '/a', value: null }], { a: null }],
  ['adds under the empty key', {}, [{ op: 'add', path: '/', value: 1 }], { '': 1 }],
  [
    'reads ~1 and ~0',
    { 'a/b': 1, '~1': 2 },
    [
      { op: 'remove', path: '/a~1b' },
      { op: 'remove', path: '/~01' },
    ],
    {},
  ],
  ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  ['removes from a list', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
  ['replaces a member', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: [] }], { a: { b: [] } }],
  ['replaces in a list', [1, 2], [{ op: 'replace', path: '/0', value: 0 }], [0, 2]],
  ['replaces the whole', [1], [{ op: 'replace', path: '', value: null }], null],
  ['moves a member', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
  ['moves in a list', [1, 2, 3], [{ op: 'move', from: '/0', path: '/2' }], [2, 3, 1]],
  ['moves to where it is', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ['moves beside what begins with its name', { a: 1 }, [{ op: 'move', from: '/a', path: '/ab' }], { ab: 1 }],
  [
    'copies',
    { a: [1] },
    [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/-', value: 2 },
    ],
    { a: [1], b: [1, 2] },
  ],
  [
    'tests without the order of keys',
    { a: { b: 1, c: [null] } },
    [{ op: 'test', path: '/a', value: { c: [null], b: 1 } }],
    { a: { b: 1, c: [null] } },
  ],
  ['takes numeric keys of objects', { '01': 1 }, [{ op: 'replace', path: '/01', value: 2 }], { '01': 2 }],
  ['does nothing', { a: 1 }, [], { a: 1 }],
]

const wrong: [name: string, value: Json, patch: unknown, problem: RegExp][] = [
  ['no list', {}, { op: 'add' }, /no list/],
  ['too many operations', [], Array.from({ length: 201 }, () => ({ op: 'add', path: '/-', value: 1 })), /at most 200/],
  ['an operation that is none', {}, [null], /Operation 0: it is no object/],
  ['an unknown op', {}, [{ op: 'merge', path: '' }], /op is "merge"; it is add, remove/],
  ['no path', {}, [{ op: 'add', value: 1 }], /path is missing/],
  ['no value', {}, [{ op: 'add', path: '/a' }], /add needs a value/],
  ['no from', { a: 1 }, [{ op: 'move', path: '/a' }], /move needs "from"/],
  ['a path without a slash', { a: 1 }, [{ op: 'remove', path: 'a' }], /does not begin with/],
  ['a bad escape', { '~2': 1 }, [{ op: 'remove', path: '/~2' }], /neither "~0" nor "~1"/],
  ['a member that is not there', { a: 1 }, [{ op: 'remove', path: '/b' }], /nothing at "\/b"/],
  ['replacing what is not there', { a: 1 }, [{ op: 'replace', path: '/b', value: 1 }], /nothing at "\/b"/],
  ['an inherited member', { a: 1 }, [{ op: 'copy', from: '/toString', path: '/b' }], /nothing at/],
  ['a parent that is not there', {}, [{ op: 'add', path: '/a/b', value: 1 }], /nothing at "\/a\/b"/],
  ['a parent that is a text', { a: 'text' }, [{ op: 'add', path: '/a/0', value: 1 }], /nothing at "\/a\/0"/],
  [
    'an index beyond the end',
    [1],
    [{ op: 'add', path: '/2', value: 1 }],
    /index 2 is beyond the list, which has 1 items/,
  ],
  ['replacing at the length', [1], [{ op: 'replace', path: '/1', value: 1 }], /index 1 is beyond/],
  ['removing at the length', [1], [{ op: 'remove', path: '/1' }], /index 1 is beyond/],
  ['a leading zero', [1, 2], [{ op: 'replace', path: '/01', value: 1 }], /"01" is no index/],
  ['a negative index', [1], [{ op: 'remove', path: '/-1' }], /"-1" is no index/],
  ['a fractional index', [1, 2], [{ op: 'remove', path: '/1.0' }], /"1.0" is no index/],
  ['an empty index', [1], [{ op: 'remove', path: '/' }], /"" is no index/],
  ['- to remove', [1], [{ op: 'remove', path: '/-' }], /"-" is no index/],
  ['- to replace', [1], [{ op: 'replace', path: '/-', value: 1 }], /"-" is no index/],
  ['- to copy from', [1], [{ op: 'copy', from: '/-', path: '/0' }], /"-" is no index/],
  ['- on the way', [[1]], [{ op: 'add', path: '/-/0', value: 1 }], /"-" is no index/],
  ['removing the whole', { a: 1 }, [{ op: 'remove', path: '' }], /whole value cannot be removed/],
  ['moving into itself', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b' }], /into itself/],
  ['moving what is not there to where it is not', {}, [{ op: 'move', from: '/a', path: '/a' }], /nothing at/],
  ['a test that fails', { a: 1 }, [{ op: 'test', path: '/a', value: '1' }], /test failed/],
  ['a test with a key too few', { a: { b: 1, c: 2 } }, [{ op: 'test', path: '/a', value: { b: 1 } }], /test failed/],
  ['a test of a list against an object', { a: [] }, [{ op: 'test', path: '/a', value: {} }], /test failed/],
  ...['__proto__', 'constructor', 'prototype'].flatMap((key): [string, Json, unknown, RegExp][] => [
    [`the key ${key} to add`, {}, [{ op: 'add', path: `/${key}`, value: {} }], /is not allowed/],
    [`the key ${key} on the way`, { a: {} }, [{ op: 'add', path: `/a/${key}/polluted`, value: 1 }], /is not allowed/],
    [`the key ${key} to copy from`, {}, [{ op: 'copy', from: `/${key}`, path: '/a' }], /is not allowed/],
    [
      `the key ${key} in a value`,
      {},
      JSON.parse(`[{"op":"add","path":"/a","value":[{"${key}":{}}]}]`),
      /is not allowed/,
    ],
  ]),
  [
    'copies that double',
    { a: 'x'.repeat(1000) },
    Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/c${index}` })),
    /copies grow too large/,
  ],
]

describe('applyPatch', () => {
  it.each(right)('%s', (_, value, patch, result) => {
    const before = structuredClone(value)
    expect(applyPatch(value, patch)).toEqual({ ok: true, value: result })
    expect(value).toEqual(before)
  })

  it.each(wrong)('refuses %s, and changes nothing', (_, value, patch, problem) => {
    const before = JSON.stringify(value)
    const all = Array.isArray(patch) && patch.length < 200 ? [{ op: 'test', path: '', value }, ...patch] : patch
    expect(applyPatch(value, patch)).toEqual({ ok: false, problem: expect.stringMatching(problem) })
    expect(applyPatch(value, all).ok).toBe(false)
    expect(JSON.stringify(value)).toBe(before)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('undoes what came before the operation that fails', () => {
    const value = { a: [1] }
    const patch = [
      { op: 'add', path: '/a/-', value: 2 },
      { op: 'remove', path: '/b' },
    ]
    expect(applyPatch(value, patch)).toMatchObject({ ok: false, problem: expect.stringContaining('Operation 1:') })
    expect(value).toEqual({ a: [1] })
  })

  it('shares nothing with the patch', () => {
    const given = { b: [1] }
    const patched = applyPatch({}, [{ op: 'add', path: '/a', value: given }])
    given.b.push(2)
    expect(patched).toEqual({ ok: true, value: { a: { b: [1] } } })
  })
})

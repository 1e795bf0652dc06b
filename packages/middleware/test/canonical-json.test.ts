/** Canonical JSON against the shared vectors. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasShared } from '../../../test/shared.ts'
import { canonicalJson } from '../src/canonical-json.ts'

type Vector = { name: string; toolName?: string; keyMaterial: unknown; jcs: string; fingerprint: string }
const path = join(import.meta.dirname, '../../../../shared/cases/loop-fingerprints/vectors.json')
const vectors: Vector[] = hasShared
  ? (({ toolCallVectors, keyMaterialVectors }) => [...toolCallVectors, ...keyMaterialVectors])(
      JSON.parse(readFileSync(path, 'utf8')),
    )
  : []

describe.skipIf(!hasShared)('loop-fingerprints', () => {
  it('are all here', () => expect(vectors).toHaveLength(12))

  it.each(vectors.map((vector) => [vector.name, vector] as const))(
    '%s',
    (_, { toolName, keyMaterial, ...expected }) => {
      const jcs = canonicalJson(keyMaterial)
      expect(jcs).toBe(expected.jcs)
      const text = toolName === undefined ? jcs : `${toolName}\n${jcs}`
      expect(createHash('sha256').update(text).digest('hex')).toBe(expected.fingerprint)
    },
  )
})

const cycle: { [key: string]: unknown } = {}
cycle.self = cycle
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

describe('canonicalJson', () => {
  it.each<[string, unknown, string]>([
    [
      'sorts keys by UTF-16 code units',
      { '\u{1F600}': 1, '\uFB33': 2, a: 3, B: 4 },
      '{"B":4,"a":3,"\u{1F600}":1,"\uFB33":2}',
    ],
    ['sorts keys that look like numbers as texts', { 10: 1, 9: 2 }, '{"10":1,"9":2}'],
    ['writes numbers as JavaScript does', [1e-7, 1e20, 0.1, -0, 1e21], '[1e-7,100000000000000000000,0.1,0,1e+21]'],
    ['takes what stands 64 levels deep', nested(64), `${'['.repeat(64)}1${']'.repeat(64)}`],
  ])('%s', (_, value, expected) => expect(canonicalJson(value)).toBe(expected))

  it.each<[string, unknown]>([
    ['BigInt', 1n],
    ['NaN', Number.NaN],
    ['infinity', { a: Number.POSITIVE_INFINITY }],
    ['undefined', { a: undefined }],
    ['a function', [() => 1]],
    ['a cycle', cycle],
    ['more than 64 levels', nested(65)],
  ])('refuses %s', (_, value) => expect(() => canonicalJson(value)).toThrow(/no canonical form/))
})

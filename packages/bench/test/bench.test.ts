/** The benchmark runs, whatever its figures: a test of them would depend on what else the machine does. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { hasPostgres } from '../../memory/test/postgres.ts'

const bench = (...options: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../src/main.ts'), ...options], { encoding: 'utf8' })

it('prints where it ran, and every figure beside its goal', () => {
  const { stdout, stderr, status } = bench('--tiny')
  expect(stderr.replace(/^SKIPPED: .*\n/, '')).toBe('')
  expect(status).toBe(0)
  const [head, ...rows] = stdout.trim().split('\n')
  expect(head).toMatch(/^\d{4}-\d\d-\d\d, Node v\d+\.\d+\.\d+, \d+ × ./)
  const figures = rows.filter((row) => /^ {2}.* -?\d+\.\d\d( {2}goal \d\.\d\d {2}(met|MISSED))?$/.test(row))
  for (const store of ['in memory', 'file', 'SQLite', ...(hasPostgres ? ['PostgreSQL'] : [])]) {
    for (const part of ['turn 20 against turn 10, time', 'loading 20 turns'])
      expect(figures.filter((row) => row.includes(`${store}: ${part}`))).toHaveLength(1)
  }
  expect(figures.filter((row) => row.includes('recall over 50 entries'))).toHaveLength(1)
  expect(figures.filter((row) => row.includes('traced to SQLite'))).toHaveLength(2)
  expect(rows.filter((row) => row.startsWith('  '))).toEqual(figures)
})

it('measures the part that is asked for, and names the parts that there are', () => {
  const one = bench('--tiny', 'recall')
  expect(one.stdout).toContain('recall over 50 entries')
  expect(one.stdout).not.toContain('SQLite')
  const none = bench('--tiny', 'speed')
  expect(none.stderr).toContain('There is no part "speed". Parts: sessions, recall, tracing.')
  expect(none.status).toBe(1)
})

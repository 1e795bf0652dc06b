/** The demo and its commands as their user runs them: in processes, some of them killed. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasPostgres, startPostgres } from '../../../packages/memory/test/postgres.ts'
import { Bank } from '../src/bank.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refund-desk-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const source = join(import.meta.dirname, '../src')
const env = { ...process.env, OPENROUTER_API_KEY: '', DATABASE_URL: '' }

function run(file: string, args: string[] = [], more: object = {}): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(source, file), ...args], {
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += piece))
    child.once('close', (code) => resolve({ code, output }))
  })
}
const main = (...args: string[]) => run('main.ts', [...args, '--folder', folder])
const bookings = () => new Bank(join(folder, 'bank.jsonl')).bookings()

describe('the refund desk', () => {
  it('the demo: asked in one process, approved and killed in another, finished in a third: one booking', async () => {
    const { code, output } = await run('demo.ts')
    expect(output).toMatch(/waits for approval: refund \{"order":17,"euros":80\}/)
    expect(output).toMatch(/killed by SIGKILL/)
    expect(output).toMatch(/refund was interrupted; the bank has booked it/)
    expect(output).toMatch(/The bank says: Order 17: 80 euros went back\./)
    expect(output).toMatch(/The bank has 1 booking: order 17, 80 euros\./)
    expect(code).toBe(0)
  })

  it('a small refund asks nobody; a no moves nothing, and the reason is told', async () => {
    expect((await main('ask', 'Refund order 5, 20 euros.')).output).toMatch(/Order 5: 20 euros went back/)
    expect((await main('ask', 'Refund order 6, 90 euros.', '--session', 'other')).output).toMatch(/waits for approval/)
    expect((await main('decide', 'no', '--session', 'other')).output).toMatch(/Denied: The shopkeeper said no/)
    expect(bookings()).toMatchObject([{ order: 5, euros: 20 }])
  })

  it('two yeses at the same time move the money once', async () => {
    await main('ask', 'Refund order 7, 70 euros.')
    const both = await Promise.all([main('decide', 'yes'), main('decide', 'yes')])
    expect(bookings()).toHaveLength(1)
    expect(both.some(({ output }) => /Order 7: 70 euros went back/.test(output))).toBe(true)
  })

  it('a wrong command says what to write', async () => {
    expect(await main('pay')).toMatchObject({ code: 1, output: expect.stringMatching(/Write: ask/) })
  })
})

describe.skipIf(!hasPostgres)('the refund desk on PostgreSQL', () => {
  it('the demo comes to the same, with its sessions in the database', async () => {
    const server = await startPostgres()
    try {
      const { code, output } = await run('demo.ts', [], { DATABASE_URL: server.connectionString })
      expect(output).toMatch(/killed by SIGKILL/)
      expect(output).toMatch(/The bank has 1 booking: order 17, 80 euros\./)
      expect(code).toBe(0)
      // Another process finds it there: the run is over, and another yes moves nothing.
      const again = await run('main.ts', ['decide', 'yes', '--folder', folder], {
        DATABASE_URL: server.connectionString,
      })
      expect(again.output).toMatch(/Order 17: 80 euros went back/)
      expect(bookings()).toEqual([])
    } finally {
      await server.stop()
    }
  })
})

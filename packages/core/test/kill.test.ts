/** Nothing is done before it is in the log, and nothing is done twice: proven by killing processes. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type LoggedEvent, memorySession, respond, retry } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { type Line, payer, script } from './kill-child.ts'

const folder = mkdtempSync(join(tmpdir(), 'clew-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The lines that a child wrote until it was killed after line `last`. */
function killAfter(last: number): { lines: Line[]; wasKilled: boolean } {
  const record = join(folder, `${last}.jsonl`)
  const { signal, status, stderr } = spawnSync(process.execPath, [
    join(import.meta.dirname, 'kill-child.ts'),
    record,
    String(last),
  ])
  if (signal === null && status !== 0) throw new Error(String(stderr))
  const text = existsSync(record) ? readFileSync(record, 'utf8') : ''
  return {
    lines: text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line),
    wasKilled: signal === 'SIGKILL',
  }
}

const startsIn = (events: LoggedEvent[]) => events.flatMap((event) => (event.type === 'tool-start' ? [event.id] : []))
const whole = killAfter(Number.MAX_SAFE_INTEGER)

describe('kill -9 at every append and effect of a run with three parallel calls', () => {
  it('the run that is not killed does everything once', () => {
    expect(whole.wasKilled).toBe(false)
    expect(whole.lines.filter((line) => 'effect' in line)).toHaveLength(3)
    expect(whole.lines.length).toBeGreaterThan(15)
  })

  it.each(whole.lines.map((_, index) => [index + 1] as const))('killed after line %i', async (last) => {
    const { lines, wasKilled } = killAfter(last)
    expect(wasKilled).toBe(true)
    expect(lines).toHaveLength(last)

    const durable: LoggedEvent[] = []
    const effects: string[] = []
    for (const line of lines) {
      if ('appended' in line) durable.push(...line.appended)
      if ('effect' in line) {
        expect(startsIn(durable), 'the intent is in the log before the effect').toContain(line.effect)
        effects.push(line.effect)
      }
    }
    if (durable.length === 0) return

    // Another process goes on from what was durable. A call that may have run waits for a verdict.
    const session = memorySession('killed', durable)
    const hasAnswered = durable.some((event) => event.type === 'model-end')
    const agent = payer(
      scriptedModel(hasAnswered ? script.slice(durable.filter((event) => event.type === 'model-end').length) : script),
      (id) => effects.push(id),
    )
    let result = await agent.resume(session)
    if (result.status === 'waiting') {
      const verdicts = result.needs.map((need) => {
        expect(need).toMatchObject({ for: 'verdict', tool: 'pay' })
        return [need.id, effects.includes(need.id) ? respond('paid, says the bank') : retry()] as const
      })
      result = await agent.resume(session, Object.fromEntries(verdicts))
    }
    expect(result).toMatchObject({ status: 'done', text: 'All three are paid.' })
    expect(effects).toHaveLength(3)
    expect(new Set(effects).size).toBe(3)
  })
})

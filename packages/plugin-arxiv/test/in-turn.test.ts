import { afterEach, expect, it, vi } from 'vitest'
import { inTurn } from '../src/in-turn.ts'

vi.mock('node:timers/promises', () => ({ setTimeout: (ms: number) => waits.push(ms) }))
const waits: number[] = []
const { signal } = new AbortController()
afterEach(() => vi.restoreAllMocks())

it('waits for what is left of the pause, also after a request that failed', async () => {
  let clock = 10_000
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const broken = inTurn(() => Promise.reject(new Error('lost')), 3000, signal)
  await expect(broken).rejects.toThrow('lost')
  expect(waits).toEqual([])
  clock += 1000
  expect(await inTurn(async () => 'second', 3000, signal)).toBe('second')
  expect(waits).toEqual([2000])
  clock += 3000
  await inTurn(async () => 'third', 3000, signal)
  expect(waits).toEqual([2000])
})

it('asks nothing for who left', async () => {
  const work = vi.fn()
  await expect(inTurn(work, 0, AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
  expect(work).not.toHaveBeenCalled()
})

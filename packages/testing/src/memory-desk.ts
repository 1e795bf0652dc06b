/** What the cases of the memory contract share. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type Batch, isClewError, type Json, type LoggedEvent } from '@clew/core'
import type { EntryLike, MemoryLike, MemoryStoreLike, Parts, StoreOptions } from './memory-like.ts'

/** What a case works with. */
export type MemoryDesk = {
  open(parts: Parts): Promise<MemoryLike>
  /** As `open`, through a new store object, as a restarted process would. */
  reopen(parts: Parts): Promise<MemoryLike>
  scope(parts: Parts): unknown
  /** A new store object, closed behind the case. */
  store(options?: StoreOptions): Promise<MemoryStoreLike<unknown>>
}
export type MemoryCase = [name: string, check: (desk: MemoryDesk) => Promise<void>]

export const newTenant = () => `tenant-${randomUUID()}`

export type Refusal = 'InputError' | 'MemoryError' | 'StaleBlockError' | 'ErasedError' | 'HeldError' | 'SessionError'

/** Rejects, with an error of Clew's of that name; gives it. */
export async function refused(work: Promise<unknown>, kind: Refusal, what: string): Promise<Error> {
  const error = await work.then(
    () => assert.fail(`${what} was not refused`),
    (error: unknown) => error,
  )
  assert.ok(isClewError(error) && error.name === kind, `${what} was refused, but not with ${kind}: ${error}`)
  return error
}

export const fact = (id: string, text: string, more: Partial<EntryLike> = {}): EntryLike => ({
  id,
  kind: 'fact',
  text,
  at: 1000,
  ...more,
})

/** A batch of one event for each text. */
export const said = (id: string, ...texts: string[]): Batch => ({
  id,
  events: texts.map((content): LoggedEvent => {
    return { type: 'run-start', v: 1, id: 'r', agent: 'a', input: [{ role: 'user', content }] }
  }),
})

export async function idsOf(memory: MemoryLike, query: Parameters<MemoryLike['search']>[0]): Promise<string[]> {
  return (await memory.search(query)).map(({ entry }) => entry.id)
}

export async function linesOf(memory: MemoryLike): Promise<string[]> {
  const lines: string[] = []
  for await (const line of memory.export()) lines.push(line)
  return lines
}

/** Text that some encoding, database or JSON library is known to change. */
export const hardTexts = [
  ' \t\r\n\u2028\u2029\u0085',
  'naïve ŒÆ Ω≈ç√ 中文 العربية',
  'é is not e\u0301',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  'nul \u0000 inside',
  '\u0000',
  '\\u0000 \\0 \u001a0000 \u001a',
  'half \ud83d of an emoji',
  '\udc00 the other half',
  '\ufeffwith a mark',
  '" \' ` ; -- $1 ? ?1 :a @b %s {} </script> {1,2} NULL',
  '__proto__',
  'constructor',
  '1e3',
]

/** Keys, numbers and texts that a detour through another JSON changes. */
export const hardJson = JSON.parse(
  '{"z":1,"a":2,"10":3,"1":4,"__proto__":{"polluted":true},"constructor":{"prototype":1},"":"empty key","nul\\u0000key":"\\u0000\\ud83d",' +
    '"numbers":[0,-1,1e21,1e-7,5e-324,1.7976931348623157e308,0.30000000000000004,9007199254740991],"nothing":[null,false,"",[],{}]}',
) as Json

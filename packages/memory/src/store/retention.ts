/** `expiryOf()`: from how long a store keeps things, before which times they have expired. */
import { DefinitionError } from '@clew/core'
import type { Expiry } from './backend.ts'

/** In days, parts of them too. What is not named is kept. */
export type Retention = {
  /** By their `at`. A number is for all of them; by kind, kinds that are not named are kept. */
  entries?: number | { [kind: string]: number }
  /** By their last write, with all their values. */
  blocks?: number
  /** By when their text was put last. */
  artifacts?: number
  /** By their last event. */
  sessions?: number
}

export type RetentionOptions = {
  /**
   * How long things are kept. What has expired is read, found, counted and exported no more; it is removed by `prune()`,
   * and, at most once an hour for each tenant, behind a write. What is under a hold does not expire. Default: for ever.
   */
  retention?: Retention
  /** The clock, in milliseconds since 1970; for tests. Default: `Date.now`. */
  now?: () => number
}

const dayMs = 86_400_000
/** A hundred years: what is longer was meant in other units. */
const maxDays = 36_500
const names = ['entries', 'blocks', 'artifacts', 'sessions'] as const

/** As a function of the time; undefined without any period. @throws DefinitionError for a period that is none, or an unknown name. */
export function expiryOf(retention: Retention | undefined): ((now: number) => Expiry) | undefined {
  if (retention === undefined) return undefined
  if (!isObject(retention)) throw wrong('retention', retention, '{ entries, blocks, artifacts, sessions }')
  for (const name of Object.keys(retention)) {
    if (!(names as readonly string[]).includes(name))
      throw new DefinitionError(`retention has no ${JSON.stringify(name)}. Known: ${names.join(', ')}.`)
  }
  const { entries, blocks, artifacts, sessions } = retention
  const rules = rulesOf(entries)
  for (const [name, days] of Object.entries({ blocks, artifacts, sessions })) checkDays(`retention.${name}`, days)
  const before = (now: number, days: number | undefined) => (days === undefined ? undefined : now - days * dayMs)
  return (now) => ({
    entries: rules.map(({ kind, days }) => ({ ...(kind !== undefined && { kind }), before: now - days * dayMs })),
    blocks: before(now, blocks),
    artifacts: before(now, artifacts),
    sessions: before(now, sessions),
  })
}

function rulesOf(entries: Retention['entries']): { kind?: string; days: number }[] {
  if (!isObject(entries)) {
    checkDays('retention.entries', entries)
    return entries === undefined ? [] : [{ days: entries }]
  }
  return Object.entries(entries).map(([kind, days]) => {
    checkDays(`retention.entries[${JSON.stringify(kind)}]`, days)
    return { kind, days }
  })
}

function checkDays(where: string, days: unknown): void {
  if (days === undefined || (typeof days === 'number' && days > 0 && days <= maxDays)) return
  throw wrong(where, days, `a number of days above 0 and up to ${maxDays}`)
}

function wrong(where: string, value: unknown, wanted: string): DefinitionError {
  return new DefinitionError(`${where} is ${String(value)}; give ${wanted}, or leave it out.`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

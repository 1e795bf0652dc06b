/** The world outside of the log: a file in which every effect leaves a line, whatever becomes of the process. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Model } from '@clew/core'
import type { CrashPoints } from './crash-points.ts'

/** A line of the record. */
export type CrashEffect = { session: string; key: string; name: string; mayRepeat?: true }

/** What a scenario's agent works in. */
export type CrashWorld = {
  /**
   * What a tool does to the world. `key` is the call's `idempotencyKey`; `name` says what it is, the same in every run.
   * `mayRepeat` for tools that are idempotent or pure.
   */
  effect(name: string, key: string, options?: { mayRepeat?: true }): Promise<void>
  /** The model with a point to be killed at before each of its deltas. */
  model(model: Model): Model
}

export function readEffects(record: string): CrashEffect[] {
  const lines = existsSync(record) ? readFileSync(record, 'utf8').split('\n') : []
  return lines.filter(Boolean).map((line) => JSON.parse(line) as CrashEffect)
}

export function crashWorld(record: string, session: string, points: CrashPoints): CrashWorld {
  return {
    model: points.model,
    async effect(name, key, options = {}) {
      await points.reach(`before effect ${name}`)
      appendFileSync(record, `${JSON.stringify({ session, key, name, ...options } satisfies CrashEffect)}\n`)
      await points.reach(`behind effect ${name}`)
    },
  }
}

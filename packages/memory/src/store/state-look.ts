/** `look()` and `alive()`: what is in a scope of a `State` and has not expired; `checkHold()`: what a hold forbids there. */
import type { EntryRow, Expiry } from './backend.ts'
import { HeldError } from './memory-error.ts'
import type { Place } from './place.ts'
import { Scope } from './scope.ts'
import type { State } from './state.ts'

export const isHeld = (state: State, path: readonly string[]) => state.chain(path).some(({ held }) => held)

export type Things = Pick<Place, 'blocks' | 'entries' | 'artifacts' | 'sessions'>
type Thing<Of extends keyof Things> = Things[Of] extends Map<string, infer Value> ? Value : never
type IsLapsed<Of extends keyof Things> = (thing: Thing<Of>, expiry: Expiry) => boolean

/** One thing of a scope, unless it has expired. */
export function look<Of extends keyof Things>(
  state: State,
  path: readonly string[],
  of: Of,
  key: string,
  isLapsed: IsLapsed<Of>,
  expiry: Expiry | undefined,
): Thing<Of> | undefined {
  const thing = state.find(path)?.[of].get(key) as Thing<Of> | undefined
  return thing && expiry && isLapsed(thing, expiry) && !isHeld(state, path) ? undefined : thing
}

/** All things of a sort in a scope that have not expired. */
export function alive<Of extends keyof Things>(
  state: State,
  path: readonly string[],
  of: Of,
  isLapsed: IsLapsed<Of>,
  expiry: Expiry | undefined,
): Map<string, Thing<Of>> {
  const things = (state.find(path)?.[of] ?? new Map()) as Map<string, Thing<Of>>
  if (!expiry || isHeld(state, path)) return things
  return new Map([...things].filter(([, thing]) => !isLapsed(thing, expiry)))
}

export function checkHold(state: State, path: readonly string[], doing: string, isBelowToo: boolean): void {
  const places = [...state.chain(path), ...(isBelowToo ? state.covered(path) : [])]
  const holder = places.find(({ held }) => held)
  if (holder) throw new HeldError(doing, String(new Scope(path)), String(new Scope(holder.path)))
}

export function checkReplaced(state: State, place: readonly string[], entries: EntryRow[]): void {
  const there = entries.find(({ id }) => state.find(place)?.entries.has(id))
  if (there) checkHold(state, place, `Replacing entry ${JSON.stringify(there.id)}`, false)
}

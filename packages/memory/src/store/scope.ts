/**
 * `scope()`: whose memory is meant: a tenant's, one user's of that tenant, or one thread's of that user.
 *
 * A scope is made by the program that serves the user, from what it knows for sure, never from what a model wrote.
 */
import { InputError } from '@clew/core'

/** Texts of 1 to 256 characters (UTF-16 units), whole and without NUL. `thread` needs `user`. */
export type ScopeParts = { tenant: string; user?: string; thread?: string }

/** Made by `scope()` only: no object that looks like one is taken for it. */
export class Scope {
  readonly #path: readonly string[]

  /** @internal */
  constructor(path: readonly string[]) {
    this.#path = path
  }

  /** @internal Tenant, user, thread, as far as it goes. */
  static pathOf(scope: Scope): readonly string[] {
    if (typeof scope === 'object' && scope !== null && #path in scope) return scope.#path
    throw new InputError('That is no scope. Make one with scope({ tenant, user, thread }).')
  }

  /** For messages: `tenant "acme", user "ada"`. */
  toString(): string {
    return this.#path.map((part, depth) => `${names[depth]} ${JSON.stringify(part)}`).join(', ')
  }
}

const names = ['tenant', 'user', 'thread'] as const
const maxLength = 256

/** @throws InputError for a part that is no text, is empty, too long, broken, or not known. */
export function scope(parts: ScopeParts): Scope {
  if (typeof parts !== 'object' || parts === null) throw new InputError('A scope is made of { tenant, user, thread }.')
  for (const name of Object.keys(parts)) {
    if (!(names as readonly string[]).includes(name))
      throw new InputError(`A scope has no ${JSON.stringify(name)}. Known: ${names.join(', ')}.`)
  }
  const path: string[] = []
  for (const [depth, name] of names.entries()) {
    // A key whose value is missing is a slip, not a wider scope: it would open the memory of all users.
    if (depth > 0 && !(name in parts)) continue
    checkPart(name, parts[name])
    if (path.length < depth)
      throw new InputError(`A scope with a thread needs its user: thread ${JSON.stringify(parts[name])} has none.`)
    path.push(parts[name] as string)
  }
  return new Scope(path)
}

function checkPart(name: string, part: unknown): void {
  const wrong = (reason: string) =>
    new InputError(`The ${name} of a scope ${reason}. Give a text of 1 to 256 characters.`)
  if (typeof part !== 'string') throw wrong(`is ${part === null ? 'null' : typeof part}, no text`)
  if (part === '') throw wrong('is empty')
  if (part.length > maxLength) throw wrong(`has ${part.length} characters`)
  if (!part.isWellFormed() || part.includes('\0')) throw wrong('holds a NUL character or half of a character')
}

/** Whether `inner` is `outer` or below it. */
export function covers(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.every((part, depth) => part === inner[depth])
}

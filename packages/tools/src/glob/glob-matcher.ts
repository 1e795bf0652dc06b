/** `globMatcher` tells which paths a pattern means, in a time that no pattern can make long. */
import { InputError } from '@clew/core'
import picomatch from 'picomatch'
import { namesOf, shown } from '../guard/folder/names.ts'

/**
 * picomatch makes a regular expression that steps back for each `*`: more of them in one name, or of `**` in one path, could
 * take hours. So names are matched one by one, `**` between them is matched here, and what else would repeat is literal.
 */
const maxStars = 3
const maxAlternatives = 64
const maxChars = 500

/** A pattern is never absolute, and `*` is in none of Windows' names. */
const noRoot = '\0'

type Matches = (name: string) => boolean
const anyNames = Symbol('**')

/** `*`, `?`, `[ab]` and `{a,b}` within a name, `**` for any folders. @throws InputError for a pattern that is too much */
export function globMatcher(pattern: string): (path: string) => boolean {
  if (pattern.trim() === '') throw new InputError('The pattern is empty. Write for example "**/*.md".')
  if (pattern.length > maxChars)
    throw new InputError(`The pattern has more than ${maxChars} characters. Write a shorter one.`)
  const all = alternatives(pattern).map((each) => namesOf(each, noRoot, false).map((name) => partOf(name, pattern)))
  return (path) => {
    const names = path.split('/')
    return all.some((parts) => fits(parts, names))
  }
}

/** The inner braces first, so that nested ones unfold. */
function alternatives(pattern: string): string[] {
  const done: string[] = []
  const open = [pattern]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = /\{([^{}]*,[^{}]*)\}/.exec(next)
    if (!braces) done.push(next)
    else for (const each of braces[1]!.split(',')) open.push(next.replace(braces[0], () => each))
    if (open.length + done.length > maxAlternatives) {
      throw new InputError(
        `The braces in ${shown(pattern)} unfold into more than ${maxAlternatives} patterns. Write fewer.`,
      )
    }
  }
  return done
}

function partOf(name: string, pattern: string): Matches | typeof anyNames {
  if (/^\*\*+$/.test(name)) return anyNames
  const plain = name
    .replace(/\*+/g, '*')
    .replace(/[()|+^$!@{}]/g, '\\$&')
    .replace(/\[\\[!^]/g, '[^')
  if (plain.split('*').length - 1 > maxStars) {
    throw new InputError(`${shown(pattern)} has more than ${maxStars} "*" in one name. Use fewer.`)
  }
  return picomatch(plain, { dot: true, noextglob: true, nobrace: true, nonegate: true })
}

/** Which beginnings of `parts` fit the names so far: one pass, whatever the pattern. */
function fits(parts: readonly (Matches | typeof anyNames)[], names: readonly string[]): boolean {
  const over = (reached: Set<number>) => {
    for (const at of reached) if (parts[at] === anyNames) reached.add(at + 1)
    return reached
  }
  let reached = over(new Set([0]))
  for (const name of names) {
    const next = new Set<number>()
    for (const at of reached) {
      const part = parts[at]
      if (part === anyNames) next.add(at)
      else if (part?.(name)) next.add(at + 1)
    }
    reached = over(next)
  }
  return reached.has(parts.length)
}

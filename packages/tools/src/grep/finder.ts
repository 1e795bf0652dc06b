/** `finderOf` finds a text, or a regular expression in a time that grows with the text alone (RE2), in lines. */
import { InputError } from '@clew/core'
import { shown } from '../guard/folder/names.ts'
import { optional } from '../load.ts'

export type Finder = {
  /** Where it begins in a line; -1 where it is not. */
  find(line: string): number
  /** False when no line of the text can have it. */
  mayBeIn(text: string): boolean
}

const maxPattern = 1000
/** Of each line, for a regular expression. */
const maxLine = 4000
/** Of all lines together; nothing else runs meanwhile. */
const maxMs = 5000

/** @throws InputError for what is no regular expression of RE2; DefinitionError without the package `re2js` */
export async function finderOf(
  pattern: string,
  { regex, ignoreCase }: { regex: boolean; ignoreCase: boolean },
): Promise<Finder> {
  if (pattern.length > maxPattern) {
    throw new InputError(
      `The pattern has ${pattern.length} characters, more than ${maxPattern}. Look for a shorter text.`,
    )
  }
  if (regex) return await regexFinder(pattern, ignoreCase)
  if (pattern.includes('\n')) throw new InputError('The pattern has a line break. Look for a text within one line.')
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  const wanted = fold(pattern)
  return { find: (line) => fold(line).indexOf(wanted), mayBeIn: (text) => fold(text).includes(wanted) }
}

async function regexFinder(pattern: string, ignoreCase: boolean): Promise<Finder> {
  const { RE2JS } = await optional('re2js', 'grep with "regex"', () => import('re2js'))
  let compiled: InstanceType<typeof RE2JS>
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(pattern), ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error'
    throw new InputError(
      `${shown(pattern)} is no regular expression that can be used (${why}). Look-around and back-references are not known; to look for the text as it is, leave "regex" out.`,
    )
  }
  let spentMs = 0
  return {
    find(line) {
      if (spentMs > maxMs)
        throw new InputError(`${shown(pattern)} takes too long. Use a simpler one, or fewer "files".`)
      const began = performance.now()
      const matcher = compiled.matcher(line.slice(0, maxLine))
      const isFound = matcher.find()
      spentMs += performance.now() - began
      // What touches the cut may be there only because of it.
      return isFound && (line.length <= maxLine || matcher.end() < maxLine) ? matcher.start() : -1
    },
    mayBeIn: () => true,
  }
}

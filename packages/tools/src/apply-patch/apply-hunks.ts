/** `applyHunks` puts the changes of a patch into a text, each where the lines around it stand. */
import { InputError } from '@clew/core'
import { nearest } from '../edit-file/nearest.ts'
import { shown } from '../guard/folder/names.ts'
import { type Line, linesOf, numbered, usualEnd } from '../text/lines.ts'
import type { Hunk } from './parse-patch.ts'

/** Lines compared for one hunk: only lines that are all alike come near. */
const maxCompared = 5_000_000

/** @throws InputError when the lines of a hunk do not stand there, or in several places */
export function applyHunks(text: string, hunks: readonly Hunk[], path: string, tellsText: boolean): string {
  const lines = linesOf(text)
  const lacksEnd = lines.at(-1)?.end === ''
  const end = usualEnd(text)
  let from = 0
  for (const [index, hunk] of hunks.entries()) {
    // A text that ends with an empty context line: models close hunks so.
    const given = hunk.lines.some(({ sign }) => sign !== ' ') ? withoutTail(hunk) : hunk.lines
    const at = findHunk(lines, { ...hunk, lines: given }, from, { path, number: index + 1, tellsText })
    const old = given.filter(({ sign }) => sign !== '+').length
    const kept = lines.slice(at, at + old)
    const put = given.flatMap(({ sign, text: put }): Line[] => {
      if (sign === '+') return [{ text: put, end }]
      const line = kept.shift()!
      return sign === ' ' ? [line] : []
    })
    lines.splice(at, old, ...put)
    from = at + put.length
  }
  return lines
    .map((line, index) => line.text + (index === lines.length - 1 && lacksEnd ? '' : line.end || end))
    .join('')
}

function withoutTail({ lines }: Hunk): Hunk['lines'] {
  let end = lines.length
  while (end > 0 && lines[end - 1]!.sign === ' ' && lines[end - 1]!.text === '') end--
  return lines.slice(0, end)
}

type Where = { path: string; number: number; tellsText: boolean }

function findHunk(lines: readonly Line[], hunk: Hunk, from: number, where: Where): number {
  const old = hunk.lines.filter(({ sign }) => sign !== '+').map(({ text }) => text)
  const anchor = anchorAt(lines, hunk.anchor, from)
  if (old.length === 0) {
    if (anchor !== undefined) return anchor + 1
    return hunk.near !== undefined && !hunk.atEnd ? Math.min(hunk.near, lines.length) : lines.length
  }
  const exact = placesOf(lines, old, from, (line, text) => line === text)
  const found = exact.length > 0 ? exact : placesOf(lines, old, from, (line, text) => line.trimEnd() === text.trimEnd())
  if (found.length === 0) throw notFound(lines, old, where)
  if (found.length === 1) return found[0]!
  if (hunk.atEnd) return found.at(-1)!
  const below = anchor === undefined ? undefined : found.find((at) => at + old.length > anchor)
  if (below !== undefined) return below
  if (hunk.near !== undefined) return closest(found, hunk.near - 1)
  const numbers = found.slice(0, 20).map((at) => at + 1)
  throw new InputError(
    `Change ${where.number} of ${shown(where.path)} fits in ${found.length} places: lines ${numbers.join(', ')}. Nothing was changed. Give more lines around it, or a line above it behind "@@".`,
  )
}

/** The line that an anchor names; a hint, so nothing where there is none. */
function anchorAt(lines: readonly Line[], anchor: string, from: number): number | undefined {
  const wanted = anchor.trim()
  if (wanted === '') return undefined
  const at = lines.findIndex(({ text }, index) => index >= from && text.trim() === wanted)
  return at < 0 ? undefined : at
}

function placesOf(
  lines: readonly Line[],
  old: readonly string[],
  from: number,
  fits: (line: string, text: string) => boolean,
): number[] {
  const places: number[] = []
  let left = maxCompared
  for (let at = from; at + old.length <= lines.length; at++) {
    let index = 0
    while (index < old.length && fits(lines[at + index]!.text, old[index]!)) index++
    if (index === old.length) places.push(at)
    left -= index + 1
    if (left < 0) throw new InputError('The patch repeats too much of the file. Use smaller changes, or write_file.')
  }
  return places
}

function closest(places: readonly number[], wanted: number): number {
  return places.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best))
}

function notFound(lines: readonly Line[], old: readonly string[], { path, number, tellsText }: Where): InputError {
  const said = `Change ${number} of ${shown(path)} does not fit: its lines with " " and "-" do not stand there one after another. Nothing was changed.`
  const near = tellsText ? nearest(lines.map(({ text }) => text).join('\n'), old.join('\n')) : undefined
  if (!near) return new InputError(`${said} Read the file again.`)
  const shownLines = near.lines.map((line, index) => numbered(line, near.from + index)).join('\n')
  return new InputError(`${said} The nearest is:\n${shownLines}`)
}

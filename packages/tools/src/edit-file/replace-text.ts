/** `replaceText` replaces one text by another where it stands, and says what is near where it does not. */
import { InputError } from '@clew/core'
import { shown } from '../guard/folder/names.ts'
import { numbered, plainEnds, usualEnd } from '../text/lines.ts'
import { nearest } from './nearest.ts'

export type Replacement = {
  path: string
  old: string
  new: string
  replaceAll: boolean
  /** Errors may say what stands in the file. */
  tellsText: boolean
}

const maxPlaces = 100_000

/**
 * Line ends are no difference: what is put in gets those of the file, what is left keeps its own.
 * @throws InputError when `old` does not stand there, or in several places without `replaceAll`
 */
export function replaceText(text: string, replacement: Replacement): { text: string; places: number } {
  const plain = plainEnds(text)
  const old = plainEnds(replacement.old)
  const { path, replaceAll } = replacement
  if (old === '') throw new InputError('"old" is empty. Say which text to replace; for a whole file use write_file.')
  if (old === plainEnds(replacement.new)) throw new InputError('"old" and "new" are the same. Nothing was changed.')
  const found = placesOf(plain, old)
  if (found.length === 0) throw notFound(plain, old, replacement)
  if (found.length > 1 && !replaceAll) {
    const lines = found.slice(0, 20).map((at) => lineAt(plain, at))
    throw new InputError(
      `"old" stands in ${shown(path)} in ${found.length} places: lines ${lines.join(', ')}. Give more lines around the one you mean, or set "replaceAll".`,
    )
  }
  if (found.length > maxPlaces) {
    throw new InputError(
      `"old" stands in ${shown(path)} in ${found.length} places, more than ${maxPlaces}. Use write_file.`,
    )
  }
  const put = plainEnds(replacement.new).replaceAll('\n', usualEnd(text))
  const places = originalPlaces(
    text,
    found.flatMap((at) => [at, at + old.length]),
  )
  let result = ''
  let at = 0
  for (let index = 0; index < places.length; index += 2) {
    result += text.slice(at, places[index]) + put
    at = places[index + 1]!
  }
  return { text: result + text.slice(at), places: found.length }
}

function placesOf(text: string, part: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) places.push(at)
  return places
}

/** Where places of the text with plain line ends stand in the text itself. They come in ascending order. */
function originalPlaces(text: string, places: readonly number[]): number[] {
  let returns = 0
  let next = text.indexOf('\r\n')
  return places.map((place) => {
    while (next >= 0 && next < place + returns) {
      returns++
      next = text.indexOf('\r\n', next + 2)
    }
    return place + returns
  })
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}

function notFound(text: string, old: string, { path, tellsText }: Replacement): InputError {
  const said = `"old" does not stand in ${shown(path)}.`
  const lines = old.split('\n').filter((line) => line !== '')
  if (lines.every((line) => /^\s*\d+\t/.test(line))) {
    return new InputError(`${said} It begins with line numbers, which are no part of the file: leave them out.`)
  }
  const near = tellsText ? nearest(text, old) : undefined
  if (!near) return new InputError(`${said} Read the file again and copy the text exactly.`)
  const shownLines = near.lines.map((line, index) => numbered(line, near.from + index)).join('\n')
  return new InputError(`${said} The nearest is, mind spaces and signs:\n${shownLines}`)
}

/** `shorten()`: the beginning and the end of a text, in which what strangers wrote stays between its marks. */

/** Around what strangers wrote, as its tool set them. */
export type Marks = { begin: string; end: string }

/**
 * About `chars` characters, two thirds of them from the beginning, cut at line ends where some are near. Marks are never
 * cut in two; one that is left open before the cut is closed there, and opened again behind it where it goes on.
 */
export function shorten(text: string, chars: number, marks: Marks): string {
  const headEnd = outside(text, marks, headOf(text, Math.floor((chars * 2) / 3)), 'before')
  const tailStart = outside(text, marks, tailOf(text, text.length - Math.floor(chars / 3)), 'behind')
  const head = text.slice(0, headEnd) + (isOpen(text, marks, headEnd) ? marks.end : '')
  const tail = (isOpen(text, marks, tailStart) ? marks.begin : '') + text.slice(tailStart)
  return `${head}\n[… characters ${headEnd} to ${tailStart} are left out here …]\n${tail}`
}

function headOf(text: string, limit: number): number {
  const line = text.lastIndexOf('\n', limit)
  if (line > limit * 0.8) return line
  return isLow(text, limit) ? limit - 1 : limit
}

function tailOf(text: string, limit: number): number {
  const line = text.indexOf('\n', limit)
  if (line !== -1 && line - limit < (text.length - limit) * 0.2) return line + 1
  return isLow(text, limit) ? limit + 1 : limit
}

/** The place, moved out of a mark that it is in. */
function outside(text: string, marks: Marks, place: number, to: 'before' | 'behind'): number {
  for (const mark of [marks.begin, marks.end]) {
    const at = text.lastIndexOf(mark, place)
    if (at !== -1 && at < place && place < at + mark.length) return to === 'before' ? at : at + mark.length
  }
  return place
}

/** Whether the last mark before the place is one that opens. */
function isOpen(text: string, { begin, end }: Marks, place: number): boolean {
  const before = text.slice(0, place)
  return before.lastIndexOf(begin) > before.lastIndexOf(end)
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff
}

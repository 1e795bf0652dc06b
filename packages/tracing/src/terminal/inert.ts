/**
 * `inert()`: text that others wrote, made harmless for a terminal: what would move the cursor, colour, ring, turn the
 * direction of writing or hide is shown as its code.
 */

/**
 * Controls, marks of format and direction, what is drawn as nothing, separators of lines and paragraphs, and halves of
 * characters; by Unicode's own lists. The joiner and the selector of emoji stay.
 */
const harmful = /(?![\u200d\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu

/** On one line; a line end is shown as `⏎`, a tab as a space. */
export function inert(text: string): string {
  return text
    .replace(/\r?\n/g, '⏎')
    .replace(/\t/g, ' ')
    .replace(harmful, (mark) => `<U+${mark.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`)
}

/** JSON that reads back as the same value, with the same marks as escapes. */
export function inertJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null'
  // Line ends are the only ones that JSON.stringify writes outside of strings.
  return text.replace(harmful, (mark) => (mark === '\n' ? mark : mark.split('').map(escaped).join('')))
}

const escaped = (half: string) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`

/** On as many columns as it takes, at most `columns`: what is longer ends in `…`. */
export function cut(text: string, columns: number): string {
  // A character of the text may take no column, but none takes less than a quarter of one on the whole.
  const shown = text.length > columns * 16 ? text.slice(0, columns * 16) : text
  if (shown === text && widthOf(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const { segment } of segments.segment(shown)) {
    width += widthOfSegment(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept}…`
}

export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, columns - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

export function widthOf(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) width += widthOfSegment(segment)
  return width
}

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** What terminals give two columns: East Asian wide characters and emoji. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u

function widthOfSegment(segment: string): number {
  if (wide.test(segment)) return 2
  return /^\p{M}/u.test(segment) ? 0 : 1
}

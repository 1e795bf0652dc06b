/** Texts by lines: what a model reads has `\n` alone, what is written keeps the line ends that the file has. */

export type Line = { text: string; end: '\n' | '\r\n' | '' }

/** Only a last line can have no end. The empty text has no lines. */
export function linesOf(text: string): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at)
    if (next < 0) {
      lines.push({ text: text.slice(at), end: '' })
      break
    }
    const hasReturn = next > at && text[next - 1] === '\r'
    lines.push({ text: text.slice(at, hasReturn ? next - 1 : next), end: hasReturn ? '\r\n' : '\n' })
    at = next + 1
  }
  return lines
}

/** The line end that most lines have; `\n` where there is none. */
export function usualEnd(text: string): '\n' | '\r\n' {
  const all = text.split('\n').length - 1
  const withReturn = text.split('\r\n').length - 1
  return withReturn > all - withReturn ? '\r\n' : '\n'
}

export function plainEnds(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

const maxLine = 2000

/** As models know it from `cat -n`: the line's number, a tab, the line. A very long one is cut, and the cut is told. */
export function numbered(text: string, number: number): string {
  if (text.length <= maxLine) return `${number}\t${text}`
  return `${number}\t${text.slice(0, maxLine).toWellFormed()} […${text.length - maxLine} more characters in this line]`
}

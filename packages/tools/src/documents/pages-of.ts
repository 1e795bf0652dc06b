/** A document's text in pages: cut between paragraphs where that is possible, else between lines, else anywhere. */
export const pageChars = 6000

export function pagesOf(text: string): string[] {
  const pages: string[] = []
  let rest = text
  while (rest.length > pageChars) {
    const at = cutOf(rest.slice(0, pageChars))
    pages.push(rest.slice(0, at))
    rest = rest.slice(at).replace(/^\n+/, '')
  }
  pages.push(rest)
  return pages
}

function cutOf(window: string): number {
  for (const edge of ['\n\n', '\n']) {
    const at = window.lastIndexOf(edge)
    if (at > pageChars / 2) return at
  }
  // Half a character belongs to the page that has its other half.
  return window.isWellFormed() ? pageChars : pageChars - 1
}

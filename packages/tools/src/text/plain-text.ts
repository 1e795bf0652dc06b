/** `plainText` takes the tags off HTML in one pass, where parsing it is too much to ask. */

/** Every pattern runs to its end or to the end of the text, so that no text makes it go back. */
export function plainText(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<(script|style|noscript|template|svg|title)\b[\s\S]*?(?:<\/\1[^>]*>?|$)/gi, ' ')
    .replace(/<\/?(?:p|div|br|li|tr|h\d|table|section|article)\b[^>]*>?/gi, '\n')
    .replace(/<\/?(?:a|abbr|b|code|em|i|mark|s|small|span|strong|sub|sup|u)\b[^>]*>?/gi, '')
    .replace(/<[a-z/!?][^>]*>?/gi, ' ')
    .replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, decode)
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}

const named: { [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decode(entity: string, decimal?: string, hex?: string, name = ''): string {
  if (name !== '') return named[name.toLowerCase()] ?? entity
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
  return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : ' '
}

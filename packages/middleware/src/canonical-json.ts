/** `canonicalJson` writes equal values as equal texts: RFC 8785, numbers as JavaScript writes them, keys sorted, no spaces. */

/** More levels than this no call needs; it also ends cycles. */
const maxDepth = 64

/**
 * The one text for `value`, whatever the order of its keys. A lone surrogate, which RFC 8785 does not know, is written as
 * its escape: that loses nothing, and is what the shared vectors ask.
 * @throws TypeError for what JSON cannot hold (`undefined`, BigInt, NaN, functions), cycles, and more than 64 levels.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > maxDepth) throw new TypeError(`no canonical form: nested deeper than ${maxDepth} levels, or a cycle`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`no canonical form: ${value}`)
      return JSON.stringify(value)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`
      return `{${Object.entries(value).sort(byKey).map(write).join(',')}}`
    default:
      throw new TypeError(`no canonical form: ${typeof value}`)
  }

  function write([key, item]: [string, unknown]): string {
    return `${JSON.stringify(key)}:${canonicalJson(item, depth + 1)}`
  }
}

/** By UTF-16 code units, which is how JavaScript compares texts. */
function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

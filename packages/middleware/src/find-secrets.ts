/** `findSecrets` says where in a text secrets stand. Every pattern reads a text once, whatever is in it. */

/** Where a secret stands; `end` is behind it. */
export type Range = { start: number; end: number }

/**
 * Where a token may begin: not inside a word, but behind an escape of JSON (`\nsk-…`). Patterns that begin so are tried
 * once for each run of letters: none reads the same run again and again.
 */
const begin = /(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9A-F]{2}))/

const shapes = [
  // OpenAI, OpenRouter, Anthropic and those who write theirs alike.
  /sk-[A-Za-z0-9_-]{20,}/,
  // Stripe.
  /[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/,
  /gh[pousr]_[A-Za-z0-9]{20,}/,
  /github_pat_[A-Za-z0-9_]{20,}/,
  /glpat-[A-Za-z0-9_-]{20,}/,
  /npm_[A-Za-z0-9]{36,}/,
  /hf_[A-Za-z0-9]{30,}/,
  // AWS, Google.
  /A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])/,
  /AIza[A-Za-z0-9_-]{35}/,
  /xox[abeprs]-[A-Za-z0-9-]{10,}/,
  // Three parts of base64url, the first two of which are JSON objects.
  /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/,
]
const knownShapes = new RegExp(`${begin.source}(?:${shapes.map(({ source }) => source).join('|')})`, 'g')
/** A short word without a digit is a word: "bearer authentication". */
const bearer = /(?<=\bbearer[ \t]{1,4})(?:(?=[A-Za-z._~+/-]*\d)[A-Za-z0-9._~+/-]{8,}|[A-Za-z._~+/-]{20,})={0,2}/gi

/** Ranges in order, none touching another. `patterns` are global. */
export function findSecrets(text: string, patterns: readonly RegExp[], secrets: readonly string[]): Range[] {
  const ranges = privateKeys(text)
  for (const pattern of [knownShapes, bearer, ...patterns]) {
    for (const match of text.matchAll(pattern)) {
      if (match[0] !== '') ranges.push({ start: match.index, end: match.index + match[0].length })
    }
  }
  for (const secret of secrets) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length)) {
      ranges.push({ start: at, end: at + secret.length })
    }
  }
  return joined(ranges)
}

function joined(ranges: Range[]): Range[] {
  const result: Range[] = []
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last && range.start < last.end) last.end = Math.max(last.end, range.end)
    else result.push({ ...range })
  }
  return result
}

const keyBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const keyEnd = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
/** Encoded lines, as they stand or in JSON. */
const keyLines = /(?:[A-Za-z0-9+/=]{16,}|\\[nr]|\s){0,2000}/y
const maxKeyChars = 20_000

/** By hand: as one pattern it would look for an end behind every beginning. Of a key without an end its lines are taken. */
function privateKeys(text: string): Range[] {
  const ends = [...text.matchAll(keyEnd)].map((match) => match.index + match[0].length)
  const ranges: Range[] = []
  let next = 0
  keyBegin.lastIndex = 0
  for (let found = keyBegin.exec(text); found; found = keyBegin.exec(text)) {
    const start = keyBegin.lastIndex
    while (next < ends.length && ends[next]! <= start) next++
    const end = ends[next] ?? Number.POSITIVE_INFINITY
    keyLines.lastIndex = start
    keyBegin.lastIndex = end - start <= maxKeyChars ? end : start + (keyLines.exec(text)?.[0].length ?? 0)
    ranges.push({ start: found.index, end: keyBegin.lastIndex })
  }
  return ranges
}

const secretName = /key|token|secret|passw|passphrase|credential|(?:^|_)(?:pass|pat|auth)(?:_|$)/i
/** What is shorter stands in many texts by chance. */
const minLength = 8

type Env = { readonly [name: string]: string | undefined }

/** The given texts and the values of secret variables, each as it stands and as JSON and URLs write it. */
export function secretsOf(texts: readonly string[], env: Env | false | undefined): string[] {
  const values = Object.entries(env === false ? {} : (env ?? environment()))
    .filter(([name, value]) => secretName.test(name) && typeof value === 'string' && value.trim().length >= minLength)
    .map(([, value]) => (value as string).trim())
  return [...new Set([...texts, ...values].flatMap(formsOf))]
}

/** Not every place that runs JavaScript has one. */
function environment(): Env {
  return (globalThis as { process?: { env?: Env } }).process?.env ?? {}
}

function formsOf(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1)
  const twice = JSON.stringify(escaped).slice(1, -1)
  return [secret, escaped, twice, encodeURIComponent(secret.toWellFormed())]
}

/** `tokensOf()`: an expression cut into numbers, names and signs, each with its place. */

export type Token = {
  kind: 'number' | 'name' | 'sign' | 'end'
  text: string
  /** Position of its first character. */
  at: number
  /** A space stands before it. */
  spaced: boolean
}

/** What is wrong with an expression, and where. */
export class Problem {
  readonly at: number
  readonly what: string
  constructor(at: number, what: string) {
    this.at = at
    this.what = what
  }
}

/** Models write these as people do. */
const otherSigns = new Map([
  ['−', '-'],
  ['–', '-'],
  ['×', '*'],
  ['·', '*'],
  ['⋅', '*'],
  ['÷', '/'],
  ['**', '^'],
  ['π', 'pi'],
])

const space = /[\s\u00a0\u202f]+/y
const name = /[a-z_][a-z_0-9]*|π/iy
const sign = /\*\*|[-+*/%^(),−–×·⋅÷]/y
const exponent = '(?:e[-+−]?\\d+)?'
const plain = new RegExp(`(?:\\d+(?:_\\d+)*(?:\\.\\d*)?|\\.\\d+)${exponent}`, 'iy')
/** 1,234,567.89, also 12,34,567 as in India; with narrow spaces in place of the commas, too. */
const grouped = new RegExp(
  `\\d{1,3}(?:(?:,\\d{2,3})*,\\d{3}|(?:[\\u00a0\\u202f]\\d{3})+)(?![\\d,])(?:\\.\\d*)?${exponent}`,
  'iy',
)

/** Among the arguments of a function a comma stands between two of them. @throws Problem */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  const isCall: boolean[] = []
  let at = 0
  const take = (form: RegExp) => {
    form.lastIndex = at
    return form.exec(text)?.[0]
  }
  for (;;) {
    const gap = take(space)?.length ?? 0
    at += gap
    const place = { at, spaced: gap > 0 }
    if (at >= text.length) return [...tokens, { kind: 'end', text: 'the end', ...place }]
    const kinds: [Token['kind'], string | undefined][] = [
      ['number', (isCall.at(-1) ? undefined : take(grouped)) ?? take(plain)],
      ['name', take(name)],
      ['sign', take(sign)],
    ]
    const [kind, found] = kinds.find(([, each]) => each !== undefined) ?? []
    if (kind === undefined || found === undefined) throw new Problem(at, unknown(text, at))
    if (found === '(') isCall.push(tokens.at(-1)?.kind === 'name')
    if (found === ')') isCall.pop()
    tokens.push({ kind, text: kind === 'number' ? digitsOf(found) : (otherSigns.get(found) ?? found), ...place })
    at += found.length
  }
}

function digitsOf(number: string): string {
  return number.replace(/[,_\u00a0\u202f]/g, '').replace('−', '-')
}

function unknown(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
  return `${JSON.stringify(character)} means nothing here. Write numbers, + - * / % ^, parentheses and function names only, without units and currencies`
}

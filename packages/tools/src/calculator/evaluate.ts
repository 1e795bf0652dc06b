/** `evaluate()`: the value of an expression, by recursive descent; nothing of it is ever run as code. */
import { functions } from './functions.ts'
import { constants, maxExponent, Num } from './numbers.ts'
import { Problem, type Token, tokensOf } from './tokens.ts'

/** Parentheses, functions and signs inside one another, at most. */
const maxDepth = 100

/**
 * From loose to tight: `+ -`; `* / %`; a sign in front; `^`, from the right; `%` behind a number (a hundredth).
 * @throws Problem
 */
export function evaluate(text: string): Num {
  return new Reader(tokensOf(text)).whole()
}

class Reader {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Num {
    const value = this.#sum()
    const { kind, text, at } = this.#token
    if (kind === 'end') return value
    if (text === ')') throw new Problem(at, 'this ")" closes nothing')
    if (text === ',')
      throw new Problem(at, 'a comma stands only between the arguments of a function; a decimal point is "."')
    throw new Problem(at, 'an operator is missing before it; a product needs "*"')
  }

  get #token(): Token {
    return this.#tokens[this.#next]!
  }

  #take(...signs: string[]): Token | undefined {
    const token = this.#token
    if (token.kind !== 'sign' || !signs.includes(token.text)) return undefined
    this.#next += 1
    return token
  }

  #sum(): Num {
    let value = this.#product()
    for (let sign = this.#take('+', '-'); sign; sign = this.#take('+', '-')) {
      const right = this.#product()
      value = checked(sign, sign.text === '+' ? value.plus(right) : value.minus(right))
    }
    return value
  }

  #product(): Num {
    let value = this.#signed()
    for (let sign = this.#take('*', '/', '%'); sign; sign = this.#take('*', '/', '%')) {
      const right = this.#signed()
      value = multiplied(sign, value, right)
    }
    return value
  }

  #signed(): Num {
    const sign = this.#take('-', '+')
    if (!sign) return this.#power()
    const value = this.#inside(sign, () => this.#signed())
    return sign.text === '-' ? value.neg() : value
  }

  #power(): Num {
    const base = this.#percent()
    const sign = this.#take('^')
    if (!sign) return base
    const exponent = this.#inside(sign, () => this.#signed())
    if (base.isNegative() && !exponent.isInteger())
      throw new Problem(sign.at, 'a negative number has no power that is no whole number')
    if (base.isZero() && exponent.isNegative()) throw new Problem(sign.at, 'zero has no negative power')
    return checked(sign, base.pow(exponent), base.isZero())
  }

  /** With a number, a name or "(" behind it, "%" is the remainder. */
  #percent(): Num {
    const value = this.#primary()
    const { text, at, spaced } = this.#token
    const behind = this.#tokens[this.#next + 1]
    if (text !== '%' || behind?.kind === 'number' || behind?.kind === 'name' || behind?.text === '(') return value
    if (spaced && (behind?.text === '-' || behind?.text === '+'))
      throw new Problem(
        at,
        'this may be a remainder or a percentage. Write "7 % (-3)" for the one, "7% - 3" for the other',
      )
    this.#next += 1
    return value.div(100)
  }

  #primary(): Num {
    const token = this.#token
    if (token.kind === 'number') {
      this.#next += 1
      return checked(token, new Num(token.text), !/[1-9]/.test(token.text.split(/e/i)[0]!))
    }
    if (token.kind === 'name') return this.#named(token)
    const open = this.#take('(')
    if (!open) throw new Problem(token.at, 'a number, a name or "(" belongs here')
    const value = this.#inside(open, () => this.#sum())
    this.#close(open)
    return value
  }

  #named(token: Token): Num {
    this.#next += 1
    const name = token.text.toLowerCase()
    if (Object.hasOwn(constants, name)) return constants[name]!
    if (!Object.hasOwn(functions, name)) throw new Problem(token.at, `this name is not known. There are ${known}`)
    const open = this.#take('(')
    if (!open) throw new Problem(token.at, `${name} is a function: write ${name}(…)`)
    const args = [this.#inside(open, () => this.#sum())]
    while (this.#take(',')) args.push(this.#inside(open, () => this.#sum()))
    this.#close(open)
    return applied(token, name, args)
  }

  #close(open: Token): void {
    if (!this.#take(')')) throw new Problem(this.#token.at, `")" is missing here, for the "(" at ${open.at + 1}`)
  }

  #inside(token: Token, read: () => Num): Num {
    this.#depth += 1
    if (this.#depth > maxDepth)
      throw new Problem(token.at, `this is more than ${maxDepth} levels deep; calculate a part first`)
    const value = read()
    this.#depth -= 1
    return value
  }
}

const known = [...Object.keys(constants), ...Object.keys(functions).map((name) => `${name}()`)].join(', ')

function multiplied(sign: Token, left: Num, right: Num): Num {
  if (sign.text === '*') return checked(sign, left.mul(right), left.isZero() || right.isZero())
  if (right.isZero()) throw new Problem(sign.at, 'this divides by zero')
  if (sign.text === '/') return checked(sign, left.div(right), left.isZero())
  // A remainder of numbers whose sizes differ by more than the digits that are kept would be made up.
  if (left.e - right.e > 100) throw new Problem(sign.at, 'the numbers are too different in size for a remainder')
  return left.mod(right)
}

function applied(token: Token, name: string, args: readonly Num[]): Num {
  const { least, most, apply } = functions[name]!
  if (args.length < least || args.length > most) {
    const wanted = least === most ? `${least}` : most >= 1000 ? `${least} or more` : `${least} to ${most}`
    throw new Problem(token.at, `${name} takes ${wanted} arguments, and has ${args.length}`)
  }
  try {
    return checked(token, apply(args), true)
  } catch (problem) {
    if (typeof problem === 'string') throw new Problem(token.at, `${name}: ${problem}`)
    throw problem
  }
}

/** Neither too large nor so small that it became zero. */
function checked({ at }: Token, value: Num, mayBeZero = true): Num {
  if (!value.isFinite()) throw new Problem(at, `the result here is beyond 1e${maxExponent}, which is not calculated`)
  if (value.isZero() && !mayBeZero)
    throw new Problem(at, `the result here is nearer to zero than 1e-${maxExponent}, which is not calculated`)
  return value
}

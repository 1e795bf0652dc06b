/** `calculator`: what it makes of the expressions that models write. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calculator } from '../src/index.ts'
import { resultOf } from './result-of.ts'

const calculate = async (expression: string) => (await resultOf(calculator(), { expression })).text

describe('calculator', () => {
  it.each([
    ['0.1 + 0.2', '0.3'],
    ['1/3*3', '1'],
    ['1/3', '≈ 0.333333333333333333333333333333'],
    ['2/3', '≈ 0.666666666666666666666666666667'],
    ['10 - 2 - 3', '5'],
    ['100 / 10 / 2', '5'],
    ['2 + 3 * 4', '14'],
    ['(2 + 3) * 4', '20'],
    ['2^3^2', '512'],
    ['2**10', '1024'],
    ['-2^2', '-4'],
    ['2^-2', '0.25'],
    ['(-8)^3', '-512'],
    ['--5', '5'],
    ['2 * -3', '-6'],
    ['0^0', '1'],
    ['2^199', '803469022129495137770981046170581301261101496891396417650688'],
    ['1e400', '1e+400'],
    ['.5 + 1.', '1.5'],
    ['1.5e3 - 1E-1', '1499.9'],
    ['sqrt(2)^2', '2'],
    ['abs(-3) + min(4, 2, 3) + max(1,234)', '239'],
    ['sum(1, 2, 3) / mean(1, 2, 3)', '3'],
    ['round(2.5) + round(-2.5)', '0'],
    ['round(2.345, 2)', '2.35'],
    ['round(1250, -2)', '1300'],
    ['floor(-1.5) + ceil(1.2) + trunc(-1.9)', '-1'],
    ['ln(e)', '1'],
    ['log(8, 2) + log2(8) + log10(1000)', '9'],
    ['exp(ln(7))', '7'],
    ['sin(pi)', '0'],
    ['cos(pi / 2)', '0'],
    ['sin(radians(30))', '0.5'],
    ['degrees(asin(1)) + degrees(acos(0)) + degrees(atan(1))', '225'],
    ['tan(radians(45))', '1'],
    ['sin(1)', '≈ 0.84147098480789650665250232163'],
    ['sin(1e-70)', '1e-70'],
    ['asin(1e-9999)', '1e-9999'],
    ['atan(1e-9999)', '1e-9999'],
    ['tan(-1e-9999)', '-1e-9999'],
    ['cos(1e-9999)', '1'],
    ['atan(1e9999) * 2 - pi', '0'],
    ['atan(-1e9999) * 2 + pi', '0'],
    ['max(1, 2) + 1,234', '1236'],
    ['cbrt(27)', '3'],
    ['PI - π', '0'],
  ])('%s is %s', async (expression, value) => {
    expect(await calculate(expression)).toBe(value)
  })

  it.each([
    ['thousands separators', '1,234.56 * 2', '2469.12'],
    ['thousands separators in parentheses', '(1,234) + 1', '1235'],
    ['thousands separators as in India', '12,34,567', '1234567'],
    ['narrow spaces between thousands', '1\u202f234\u00a0567', '1234567'],
    ['underscores', '1_000_000', '1000000'],
    ['other minus signs', '5 − 3 – 1', '1'],
    ['other signs of product and quotient', '6 × 4 ÷ 3 · 2 ⋅ 1', '16'],
    ['line breaks', '1 +\n\t2', '3'],
  ])('takes %s', async (_, expression, value) => {
    expect(await calculate(expression)).toBe(value)
  })

  it.each([
    ['15% * 80', '12'],
    ['200 * (1 + 19%)', '238'],
    ['5% - 3', '-2.95'],
    ['17 % 5', '2'],
    ['-7 % 3', '-1'],
    ['7 % (-3)', '1'],
    ['2 % pi', '2'],
  ])('reads %s as %s: a percentage where no number is behind it', async (expression, value) => {
    expect(await calculate(expression)).toBe(value)
  })

  it.each([
    ['2 + * 3', 'At character 5 (2 + ▸* 3): a number, a name or "(" belongs here.'],
    ['', 'At character 1 (▸): a number, a name or "(" belongs here.'],
    ['2(3)', 'At character 2 (2▸(3)): an operator is missing before it; a product needs "*".'],
    ['1 2', 'At character 3 (1 ▸2): an operator is missing'],
    ['(1 + 2', 'At character 7 ((1 + 2▸): ")" is missing here, for the "(" at 1.'],
    ['1 + 2)', 'this ")" closes nothing'],
    ['12,34', 'a decimal point is "."'],
    ['max(1,)', 'At character 7'],
    ['$5', '"$" means nothing here'],
    ['1 / 0', 'At character 3 (1 ▸/ 0): this divides by zero.'],
    ['1 % 0', 'this divides by zero'],
    ['7 % -3', 'this may be a remainder or a percentage'],
    ['0^-1', 'zero has no negative power'],
    ['(-8)^0.5', 'a negative number has no power that is no whole number'],
    ['sqrt(-1)', 'sqrt: there is no square root of a negative number'],
    ['ln(0)', 'ln: a logarithm takes a number above 0'],
    ['log(2, 1)', 'the base of a logarithm is above 0 and not 1'],
    ['log(2)', 'log takes 2 arguments, and has 1'],
    ['asin(2)', 'asin: it takes a number from -1 to 1'],
    ['tan(pi/2)', 'this angle has no tangent'],
    ['sin(1e16)', 'an angle goes up to 1e15 radians'],
    ['round(1, 0.5)', 'the places to round to are a whole number'],
    ['1e300 % 7', 'too different in size for a remainder'],
    ['abs', 'abs is a function: write abs(…)'],
    ['foo(1)', 'this name is not known. There are pi, e, abs(), sqrt(),'],
    ['constructor(1)', 'this name is not known'],
    ['__proto__', 'this name is not known'],
    ['process.exit(1)', '"." means nothing here'],
    ['process(1)', 'this name is not known'],
  ])('%s is refused, with the place', async (expression, message) => {
    const { text, isError } = await resultOf(calculator(), { expression })
    expect(isError).toBe(true)
    expect(text).toContain('Not calculated.')
    expect(text).toContain(message)
  })

  it.each([
    ['9^9^9^9', 'beyond 1e10000'],
    ['1e20000', 'beyond 1e10000'],
    ['exp(1e9)', 'beyond 1e10000'],
    ['10^-20000', 'nearer to zero than 1e-10000'],
    ['1e-20000', 'nearer to zero than 1e-10000'],
    ['1e-9999 * 1e-9999', 'nearer to zero than 1e-10000'],
    ['1e-9999 / 1e9999', 'nearer to zero than 1e-10000'],
  ])('%s ends at once', async (expression, message) => {
    expect(await calculate(expression)).toContain(message)
  })

  it.each([
    ['(', 400, 'more than 100 levels deep'],
    ['-', 400, 'more than 100 levels deep'],
    ['2^', 400, 'more than 100 levels deep'],
    ['abs(', 200, 'more than 100 levels deep'],
    ['1+', 600, '1000 are the most'],
  ])('%s many times over ends at once', async (piece, count, message) => {
    expect(await calculate(piece.repeat(count))).toContain(message)
  })

  it('may be long where it is not deep', async () => {
    expect(await calculate(`${'(1)+'.repeat(200)}1`)).toBe('201')
  })

  it('agrees with whole numbers of any size in its range', async () => {
    const number = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n })
    const sample = fc.sample(fc.tuple(number, number), { numRuns: 50, seed: 7 })
    for (const [a, b] of sample) expect(await calculate(`(${a}) * (${b}) - (${b})`)).toBe(String(a * b - b))
  })

  it('is pure, and its fake is itself', async () => {
    const tool = calculator()
    expect(tool.effect).toBe('pure')
    expect(tool.fake).toBe(tool.execute)
  })
})

/** The functions that an expression can call. */
import { constants, Num } from './numbers.ts'

/** `apply` throws a text that says what is wrong with the numbers. */
export type NumberFunction = { least: number; most: number; apply: (args: readonly Num[]) => Num }

export const functions: { readonly [name: string]: NumberFunction } = {
  abs: one((x) => x.abs()),
  sqrt: one((x) => (x.isNegative() && !x.isZero() ? refuse('there is no square root of a negative number') : x.sqrt())),
  cbrt: one((x) => x.cbrt()),
  exp: one((x) => x.exp()),
  ln: one((x) => logarithm(x, Num.exp(1))),
  log10: one((x) => logarithm(x, new Num(10))),
  log2: one((x) => logarithm(x, new Num(2))),
  log: { least: 2, most: 2, apply: ([x, base]) => logarithm(x!, base!) },
  sin: one(sine),
  cos: one(cosine),
  tan: one((x) => (cosine(x).isZero() ? refuse('this angle has no tangent') : sine(x).div(cosine(x)))),
  asin: one((x) => (isTiny(x) ? x : unit(x).asin())),
  acos: one((x) => unit(x).acos()),
  atan: one(arctangent),
  radians: one((x) => x.mul(constants.pi!).div(180)),
  degrees: one((x) => x.mul(180).div(constants.pi!)),
  floor: one((x) => x.floor()),
  ceil: one((x) => x.ceil()),
  trunc: one((x) => x.trunc()),
  round: { least: 1, most: 2, apply: ([x, places]) => round(x!, places) },
  min: some((args) => Num.min(...args)),
  max: some((args) => Num.max(...args)),
  sum: some((args) => Num.sum(...args)),
  mean: some((args) => Num.sum(...args).div(args.length)),
}

/** @throws a text */
export function refuse(problem: string): never {
  throw problem
}

function one(apply: (x: Num) => Num): NumberFunction {
  return { least: 1, most: 1, apply: ([x]) => apply(x!) }
}

function some(apply: (args: readonly Num[]) => Num): NumberFunction {
  return { least: 1, most: 1000, apply }
}

function logarithm(x: Num, base: Num): Num {
  if (x.lte(0)) refuse('a logarithm takes a number above 0')
  if (base.lte(0) || base.eq(1)) refuse('the base of a logarithm is above 0 and not 1')
  return x.log(base)
}

/** Its sine, tangent and their inverses are itself, to more digits than there are, and its cosine is 1; decimal.js does not end there. */
function isTiny(x: Num): boolean {
  return x.abs().lt('1e-50')
}

/** Of a huge number it is a quarter turn, to more digits than there are; there, too, decimal.js does not end. */
function arctangent(x: Num): Num {
  if (x.abs().gt('1e100')) return constants.pi!.div(x.isNegative() ? -2 : 2)
  return isTiny(x) ? x : x.atan()
}

/** Pi has no end: what its missing digits leave of a zero is none. */
function sine(x: Num): Num {
  return isTiny(x) ? x : withoutRest(x, angle(x).sin())
}

function cosine(x: Num): Num {
  return isTiny(x) ? new Num(1) : withoutRest(x, angle(x).cos())
}

function withoutRest(x: Num, value: Num): Num {
  return x.abs().gt(1) && value.abs().lt('1e-60') ? new Num(0) : value
}

/** Of a larger angle the digits behind the point would be needed, and they are not there. */
function angle(x: Num): Num {
  return x.abs().gt(1e15) ? refuse('an angle goes up to 1e15 radians') : x
}

function unit(x: Num): Num {
  return x.abs().gt(1) ? refuse('it takes a number from -1 to 1') : x
}

/** Halves go away from zero; negative places round to tens and hundreds. */
function round(x: Num, places = new Num(0)): Num {
  if (!places.isInteger() || places.abs().gt(100)) refuse('the places to round to are a whole number from -100 to 100')
  const shift = new Num(10).pow(places)
  return x.mul(shift).round().div(shift)
}

/** The numbers that are calculated with: decimals with bounds, so that no expression takes long. */
import { Decimal } from 'decimal.js'

/** Digits of every step. What is shown has fewer, so that errors in the last ones are not seen. */
const digits = 80
/** A number with more than these is one that has no end, or is as good as one. */
const exactDigits = 60
/** Powers of ten; beyond them a number is refused. */
export const maxExponent = 10_000

/** A constructor of its own, because decimal.js keeps its settings there. */
export const Num = Decimal.clone({
  precision: digits,
  rounding: Decimal.ROUND_HALF_UP,
  maxE: maxExponent,
  minE: -maxExponent,
  toExpPos: 40,
  toExpNeg: -20,
})
export type Num = Decimal

export const constants: { readonly [name: string]: Num } = {
  pi: Num.acos(-1),
  e: Num.exp(1),
}

/** In full when its digits end, else 30 digits behind "≈". */
export function shown(value: Num): string {
  const near = value.toSignificantDigits(digits - 5)
  if (near.precision() > exactDigits) return `≈ ${value.toSignificantDigits(30)}`
  return near.isInteger() && near.e < exactDigits ? near.toFixed() : near.toString()
}

/** `headOf()`: the beginning of a text, which never ends in half a character. */

/** At most `chars` UTF-16 units of `text`; one less where a surrogate pair would be cut in two. */
export function headOf(text: string, chars: number): string {
  const splits = isHigh(text.charCodeAt(chars - 1)) && isLow(text.charCodeAt(chars))
  return text.slice(0, splits ? chars - 1 : chars)
}

export function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

export function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

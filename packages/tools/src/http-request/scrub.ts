/** `scrubber` takes the secrets of the program's headers out of what a server sends back. */
import { hideSecrets } from '../guard/secrets.ts'

/** Shorter ones are words like `json`, and would be found everywhere. */
const minLength = 6

export function scrubber(values: readonly string[]): (text: string) => string {
  const secrets = values.flatMap((value) => [value, ...partsOf(value)])
  return hideSecrets([...new Set(secrets.filter((secret) => secret.trim().length >= minLength))])
}

/** `Bearer abc` holds `abc`, `Basic …` a name and a password, a cookie or a list its values. */
function partsOf(value: string): string[] {
  const [scheme = '', ...rest] = value.trim().split(/\s+/)
  if (rest.length === 0) return [value.trim(), ...value.split('=').slice(1)]
  const token = rest.join(' ')
  if (scheme.toLowerCase() !== 'basic') return [token, ...token.split(/[\s;,]+|=/)]
  const plain = Buffer.from(token, 'base64').toString()
  return [token, plain, plain.slice(plain.indexOf(':') + 1)]
}

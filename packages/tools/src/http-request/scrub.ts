/** `scrubber` takes the program's secrets out of what a server sends back, in the forms in which servers echo them. */

/** Shorter ones are words like `json`, and would be found everywhere. */
const minLength = 6

export function scrubber(values: readonly string[]): (text: string) => string {
  const secrets = values.flatMap((value) => [value, ...partsOf(value)]).filter((secret) => secret.length >= minLength)
  // The longest first: one may stand in another.
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return (text) => forms.reduce((left, form) => left.replaceAll(form, '[secret]'), text)
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

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64, bytes.toString('base64url')]
}

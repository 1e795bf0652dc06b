/** JSON of unknown shape, read without trust in it. */

export type Fields = { [field: string]: unknown }

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Of what is no object: none. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}

/** An empty one is none. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

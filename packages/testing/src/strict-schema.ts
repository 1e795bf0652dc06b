/** Schemas that providers refuse. */

const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']

/** The first thing wrong with a JSON Schema, with its path, or undefined. */
export function checkSchema(schema: unknown, root: unknown, path: string): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isRecord(schema)) return `${path} is no schema`
  const { type, properties, required, items, $ref, enum: values } = schema
  const named = type === undefined ? [] : Array.isArray(type) ? type : [type]
  const unknown = named.find((name) => !types.includes(String(name)))
  if (unknown !== undefined) return `${path}: ${JSON.stringify(unknown)} is not a valid type`
  if (properties !== undefined && !isRecord(properties)) return `${path}.properties is no object`
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === 'string')))
    return `${path}.required is no list of names`
  if (values !== undefined && !(Array.isArray(values) && values.length > 0)) return `${path}.enum is empty`
  if (typeof $ref === 'string' && !resolves(root, $ref)) return `${path}: $ref "${$ref}" leads nowhere`
  if (named.includes('array') && items === undefined && !('prefixItems' in schema))
    return `${path}: array schema missing items`
  const inside: [string, unknown][] = [
    ...Object.entries(isRecord(properties) ? properties : {}),
    ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((key) =>
      Array.isArray(schema[key])
        ? (schema[key] as unknown[]).map((child, at): [string, unknown] => [`${key}[${at}]`, child])
        : [],
    ),
    ...(items === undefined || Array.isArray(items) ? [] : [['items', items] as [string, unknown]]),
    ...['$defs', 'definitions'].flatMap((key) => Object.entries(isRecord(schema[key]) ? schema[key] : {})),
  ]
  for (const [step, child] of inside) {
    const problem = checkSchema(child, root, `${path}.${step}`)
    if (problem) return problem
  }
  return undefined
}

function resolves(root: unknown, reference: string): boolean {
  if (!reference.startsWith('#')) return false
  let at = root
  for (const step of reference.split('/').slice(1)) {
    const key = decodePercent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false
    at = (at as { [key: string]: unknown })[key]
  }
  return true
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

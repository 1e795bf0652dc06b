/** JSON Schema as plain data: what can be sent, and how to walk it. */
import { DefinitionError } from './errors.ts'
import type { JsonSchema } from './json.ts'

const schemaMaps = ['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas']
const schemaLists = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const schemaValues = [
  'items',
  'additionalProperties',
  'additionalItems',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
]

/**
 * Tool input and structured output are objects for every provider.
 * @throws DefinitionError when the root is something else.
 */
export function requireObject(schema: JsonSchema, where: string): JsonSchema {
  if (schema.type === 'object') return schema
  if (isEmpty(schema)) return { type: 'object', properties: {} }
  if (schema.type === undefined && isObjectShaped(schema, schema)) return { type: 'object', ...schema }
  const is =
    schema.type === undefined
      ? `has the keys ${Object.keys(schema).join(', ')}`
      : `is of type ${JSON.stringify(schema.type)}`
  throw new DefinitionError(
    `${where}: the schema must describe an object, but its root ${is}. Wrap it: z.object({ value: … }).`,
  )
}

function isObjectShaped(schema: unknown, root: JsonSchema): boolean {
  if (!isRecord(schema)) return false
  if (schema.type !== undefined) return schema.type === 'object'
  if (isRecord(schema.properties)) return true
  if (typeof schema.$ref === 'string' && schema.$ref !== '#') return isObjectShaped(resolve(root, schema.$ref), root)
  const branches = schema.oneOf ?? schema.anyOf ?? schema.allOf
  if (!Array.isArray(branches)) return false
  return schema.oneOf || schema.anyOf
    ? branches.every((branch) => isObjectShaped(branch, root))
    : branches.some((branch) => isObjectShaped(branch, root))
}

/**
 * A schema written by hand goes out as it is, but for `$schema`.
 * @throws DefinitionError when it is no object schema, cannot be JSON, or has a `$ref` that leads nowhere.
 */
export function checkPlainSchema(schema: JsonSchema, where: string): JsonSchema {
  if (!isRecord(schema))
    throw new DefinitionError(`${where}: the schema is ${JSON.stringify(schema)}; JSON Schema is an object.`)
  let copy: JsonSchema
  try {
    copy = JSON.parse(JSON.stringify(schema)) as JsonSchema
  } catch (error) {
    throw new DefinitionError(`${where}: the schema is no JSON: ${(error as Error).message}`, { cause: error })
  }
  delete copy.$schema
  for (const reference of referencesIn(copy)) {
    if (resolve(copy, reference) === undefined) {
      throw new DefinitionError(
        `${where}: $ref "${reference}" leads nowhere. Only references into the schema itself ("#/$defs/…") can be sent.`,
      )
    }
  }
  return requireObject(copy, where)
}

/**
 * The form that strict mode asks for: closed objects with every property required.
 * @throws DefinitionError naming the first optional property.
 */
export function strictForm(schema: JsonSchema, where: string, path: string[] = []): JsonSchema {
  const result = mapSubschemas(schema, (child, step) => strictForm(child, where, [...path, step]))
  if (!isRecord(result.properties)) return result
  const required = Array.isArray(result.required) ? result.required : []
  const optional = Object.keys(result.properties).find((name) => !required.includes(name))
  if (optional !== undefined) {
    const name = [...path, optional].join('.')
    throw notStrict(name, where)
  }
  return { ...result, additionalProperties: false }
}

/** What is told of the first property that strict mode cannot leave out. */
export function notStrict(name: string, where: string): DefinitionError {
  return new DefinitionError(
    `${where}: strict needs every property required, but "${name}" is optional. Make it .nullable(), or drop strict.`,
  )
}

export function mapSubschemas(schema: JsonSchema, change: (child: JsonSchema, step: string) => JsonSchema): JsonSchema {
  const result: JsonSchema = { ...schema }
  for (const key of schemaMaps) {
    const map = result[key]
    if (!isRecord(map)) continue
    result[key] = Object.fromEntries(
      Object.entries(map).map(([name, child]) => [name, isRecord(child) ? change(child, name) : child]),
    )
  }
  for (const key of [...schemaLists, ...schemaValues]) {
    const value = result[key]
    if (Array.isArray(value))
      result[key] = value.map((child, index) => (isRecord(child) ? change(child, `[${index}]`) : child))
    else if (isRecord(value)) result[key] = change(value, `[${key}]`)
  }
  return result
}

function* referencesIn(schema: JsonSchema): Generator<string> {
  const found: string[] = []
  const visit = (child: JsonSchema): JsonSchema => {
    if (typeof child.$ref === 'string') found.push(child.$ref)
    return mapSubschemas(child, visit)
  }
  visit(schema)
  yield* found
}

function resolve(root: JsonSchema, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined
  let at: unknown = root
  for (const key of fromPointer(reference)) {
    at =
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as { [key: string]: unknown })[key]
        : undefined
  }
  return at
}

/** The steps of a JSON Pointer in a URI fragment. */
export function fromPointer(pointer: string): string[] {
  const steps = pointer.split('/').slice(1)
  return steps.map((step) => decodePercent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The reverse; the first step is `#`. */
export function toPointer(steps: readonly string[]): string {
  return steps
    .map((step, index) => (index === 0 ? step : encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))))
    .join('/')
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

export function hasOnly(value: unknown, key: string, expected: string): boolean {
  return isRecord(value) && value[key] === expected && Object.keys(value).length === 1
}

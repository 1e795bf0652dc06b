/** JSON Schema as plain data: checks and clean-up before it is sent. */
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
 * Takes out what converters add and nobody wrote, so that the same tool in zod 3 and zod 4 gives equal parameters:
 * `$schema`, the safe-integer bounds of `int()`, an `additionalProperties` that allows all, string-only `propertyNames`,
 * the pattern that repeats a `format`, `additionalItems: false` of closed tuples. Validation is local and keeps it all.
 */
export function normalise(schema: JsonSchema): JsonSchema {
  const result = mapSubschemas(schema, normalise)
  delete result.$schema
  if (result.type === 'integer') {
    if (result.minimum === Number.MIN_SAFE_INTEGER) delete result.minimum
    if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum
  }
  if (result.additionalProperties === true || isEmpty(result.additionalProperties)) delete result.additionalProperties
  if (hasOnly(result.propertyNames, 'type', 'string')) delete result.propertyNames
  if (
    result.format !== undefined &&
    result.format !== 'regex' &&
    'pattern' in result &&
    knownFormats.has(String(result.format))
  ) {
    delete result.pattern
  }
  if (result.additionalItems === false && Array.isArray(result.items) && result.maxItems === result.items.length) {
    delete result.additionalItems
  }
  return collapseNullable(result)
}

const knownFormats = new Set(['email', 'uuid', 'date-time', 'date', 'time', 'duration', 'uri'])

/** `anyOf: [{type: T}, {type: 'null'}]` and `type: [T, 'null']` say the same; zod 4 writes the one, zod 3 the other. */
function collapseNullable(schema: JsonSchema): JsonSchema {
  const options = schema.anyOf
  if (!Array.isArray(options) || options.length !== 2 || !hasOnly(options[1], 'type', 'null')) return schema
  const first = options[0] as JsonSchema
  if (typeof first.type !== 'string' || Object.keys(first).length !== 1) return schema
  const { anyOf: _, ...rest } = schema
  return { ...rest, type: [first.type, 'null'] }
}

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
    throw new DefinitionError(
      `${where}: strict needs every property required, but "${name}" is optional. Make it .nullable(), or drop strict.`,
    )
  }
  return { ...result, additionalProperties: false }
}

function mapSubschemas(schema: JsonSchema, change: (child: JsonSchema, step: string) => JsonSchema): JsonSchema {
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
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    at =
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as { [key: string]: unknown })[key]
        : undefined
  }
  return at
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

function hasOnly(value: unknown, key: string, expected: string): boolean {
  return isRecord(value) && value[key] === expected && Object.keys(value).length === 1
}

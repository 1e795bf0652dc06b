/** One way to say each thing in a converted JSON Schema. */
import type { JsonSchema } from './json.ts'
import { hasOnly, isEmpty, isRecord, mapSubschemas } from './schema-json.ts'

/**
 * Takes out what converters add and nobody wrote, and says in one way what they say in several, so that the same tool in
 * zod 3 and zod 4 gives equal parameters. Validation is local and keeps every rule; this is what the model reads.
 */
export function normalise(schema: JsonSchema): JsonSchema {
  const result = mapSubschemas(schema, normalise)
  delete result.$schema
  delete result.readOnly
  if (result.type === 'integer') {
    // The bounds of int() are those of the number type.
    if (result.minimum === Number.MIN_SAFE_INTEGER) delete result.minimum
    if (result.maximum === Number.MAX_SAFE_INTEGER) delete result.maximum
  }
  if (result.additionalProperties === true || isEmpty(result.additionalProperties)) delete result.additionalProperties
  if (hasOnly(result.propertyNames, 'type', 'string')) delete result.propertyNames
  if (result.additionalItems === false && Array.isArray(result.items) && result.maxItems === result.items.length) {
    delete result.additionalItems
  }
  return mergeObjects(collapseUnion(cleanFormat(result)))
}

const standardFormats = new Set(['email', 'uuid', 'date-time', 'date', 'time', 'duration', 'uri'])
const madeUpFormats = new Set(['starts_with', 'ends_with', 'includes', 'lowercase', 'uppercase'])

/** A pattern that repeats a standard format says nothing new; a format that only one library knows is said by its pattern. */
function cleanFormat(schema: JsonSchema): JsonSchema {
  const { format, pattern, ...rest } = schema
  if (typeof format !== 'string' || typeof pattern !== 'string') return schema
  if (standardFormats.has(format)) return { ...rest, format }
  if (madeUpFormats.has(format)) return { ...rest, pattern: pattern.replace(/^\.\*|\.\*$/g, '') }
  return schema
}

const scalars = ['string', 'number', 'integer', 'boolean']

/** One of several constants is an `enum`; a scalar or null is a scalar of two types; unions told apart by a constant are `anyOf`. */
function collapseUnion(schema: JsonSchema): JsonSchema {
  const { anyOf, oneOf, ...rest } = schema
  const options = (anyOf ?? oneOf) as JsonSchema[] | undefined
  if (!Array.isArray(options) || (anyOf && oneOf) || !options.every(isRecord)) return schema
  if (options.every((option) => Object.keys(option).length === 2 && 'const' in option && 'type' in option)) {
    const types = [...new Set(options.map((option) => option.type))]
    return { ...rest, type: types.length === 1 ? types[0] : types, enum: options.map((option) => option.const) }
  }
  const [first, second] = options
  if (
    options.length === 2 &&
    first &&
    hasOnly(second, 'type', 'null') &&
    scalars.includes(String(first.type)) &&
    !('enum' in first) &&
    !('const' in first)
  ) {
    return { ...first, ...rest, type: [first.type, 'null'] }
  }
  return { ...rest, anyOf: options }
}

/** An intersection of plain objects is an object. */
function mergeObjects(schema: JsonSchema): JsonSchema {
  const { allOf, ...rest } = schema
  const plain = (part: unknown): part is JsonSchema =>
    isRecord(part) &&
    part.type === 'object' &&
    Object.keys(part).every((key) => ['type', 'properties', 'required'].includes(key))
  if (!Array.isArray(allOf) || rest.properties || !allOf.every(plain)) return schema
  const names = allOf.flatMap((part) => Object.keys(part.properties ?? {}))
  if (new Set(names).size < names.length) return schema
  const required = allOf.flatMap((part) => (part.required as string[] | undefined) ?? [])
  const properties = Object.assign({}, ...allOf.map((part) => part.properties))
  return { ...rest, type: 'object', properties, ...(required.length > 0 && { required }) }
}

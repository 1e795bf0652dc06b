/** What a zod schema (3 or 4) holds that JSON Schema has no word for, found without loading zod. */

/** 4, 3, or undefined when it is no zod schema. zod 4 keeps its internals under `_zod`, zod 3 under `_def` alone. */
export function zodVersion(schema: object): 3 | 4 | undefined {
  if ('_zod' in schema) return 4
  return '_def' in schema ? 3 : undefined
}

const advice: { [type: string]: string } = {
  date: 'use a string such as z.iso.datetime() and convert it in the tool',
  bigint: 'use z.int() or a string',
  map: 'use z.record()',
  set: 'use z.array()',
  symbol: 'use z.string()',
  undefined: 'use .optional()',
  void: 'leave it out',
  nan: 'use z.number()',
  function: 'a model cannot send a function',
  transform: 'begin with a schema that has a JSON form: z.string().transform(…)',
  custom: 'describe the JSON form with another schema and convert it with .transform()',
}

type Definition = { [key: string]: unknown }

/** One sentence that names path and type of the first part that cannot be sent, or undefined. */
export function findUnsendable(schema: unknown): string | undefined {
  const root = rootTypes(schema).find((type) => !objectTypes.has(type))
  if (root !== undefined) {
    return `the schema must describe an object, but its root is z.${root}(). Wrap it: z.object({ value: … }).`
  }
  return search(schema, [], new Set())
}

const objectTypes = new Set(['object', 'record', 'any', 'unknown'])

/** What the root is, without its wrappers; the options of a union, the sides of an intersection. */
function rootTypes(schema: unknown, depth = 0): string[] {
  const definition = definitionOf(schema)
  if (!definition || depth > 20) return []
  const isWrapper =
    /^(union|discriminatedunion|intersection|optional|nullable|default|prefault|nonoptional|readonly|catch|branded|effects|pipe|pipeline|lazy|promise)$/
  const type = typeOf(definition)
  if (!isWrapper.test(type)) return [type]
  return [...childrenOf(definition)].flatMap(([, child]) => rootTypes(child, depth + 1))
}

/** The path of the first property that may be left out, for schemas whose JSON form is not known yet. */
export function findOptional(schema: unknown, path: string[] = [], seen = new Set<unknown>()): string | undefined {
  const definition = definitionOf(schema)
  if (!definition || seen.has(schema)) return undefined
  seen.add(schema)
  if (path.length > 0 && /^(optional|default|prefault)$/.test(typeOf(definition))) return path.join('.')
  for (const [step, child] of childrenOf(definition)) {
    const found = findOptional(child, step === undefined ? path : [...path, step], seen)
    if (found) return found
  }
  return undefined
}

function search(schema: unknown, path: string[], seen: Set<unknown>): string | undefined {
  const definition = definitionOf(schema)
  if (!definition || seen.has(schema)) return undefined
  seen.add(schema)
  const type = typeOf(definition)
  if (Object.hasOwn(advice, type)) {
    return `"${path.join('.') || '(root)'}" is z.${type}(), which JSON Schema cannot express; ${advice[type]}.`
  }
  const constants = [definition.value, definition.values].flat()
  if (type === 'literal' && constants.some((value) => typeof value === 'bigint')) {
    return `"${path.join('.') || '(root)'}" is the literal of a BigInt, which JSON Schema cannot express; ${advice.bigint}.`
  }
  for (const [step, child] of childrenOf(definition)) {
    const found = search(child, step === undefined ? path : [...path, step], seen)
    if (found) return found
  }
  return undefined
}

function definitionOf(schema: unknown): Definition | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { _zod, _def } = schema as { _zod?: { def?: Definition }; _def?: Definition }
  return _zod?.def ?? _def
}

function typeOf(definition: Definition): string {
  const name = definition.typeName
  return typeof name === 'string' ? name.replace(/^Zod/, '').toLowerCase() : String(definition.type)
}

/** The parts of both versions' definitions that are schemas, on the input side. */
function* childrenOf(definition: Definition): Generator<[step: string | undefined, child: unknown]> {
  const shape = typeof definition.shape === 'function' ? definition.shape() : definition.shape
  for (const [key, child] of Object.entries((shape ?? {}) as object)) yield [key, child]
  for (const key of ['element', 'rest', 'keyType', 'valueType', 'catchall'] as const)
    yield [`[${key}]`, definition[key]]
  if (typeof definition.type === 'object') yield ['[element]', definition.type]
  for (const key of ['items', 'options'] as const) {
    const list = definition[key]
    if (Array.isArray(list)) for (const [index, child] of list.entries()) yield [`[${index}]`, child]
  }
  for (const key of ['innerType', 'left', 'right', 'schema'] as const) yield [undefined, definition[key]]
  if (definition.in) {
    // z.preprocess is a pipe that starts with a transform: its JSON form is that of the other end.
    const from = definitionOf(definition.in)
    yield [undefined, from && typeOf(from) === 'transform' ? definition.out : definition.in]
  }
  if (typeof definition.getter === 'function') yield [undefined, definition.getter()]
}

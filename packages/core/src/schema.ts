/**
 * One face for every schema that a user may bring: zod 4, zod 3, any Standard Schema that can tell its JSON Schema
 * (arktype, …), or plain JSON Schema. `compileSchema` gives the JSON Schema to send (input side, draft-07) and a validator.
 */
import { DefinitionError } from './errors.ts'
import type { JsonSchema } from './json.ts'
import { checkPlainSchema, fromPointer, requireObject, toPointer } from './schema-json.ts'
import { normalise } from './schema-normalise.ts'
import { findUnsendable, zodVersion } from './schema-zod.ts'
import { describeError } from './tool-result.ts'

/** The parts of Standard Schema 1.1 (standardschema.dev) that Clew reads. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly jsonSchema?: { readonly input: (options: { target: 'draft-07' }) => JsonSchema }
  }
}
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] }
type Issue = {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type SchemaLike = StandardSchema | JsonSchema

/** What a validated value is. A plain JSON Schema says nothing to the compiler. */
export type InferOutput<Schema> = Schema extends { '~standard': { types?: { output: infer Output } | undefined } }
  ? Output
  : { [key: string]: unknown }

export type Validated = { ok: true; value: unknown } | { ok: false; problems: string }

export type CompiledSchema = {
  /** What is sent; a function for schemas whose converter is loaded on first use (zod 3 and early zod 4). */
  readonly json: JsonSchema | (() => Promise<JsonSchema>)
  /** Never throws. `problems` names path, expectation and value of each, for the model to read. */
  validate(value: unknown): Promise<Validated>
}

/**
 * `where` begins the message of every error, for example `Tool "weather"`.
 * @throws DefinitionError when the schema cannot be sent, naming the path and what to write instead.
 */
export function compileSchema(schema: SchemaLike, where: string): CompiledSchema {
  if (schema === null || (typeof schema !== 'object' && typeof schema !== 'function')) {
    throw new DefinitionError(
      `${where}: the schema is ${String(schema)}; give a zod schema, a Standard Schema or JSON Schema.`,
    )
  }
  if ('~standard' in schema) return compileStandard(schema as StandardSchema, where)
  if (zodVersion(schema)) {
    throw new DefinitionError(`${where}: this zod is too old to validate with; install zod 3.25 or newer.`)
  }
  const json = checkPlainSchema(schema as JsonSchema, where)
  return { json, validate: (value) => validatePlain(json, value) }
}

function compileStandard(schema: StandardSchema, where: string): CompiledSchema {
  const version = zodVersion(schema)
  const unsendable = version ? findUnsendable(schema) : undefined
  if (unsendable) throw new DefinitionError(`${where}: ${unsendable}`)
  return { json: converter(schema, version, where), validate: (value) => validateStandard(schema, value) }
}

function converter(schema: StandardSchema, version: 3 | 4 | undefined, where: string): CompiledSchema['json'] {
  const finish = (json: unknown) => requireObject(normalise(json as JsonSchema), where)
  const own = schema['~standard'].jsonSchema
  if (own) {
    let json: JsonSchema
    try {
      json = own.input({ target: 'draft-07' })
    } catch (error) {
      throw new DefinitionError(`${where}: the schema has no JSON form: ${describeError(error)}`, { cause: error })
    }
    return finish(json)
  }
  if (!version) {
    throw new DefinitionError(
      `${where}: a schema of "${schema['~standard'].vendor}" validates but cannot tell its JSON Schema. ` +
        "Wrap it with that library's Standard JSON Schema converter, or use zod.",
    )
  }
  let converted: Promise<JsonSchema> | undefined
  return () => {
    converted ??= (version === 4 ? convertZod4(schema) : convertZod3(schema)).then(finish)
    return converted
  }
}

async function convertZod4(schema: unknown): Promise<unknown> {
  const { toJSONSchema } = await import('zod/v4/core')
  return toJSONSchema(schema as Parameters<typeof toJSONSchema>[0], { io: 'input', target: 'draft-7' })
}

async function convertZod3(schema: unknown): Promise<unknown> {
  const { ignoreOverride, parseDef, zodToJsonSchema } = await import('zod-to-json-schema')
  return zodToJsonSchema(schema as Parameters<typeof zodToJsonSchema>[0], {
    // additionalProperties false only where the schema itself is strict.
    removeAdditionalStrategy: 'strict',
    pipeStrategy: 'input',
    // A schema used twice is written twice, as in zod 4; only a recursive one is referred to.
    override(definition, references, seen, isForced) {
      if (isForced || !seen) return ignoreOverride
      return seen.jsonSchema ? parseDef(definition, references, true) : { $ref: toPointer(seen.path) }
    },
    postProcess: (json, definition) => repairZod3(json as JsonSchema | undefined, definition),
  })
}

/** What the converter loses: the description inside a nullable, and that null is no object. */
function repairZod3(json: JsonSchema | undefined, definition: unknown): JsonSchema | undefined {
  const { typeName, value, innerType } = definition as {
    typeName?: string
    value?: unknown
    innerType?: { description?: string }
  }
  if (typeName === 'ZodLiteral' && value === null) return { type: 'null', const: null }
  if (typeName === 'ZodNullable' && json && innerType?.description && Array.isArray(json.type)) {
    return { ...json, description: json.description ?? innerType.description }
  }
  return json
}

async function validateStandard(schema: StandardSchema, value: unknown): Promise<Validated> {
  try {
    const result = await schema['~standard'].validate(value)
    if (!result.issues) return { ok: true, value: result.value }
    return { ok: false, problems: firstOf(result.issues.map((issue) => describeIssue(issue, value))) }
  } catch (error) {
    return { ok: false, problems: `the schema's own check failed: ${describeError(error)}` }
  }
}

async function validatePlain(schema: JsonSchema, value: unknown): Promise<Validated> {
  try {
    const { Validator } = await import('@cfworker/json-schema')
    const { valid, errors } = new Validator(schema, draftOf(schema), false).validate(value)
    if (valid) return { ok: true, value }
    // The validator reports each error again at every level above it; the deepest ones say what to change.
    const leaves = errors
      .slice(0, 500)
      .filter(
        (error) =>
          !errors.some((other) => other !== error && other.keywordLocation.startsWith(`${error.keywordLocation}/`)),
      )
    const lines = leaves.map((error) => describeProblem(fromPointer(error.instanceLocation), error.error, value))
    return { ok: false, problems: firstOf([...new Set(lines)]) }
  } catch (error) {
    return { ok: false, problems: `the tool's schema could not be applied: ${describeError(error)}` }
  }
}

function draftOf(schema: JsonSchema): '7' | '2020-12' {
  return /"(prefixItems|dependentSchemas|unevaluated\w+|\$defs)"/.test(JSON.stringify(schema)) ? '2020-12' : '7'
}

/** `days.0: Expected number (got "three")` */
export function describeIssue({ message, path = [] }: Issue, value: unknown): string {
  return describeProblem(
    path.map((step) => (typeof step === 'object' ? step.key : step)),
    message,
    value,
  )
}

/** A list that is wrong everywhere needs no thousand lines. */
function firstOf(lines: string[], most = 20): string {
  const rest = lines.length - most
  return rest > 0 ? `${lines.slice(0, most).join('\n')}\n… and ${rest} more` : lines.join('\n')
}

function describeProblem(path: readonly PropertyKey[], message: string, value: unknown): string {
  let found: unknown = value
  for (const key of path) {
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? (found as never)[key] : undefined
  }
  const got = found === undefined ? 'nothing' : JSON.stringify(found)
  const short = got.length > 120 ? `${got.slice(0, 120)}…` : got
  return `${path.length ? path.map(String).join('.') : '(the whole input)'}: ${message} (got ${short})`
}

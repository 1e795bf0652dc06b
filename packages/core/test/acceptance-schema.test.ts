/** Acceptance rows on schemas, and the schemas and calls of `../shared/cases`. */
import { type } from 'arktype'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { readCases } from '../../../test/shared.ts'
import {
  Agent,
  type AgentInput,
  isClewError,
  type JsonSchema,
  type ToolOptions,
  type ToolSpec,
  tool,
} from '../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../src/testing/index.ts'

type Input = NonNullable<ToolOptions<never, unknown>['input']>
const both = [
  ['zod 4', z],
  ['zod 3', z3 as unknown as typeof z],
] as const

/** The tool as the model sees it. */
async function specOf(input: unknown, options: { strict?: boolean } = {}): Promise<ToolSpec> {
  const model = scriptedModel(['End.'])
  await new Agent({ name: 'a', model, tools: [tool({ name: 't', input: input as Input, ...options })] }).run('Go.')
  return model.requests[0]!.tools[0]!
}
const wire = async (input: unknown) => (await specOf(input)).parameters

/** Each `$ref` of a schema, and whether it leads somewhere. */
function references(schema: unknown, root = schema): boolean[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own = (schema as JsonSchema).$ref
  const unescaped = (step: string) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  const at = (path: string) =>
    path
      .split('/')
      .slice(1)
      .reduce<unknown>((node, step) => (node as JsonSchema | undefined)?.[unescaped(step)], root)
  const found = typeof own === 'string' ? [own.startsWith('#') && typeof at(own) === 'object'] : []
  return [...found, ...Object.values(schema).flatMap((child) => references(child, root))]
}

describe('parameters', () => {
  const rich = (zod: typeof z) =>
    zod.object({
      city: zod.string().min(1).max(80).describe('City and country'),
      mail: zod.string().email().optional(),
      days: zod.number().int().min(1).default(3),
      unit: zod.enum(['c', 'f']).describe('Unit'),
      note: zod.string().nullable(),
      tags: zod.array(zod.string()).max(5),
      where: zod.object({ lat: zod.number(), lon: zod.number() }).describe('Place').optional(),
      either: zod.union([zod.string(), zod.number()]),
      prices: zod.record(zod.string(), zod.number()),
      pair: zod.tuple([zod.string(), zod.number()]),
      flag: zod.boolean().optional().describe('On or off'),
    })

  it('P049: are equal for the same tool in zod 3 and zod 4', async () => {
    const [four, three] = [await wire(rich(z)), await wire(rich(z3 as unknown as typeof z))]
    expect(four).toMatchObject({
      type: 'object',
      properties: {
        city: { type: 'string', minLength: 1, maxLength: 80, description: 'City and country' },
        days: { type: 'integer', default: 3 },
        where: { type: 'object', required: ['lat', 'lon'], description: 'Place' },
        pair: { type: 'array' },
      },
      required: ['city', 'unit', 'note', 'tags', 'either', 'prices', 'pair'],
    })
    expect(three).toEqual(four)
  })

  const parts: [string, (zod: typeof z) => z.ZodType][] = [
    ['nullable text', (zod) => zod.string().nullable()],
    ['nullable with bounds', (zod) => zod.string().min(1).nullable()],
    ['nullable with a description inside', (zod) => zod.string().describe('d').nullable()],
    ['nullable object', (zod) => zod.object({ a: zod.string() }).nullable()],
    ['format', (zod) => zod.string().url()],
    ['date and time', (zod) => zod.string().datetime()],
    ['pattern', (zod) => zod.string().regex(/^a+$/)],
    ['start', (zod) => zod.string().startsWith('a')],
    ['bounds', (zod) => zod.number().int().positive().max(10)],
    ['multiple', (zod) => zod.number().multipleOf(5)],
    ['literal', (zod) => zod.literal(1)],
    ['literal null', (zod) => zod.literal(null)],
    ['native enum', (zod) => zod.nativeEnum({ A: 'a', B: 'b' })],
    ['strict object', (zod) => zod.object({ a: zod.string() }).strict()],
    ['open object', (zod) => zod.object({ a: zod.string() }).passthrough()],
    ['partial object', (zod) => zod.object({ a: zod.string() }).partial()],
    ['list with an end', (zod) => zod.array(zod.array(zod.number()).length(2)).nonempty()],
    ['default', (zod) => zod.array(zod.string()).default([])],
    ['union of literals', (zod) => zod.union([zod.literal('a'), zod.literal('b')])],
    ['union of objects', (zod) => zod.union([zod.object({ a: zod.string() }), zod.object({ b: zod.number() })])],
    [
      'discriminated union',
      (zod) => zod.discriminatedUnion('k', [zod.object({ k: zod.literal('a') }), zod.object({ k: zod.literal('b') })]),
    ],
    ['intersection', (zod) => zod.intersection(zod.object({ a: zod.string() }), zod.object({ b: zod.number() }))],
    ['tuple with a rest', (zod) => zod.tuple([zod.string()]).rest(zod.number())],
    [
      'schema used twice',
      (zod) => {
        const place = zod.object({ lat: zod.number() })
        return zod.object({ from: place, to: place })
      },
    ],
  ]
  it.each(parts)('P049: are equal in zod 3 and zod 4 for: %s', async (_, part) => {
    const [four, three] = [
      await wire(z.object({ part: part(z) })),
      await wire(z3.object({ part: part(z3 as unknown as typeof z) as never })),
    ]
    expect(four.type).toBe('object')
    expect(three).toEqual(four)
  })

  it.each(both)(
    'P052: of a schema used twice have references that resolve, whatever the names (%s)',
    async (_, zod) => {
      const place = zod.object({ lat: zod.number() })
      const parameters = await wire(zod.object({ 'from/at~': place, to: place }))
      expect(references(parameters)).not.toContain(false)
      expect(JSON.stringify(parameters)).toContain('lat')
    },
  )

  it.each(both)('P052: of a recursive schema have references that resolve (%s)', async (_, zod) => {
    type Tree = { name: string; children: Tree[] }
    const tree: z.ZodType<Tree> = zod.lazy(() => zod.object({ name: zod.string(), children: zod.array(tree) }))
    for (const input of [tree, zod.object({ root: tree }), zod.object({ a: tree, b: zod.array(tree) })]) {
      const parameters = await wire(input)
      expect(parameters.type).toBe('object')
      const found = references(parameters)
      expect(found.length).toBeGreaterThan(0)
      expect(found).toEqual(found.map(() => true))
      expect(JSON.stringify(parameters)).not.toContain('"items":{}')
    }
  })

  it.each(both)('P053: of a record and a catchall keep the schema of the values (%s)', async (_, zod) => {
    expect(await wire(zod.object({ prices: zod.record(zod.string(), zod.number()) }))).toMatchObject({
      properties: { prices: { type: 'object', additionalProperties: { type: 'number' } } },
    })
    expect(await wire(zod.object({ a: zod.string() }).catchall(zod.number()))).toMatchObject({
      additionalProperties: { type: 'number' },
    })
  })

  it.each(both)(
    'P054: a union or tuple with a member that cannot be sent is refused with its path (%s)',
    async (_, zod) => {
      const union = () =>
        tool({ name: 't', input: zod.object({ when: zod.union([zod.string(), zod.number(), zod.date()]) }) as never })
      expect(union).toThrow(/"when\.\[2\]".*date/)
      const tuple = () =>
        tool({ name: 't', input: zod.object({ at: zod.tuple([zod.string(), zod.bigint()]) }) as never })
      expect(tuple).toThrow(/"at\.\[1\]".*bigint/)
      const deep = zod.object({ list: zod.array(zod.object({ when: zod.date().optional() })) })
      expect(() => tool({ name: 't', input: deep as never })).toThrow(/"list\..*when".*date/)
    },
  )

  it.each(both)('P054: all members of a union and a tuple are sent (%s)', async (_, zod) => {
    const parameters = await wire(
      zod.object({
        u: zod.union([zod.string(), zod.number(), zod.object({ a: zod.boolean() })]),
        t: zod.tuple([zod.string(), zod.number()]),
      }),
    )
    const { u, t } = parameters.properties as { u: JsonSchema; t: JsonSchema }
    const text = JSON.stringify(u)
    for (const member of ['string', 'number', 'boolean']) expect(text).toContain(member)
    expect(t.items ?? t.prefixItems).toEqual([{ type: 'string' }, { type: 'number' }])
  })

  it.each(both)(
    'P055: of an enum hold type, values and description, also when optional or nullable (%s)',
    async (_, zod) => {
      const unit = () => zod.enum(['c', 'f']).describe('Unit')
      const parameters = await wire(
        zod.object({
          plain: unit(),
          optional: unit().optional(),
          late: zod.enum(['c', 'f']).optional().describe('Unit'),
          nullable: zod.enum(['c', 'f']).nullable().describe('Unit'),
        }),
      )
      const { plain, optional, late, nullable } = parameters.properties as { [name: string]: JsonSchema }
      for (const each of [plain, optional, late])
        expect(each).toEqual({ type: 'string', enum: ['c', 'f'], description: 'Unit' })
      expect(nullable!.description).toBe('Unit')
      const text = JSON.stringify(nullable)
      for (const part of ['"enum":["c","f"', '"string"', 'null']) expect(text).toContain(part)
      expect(parameters.required).toEqual(['plain', 'nullable'])
    },
  )

  it('P056: strict refuses an optional field when the tool is defined, and names it', () => {
    const define = (input: unknown) => () => tool({ name: 't', strict: true, input: input as Input })
    expect(define(z.object({ a: z.string(), b: z.object({ c: z.string().optional() }) }))).toThrow(
      /"b\.c" is optional.*nullable/,
    )
    expect(define({ type: 'object', properties: { a: { type: 'string' } } })).toThrow(/"a" is optional/)
    expect(define(z3.object({ a: z3.object({ b: z3.string().optional() }) }))).toThrow(/"a\.b" is optional.*nullable/)
    expect(define(z3.object({ a: z3.number().default(3) }))).toThrow(/"a" is optional/)
    expect(define(z3.object({ a: z3.string().nullable() }))).not.toThrow()
  })

  it.each(both)('P056: strict sends closed objects with all fields required (%s)', async (_, zod) => {
    const spec = await specOf(
      zod.object({ a: zod.string().nullable(), b: zod.array(zod.object({ c: zod.number() })) }),
      { strict: true },
    )
    expect(spec.strict).toBe(true)
    expect(spec.parameters).toMatchObject({
      required: ['a', 'b'],
      additionalProperties: false,
      properties: { b: { items: { required: ['c'], additionalProperties: false } } },
    })
  })

  it('P058: of a tool without a schema are an empty object', async () => {
    expect(await wire(undefined)).toEqual({ type: 'object', properties: {} })
    expect(await wire({})).toEqual({ type: 'object', properties: {} })
    expect(await wire(z.object({}))).toEqual({ type: 'object', properties: {} })
    expect(await wire(z3.object({}))).toEqual({ type: 'object', properties: {} })
  })

  it.each(both)('P059: show the input side; the tool gets the output side, parsed once (%s)', async (_, zod) => {
    let parsed = 0
    const ran: unknown[] = []
    const input = zod.object({
      n: zod.string().transform((text) => {
        parsed++
        return Number(text) + 1
      }),
      days: zod.number().default(3),
    })
    const model = scriptedModel([{ calls: [{ name: 't', arguments: { n: '4' } }] }, 'End.'])
    await new Agent({
      name: 'a',
      model,
      tools: [tool({ name: 't', input, execute: (given) => void ran.push(given) })],
    }).run('Go.')
    expect(model.requests[0]!.tools[0]!.parameters).toEqual({
      type: 'object',
      properties: { n: { type: 'string' }, days: { type: 'number', default: 3 } },
      required: ['n'],
    })
    expect(ran).toEqual([{ n: 5, days: 3 }])
    expect(parsed).toBe(1)
  })

  it('P059: of a zod 4 that cannot tell its JSON Schema itself show the input side, too', async () => {
    const input = z.object({ n: z.string().transform(Number), days: z.number().default(3) })
    const { jsonSchema: _jsonSchema, ...standard } = input['~standard']
    expect(_jsonSchema).toBeDefined()
    const older = Object.create(input, { '~standard': { value: standard } })
    expect(await wire(older)).toEqual(await wire(input))
  })

  it.each(both)('P059: show the first side of a pipe (%s)', async (_, zod) => {
    const input = zod.object({
      n: zod
        .string()
        .transform((text) => text.length)
        .pipe(zod.number()),
    })
    expect(await wire(input)).toEqual({ type: 'object', properties: { n: { type: 'string' } }, required: ['n'] })
  })

  it.each(both)('P059: an output schema is sent by its input side, and its answer parsed once (%s)', async (_, zod) => {
    let parsed = 0
    const output = zod.object({
      n: zod.string().transform((text) => {
        parsed++
        return Number(text) + 1
      }),
    })
    const model = scriptedModel(['{"n":"4"}'])
    const result = await new Agent({ name: 'a', model, output }).run('Go.')
    expect(model.requests[0]!.output).toMatchObject({ type: 'object', properties: { n: { type: 'string' } } })
    expect(result).toMatchObject({ status: 'done', output: { n: 5 } })
    expect(parsed).toBe(1)
  })

  const unsendable = (zod: typeof z) =>
    [
      ['date', zod.date()],
      ['bigint', zod.bigint()],
      ['map', zod.map(zod.string(), zod.number())],
      ['set', zod.set(zod.string())],
    ] as const
  it.each(both)('P060: what JSON Schema has no word for fails at the definition, with its path (%s)', (_, zod) => {
    for (const [name, schema] of unsendable(zod)) {
      const define = () => tool({ name: 'plan', input: zod.object({ trip: zod.object({ when: schema }) }) as never })
      expect(define).toThrow(expect.toSatisfy((error) => isClewError(error, 'definition')))
      expect(define).toThrow(new RegExp(`"plan".*"trip\\.when".*${name}`))
    }
  })

  it('P061: hold no $schema', async () => {
    const draft = 'http://json-schema.org/draft-07/schema#'
    for (const input of [
      rich(z),
      rich(z3 as unknown as typeof z),
      type({ city: 'string' }),
      { $schema: draft, type: 'object', properties: {} },
    ]) {
      const parameters = await wire(input)
      expect(parameters.type).toBe('object')
      expect(JSON.stringify(parameters)).not.toContain('$schema')
    }
  })

  it('P061: may have a property that is named $schema', async () => {
    expect(await wire({ type: 'object', properties: { $schema: { type: 'string' } } })).toEqual({
      type: 'object',
      properties: { $schema: { type: 'string' } },
    })
  })
})

describe('the final answer', () => {
  const output = z.object({ year: z.number() })
  const play = async (...script: ScriptedReply[]) => {
    const model = scriptedModel(script)
    const result = await new Agent({ name: 'a', model, output }).run('When?')
    return { model, result }
  }

  it.each([
    '{"year":1999}',
    '```json\n{"year":1999}\n```',
    '```\n{"year":1999}\n```',
    ' \n{"year": 1999}\n',
    'Here it is:\n```json\n{"year":1999}\n```\nGlad to help.',
  ])('P064: is read without another request from %j', async (text) => {
    const { model, result } = await play(text)
    expect(result).toMatchObject({ status: 'done', output: { year: 1999 }, text })
    expect(model.requests).toHaveLength(1)
  })

  it.each([
    ['prose', 'It was 1999.', /not JSON/],
    ['of another shape', '{"year":"1999"}', /year.*number/s],
    ['empty', '', /empty/],
  ])('P064: is asked for once more when it is %s, with what is wrong', async (_, text, problem) => {
    const { model, result } = await play(text, '{"year":1999}')
    expect(result).toMatchObject({ status: 'done', output: { year: 1999 } })
    expect(model.requests[1]!.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: text },
      { role: 'user', content: expect.stringMatching(problem) },
    ])
  })

  it('P064: ends as output-invalid with the text when it does not fit the second time either', async () => {
    const { model, result } = await play('It was 1999.', 'I said 1999!', '{"year":1999}')
    expect(result).toMatchObject({ status: 'stopped', stop: 'output-invalid', text: 'I said 1999!' })
    expect(result.output).toBeUndefined()
    expect(model.requests).toHaveLength(2)
  })
})

type Mcp = { id: string; tool: { name: string; description?: string; inputSchema: JsonSchema } }
const mcp = readCases<Mcp>('mcp-tool-schemas')

describe.skipIf(mcp.length === 0)('mcp-tool-schemas', () => {
  it.each(mcp.map((each) => [each.id, each] as const))(
    '%s',
    async (_, { tool: { name, description, inputSchema } }) => {
      const ran: unknown[] = []
      const options = { name, ...(description !== undefined && { description }), input: inputSchema }
      const model = scriptedModel([{ calls: [{ name, arguments: {} }] }, 'End.'])
      const result = await new Agent({
        name: 'a',
        model,
        tools: [tool({ ...options, execute: (given) => void ran.push(given) })],
      }).run('Go.')
      const { $schema: _root, ...expected } = inputSchema
      expect(model.requests[0]!.tools).toEqual([
        { name, ...(description !== undefined && { description }), parameters: expected },
      ])
      expect(references(model.requests[0]!.tools[0]!.parameters)).not.toContain(false)
      const answer = result.state.messages.find((message) => message.role === 'tool')!
      const [required] = (inputSchema.required ?? []) as string[]
      if (required === undefined) {
        expect(ran).toEqual([{}])
        expect(answer.isError).toBeUndefined()
      } else {
        expect(ran).toEqual([])
        expect(answer).toMatchObject({ isError: true, content: expect.stringContaining(required) })
      }
    },
  )
})

type Bfcl = {
  id: string
  messages: AgentInput
  tools: { function: { name: string; description: string; parameters: JsonSchema } }[]
  calls: { name: string; arguments: { [key: string]: unknown } }[]
}
const bfcl = readCases<Bfcl>('bfcl-calls')
/** Some names of the set have dots, which no provider takes. */
const legal = (name: string) => name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)

const text = (call: Bfcl['calls'][number]) => JSON.stringify(call)

/** Plays these calls in one turn and tells what ran, in order, and what the model read. */
async function playCalls({ messages, tools }: Bfcl, calls: Bfcl['calls']) {
  const ran: Bfcl['calls'] = []
  const model = scriptedModel([{ calls: calls.map((call) => ({ ...call, name: legal(call.name) })) }, 'End.'])
  const made = tools.map(({ function: { name, description, parameters } }) => {
    const execute = (given: { [key: string]: unknown }) => void ran.push({ name, arguments: given })
    return tool({ name: legal(name), description, input: parameters, effect: 'pure', execute })
  })
  const result = await new Agent({ name: 'a', model, tools: made }).run(messages, { allowSystemMessages: true })
  const results = result.state.messages.filter((message) => message.role === 'tool')
  return { ran, results, specs: model.requests[0]!.tools }
}

describe.skipIf(bfcl.length === 0)('bfcl-calls', () => {
  it.each(bfcl.map((each) => [each.id, each] as const))('%s', async (_, each) => {
    const { ran, results, specs } = await playCalls(each, each.calls)
    expect(specs.map((spec) => spec.parameters)).toEqual(each.tools.map((given) => given.function.parameters))
    // Calls of a turn run side by side; it is their results that stand in the order asked.
    expect(ran.map(text).toSorted()).toEqual(each.calls.map(text).toSorted())
    expect(results.map((message) => message.name)).toEqual(each.calls.map(({ name }) => legal(name)))
    expect(results.map((message) => message.isError)).toEqual(each.calls.map(() => undefined))
  })

  const schemaOf = ({ tools }: Bfcl, name: string) =>
    tools.find((given) => given.function.name === name)!.function.parameters
  const withRequired = bfcl.flatMap((each) => {
    const [call] = each.calls
    const required = ((schemaOf(each, call!.name).required ?? []) as string[]).find((name) =>
      Object.hasOwn(call!.arguments, name),
    )
    return required === undefined ? [] : [[each.id, required, each, call!] as const]
  })

  it.each(withRequired)('%s without %s', async (_, required, each, call) => {
    const { [required]: _dropped, ...rest } = call.arguments
    const { ran, results } = await playCalls(each, [{ ...call, arguments: rest }])
    expect(ran).toEqual([])
    expect(results).toMatchObject([{ isError: true, content: expect.stringContaining(required) }])
  })

  it.each(withRequired)('%s with %s of a wrong type', async (_, required, each, call) => {
    const properties = schemaOf(each, call.name).properties as { [name: string]: JsonSchema }
    if (properties[required]!.type === undefined) return
    const wrong = properties[required]!.type === 'object' ? 'no object' : { no: 'such thing' }
    const { ran, results } = await playCalls(each, [{ ...call, arguments: { ...call.arguments, [required]: wrong } }])
    expect(ran).toEqual([])
    expect(results).toMatchObject([{ isError: true, content: expect.stringContaining(required) }])
  })
})

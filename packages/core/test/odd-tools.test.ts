/** Tools that return, throw and do odd things: the run goes on, and the model reads what happened. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { Agent, type Content, DefinitionError, tool } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

async function resultOf(
  execute: (...given: never[]) => unknown,
  extra: object = {},
): Promise<{ content: Content; isError?: true }> {
  const model = scriptedModel([{ calls: [{ name: 'odd' }] }, 'The end.'])
  const odd = tool({ name: 'odd', execute, ...extra } as never)
  const result = await new Agent({ name: 'a', model, tools: [odd] }).run('go')
  expect(result).toMatchObject({ status: 'done', text: 'The end.' })
  return model.requests[1]!.messages.at(-1) as { content: Content; isError?: true }
}

const cycle: { [key: string]: unknown } = { name: 'loop' }
cycle.self = cycle

const many = Array.from({ length: 10_001 }, (_, n) => n)

class Point {
  x = 1
  get broken(): number {
    throw new Error('no')
  }
}

describe('what a tool returns', () => {
  it.each<[string, unknown, Content]>([
    ['nothing', undefined, 'Done. The tool returned nothing.'],
    ['null', null, 'null'],
    ['a text', 'plain', 'plain'],
    ['an empty text', '', ''],
    ['a number', 42, '42'],
    ['NaN', Number.NaN, 'NaN'],
    ['a BigInt', 12345678901234567890n, '12345678901234567890'],
    ['a BigInt inside', { n: 1n }, '{"n":"1"}'],
    ['a cycle', cycle, '{"name":"loop","self":"[circular]"}'],
    ['the same object twice', [cycle.name, cycle.name], '["loop","loop"]'],
    ['a Map', new Map([['a', 1]]), '{"a":1}'],
    ['a Set', new Set([1, 2]), '[1,2]'],
    ['an iterator', new Map([['a', 1]]).values(), '[1]'],
    [
      'domain data that looks like parts',
      [{ type: 'video', url: '/v/1', title: 'A cat' }],
      '[{"type":"video","url":"/v/1","title":"A cat"}]',
    ],
    ['a boxed text', Object('abc'), 'abc'],
    ['a Set of 10,001', new Set(many), JSON.stringify(many)],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid Date', new Date(Number.NaN), 'null'],
    ['an Error', new Error('as a value'), 'Error: as a value'],
    ['a function', function helper() {}, '[function helper]'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['bytes', new Uint8Array(3), '[3 bytes]'],
    ['a getter that throws', new Point(), '{"x":1}'],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('never')
        },
      },
      '[unreadable value: never]',
    ],
    ['an object with content alone', { content: 'mine' }, '{"content":"mine"}'],
    ['content and view', { content: { a: 1 }, view: 'A' }, '{"a":1}'],
    [
      'an image',
      { type: 'image', url: 'data:image/png;base64,AA' },
      [{ type: 'image', url: 'data:image/png;base64,AA' }],
    ],
    ['something like a part', { type: 'image', url: 7 }, '{"type":"image","url":7}'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['a key __proto__', JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
  ])('%s', async (_, value, content) => {
    const result = await resultOf(() => value)
    expect(result.content).toEqual(content)
    expect(result.isError).toBeUndefined()
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  it('10 MB of text are cut, and the model is told how much there was', async () => {
    const { content } = await resultOf(() => 'x'.repeat(10_000_000))
    expect(content).toHaveLength(
      50_000 + '\n[Cut: the first 50,000 of 10,000,000 characters. Ask for less, or for one part.]'.length,
    )
    expect(content).toContain('of 10,000,000 characters')
  })

  it('many parts are cut together, with one note', async () => {
    const parts = Array.from({ length: 100 }, () => ({ type: 'text', text: 'x'.repeat(50) }))
    const { content } = await resultOf(() => [...parts, { type: 'image', url: 'data:,' }], { maxResultChars: 120 })
    expect(content).toEqual([
      { type: 'text', text: 'x'.repeat(50) },
      { type: 'text', text: 'x'.repeat(50) },
      { type: 'text', text: 'x'.repeat(20) },
      { type: 'image', url: 'data:,' },
      { type: 'text', text: '[Cut: the first 120 of 5,000 characters. Ask for less, or for one part.]' },
    ])
  })

  it('an object nested 100,000 deep', async () => {
    let deep: object = {}
    for (let n = 0; n < 100_000; n++) deep = { deep }
    expect((await resultOf(() => deep)).content).toMatch(/^\[unreadable value: /)
  })
})

describe('what a tool throws', () => {
  it.each<[string, unknown, RegExp]>([
    ['an Error', new TypeError('bad type'), /^Tool "odd" failed: bad type$/],
    ['an Error without a message', new RangeError(), /failed: RangeError$/],
    ['a text', 'just so', /failed: just so$/],
    ['nothing', undefined, /failed: unknown error/],
    ['null', null, /failed: null$/],
    ['an object', { code: 7 }, /failed: \{"code":7\}$/],
    ['an object with a message', { message: 'told' }, /failed: told$/],
    ['an object without a prototype', Object.create(null), /failed: \{\}$/],
  ])('%s', async (_, thrown, content) => {
    const result = await resultOf(() => {
      throw thrown
    })
    expect(result).toMatchObject({ isError: true, content: expect.stringMatching(content) })
  })

  it('a rejected promise, an error in a generator, an error in a check of the schema', async () => {
    expect((await resultOf(() => Promise.reject(new Error('later')))).content).toContain('later')
    const generator = async function* () {
      yield 1
      throw new Error('half way')
    }
    expect((await resultOf(generator)).content).toContain('half way')
    for (const thrown of [new Error('check'), Object.create(null)]) {
      const input = z.object({
        a: z
          .string()
          .default('x')
          .refine(() => {
            throw thrown
          }),
      })
      expect(await resultOf(() => 'never', { input })).toMatchObject({
        isError: true,
        content: expect.stringContaining('was not run'),
      })
    }
  })
})

describe('progress', () => {
  it('is what a generator yields; what it returns is the result', async () => {
    const model = scriptedModel([{ calls: [{ name: 'steps' }] }, 'ok'])
    const steps = tool({
      name: 'steps',
      async *execute() {
        yield { at: 1 }
        yield cycle
        return 'all done'
      },
    })
    const seen: unknown[] = []
    for await (const event of new Agent({ name: 'a', model, tools: [steps] }).run('go')) {
      if (event.type === 'tool-progress') seen.push(event.data)
      if (event.type === 'tool-end') seen.push(event.content)
    }
    expect(seen).toEqual([{ at: 1 }, { name: 'loop', self: '[circular]' }, 'all done'])
  })
})

describe('definitions that cannot work are refused, by name and reason', () => {
  it.each<[string, object, RegExp]>([
    ['a root of zod 3 that is no object', { name: 't', input: z3.string() }, /its root is z\.string\(\)/],
    ['a transform alone', { name: 't', input: z.object({ a: z.transform(String) }) }, /"a" is z\.transform\(\)/],
    ['the literal of a BigInt', { name: 't', input: z.object({ a: z.literal(1n) }) }, /"a" is the literal of a BigInt/],
    ['the word of another framework', { name: 't', parameters: {} }, /no option "parameters". Write input/],
    ['no name', {}, /Tool undefined: a tool's name has 1 to 64 letters/],
    ['an illegal name', { name: 'read file!' }, /Try "read_file_"/],
    ['a reserved name', { name: 'auto' }, /means something else in toolChoice/],
    ['a name of 65 characters', { name: 'x'.repeat(65) }, /1 to 64/],
    [
      'a root that is no object',
      { name: 't', input: z.string() },
      /Tool "t": the schema must describe an object, but its root is z\.string\(\)/,
    ],
    [
      'a date',
      { name: 't', input: z.object({ when: z.array(z.object({ at: z.date() })) }) },
      /"when\.\[element\]\.at" is z\.date\(\).*z\.iso\.datetime/,
    ],
    ['no schema at all', { name: 't', input: 'city' }, /the schema is city; give a zod schema/],
    [
      'a reference that leads nowhere',
      { name: 't', input: { type: 'object', properties: { a: { $ref: '#/$defs/b' } } } },
      /\$ref "#\/\$defs\/b" leads nowhere/,
    ],
    ['a timeout of 0', { name: 't', timeoutMs: 0 }, /timeoutMs is 0/],
    ['an unknown effect', { name: 't', effect: 'maybe' }, /effect is "maybe"/],
    ['no function', { name: 't', execute: 'run' }, /execute is no function/],
  ])('%s', (_, options, message) => {
    expect(() => tool(options as never)).toThrow(message)
    expect(() => tool(options as never)).toThrow(DefinitionError)
  })

  const model = scriptedModel([])
  const t = tool({ name: 't' })
  it.each<[string, object, RegExp]>([
    ['no name', { model }, /an agent needs a name/],
    [
      'a model by its name alone',
      { name: 'a', model: 'qwen' },
      /model is "qwen", a text; give a model such as openrouter/,
    ],
    ['a text for tools', { name: 'a', model, tools: 'look' }, /tools is no list/],
    ['an object for tools', { name: 'a', model, tools: { look: t } }, /tools is no list/],
    ['a number for tools', { name: 'a', model, tools: 7 }, /tools is no list/],
    ['two tools of one name', { name: 'a', model, tools: [t, t] }, /two tools have the name "t"/],
    ['what is no tool', { name: 'a', model, tools: [{ name: 't' }] }, /tools\[0\] was not made by tool\(\)/],
    [
      'a choice that is no tool',
      { name: 'a', model, tools: [t], toolChoice: 'u' },
      /toolChoice is "u", but the tools are t/,
    ],
    ['an unknown limit', { name: 'a', model, limits: { steps: 3 } }, /limits: there is no option "steps". Write turns/],
    ['a limit that is no number', { name: 'a', model, limits: { usd: '1' } }, /limits\.usd is "1"/],
    ['the word of another framework', { name: 'a', model, system: 'x' }, /no option "system". Write instructions/],
    ['the word of another framework', { name: 'a', model, system: 'x' }, /no option "system". Write instructions/],
    ['no concurrency', { name: 'a', model, concurrency: 0 }, /concurrency is 0/],
  ])('agent: %s', (_, options, message) => {
    expect(() => new Agent(options as never)).toThrow(message)
  })
})

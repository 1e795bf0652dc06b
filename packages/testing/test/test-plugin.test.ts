/** The contract of tool packages: a good plugin keeps to it, and each way of breaking it is seen. */
import {
  DefinitionError,
  definePlugin,
  InputError,
  type PluginHost,
  type Tool,
  type ToolOptions,
  tool,
} from '@clew/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fakes, type TestPluginOptions, testPlugin } from '../src/index.ts'

type Options = ToolOptions<z.ZodType<{ words: string }>, unknown>
const input = z.object({ words: z.string().describe('What to look for') })

/** What a careful author writes, with something changed. */
function wool(change: Partial<Options> | ((host: PluginHost) => Partial<Options>) = {}) {
  return definePlugin({
    name: 'wool',
    capabilities: { hosts: ['wool.example.com'], secrets: ['WOOL_KEY'] },
    tools: (host) => {
      const find = async ({ words }: { words: string }, { signal }: { signal: AbortSignal }) => {
        const url = `https://wool.example.com/?q=${encodeURIComponent(words)}`
        const headers = { authorization: `Bearer ${host.secrets.WOOL_KEY}` }
        const response = await host.fetch(url, { signal, headers })
        if (!response.ok) throw new InputError(`wool.example.com answered with ${response.status}.`)
        const body: unknown = await response.json().catch(() => undefined)
        const found = z.object({ colours: z.array(z.string()) }).safeParse(body)
        if (!found.success) throw new InputError('wool.example.com answered with something else than colours.')
        return found.data.colours
      }
      const made = tool({
        name: 'find_wool',
        description: 'Finds wool by its colour.',
        input,
        effect: 'pure',
        maxResultChars: 2000,
        execute: find,
        fake: ({ words }: { words: string }) => [`${words} wool`],
        ...(typeof change === 'function' ? change(host) : change),
      } as Options)
      return [made as Tool<never>]
    },
  })
}

const options: TestPluginOptions = {
  calls: { find_wool: [{ words: 'red' }] },
  answer: (request) => Response.json({ colours: [new URL(request.url).searchParams.get('q')] }),
}

/** The cases that fail, with what they say. */
async function broken(plugin: ReturnType<typeof wool>, given = options): Promise<string> {
  const said: string[] = []
  for (const { run } of testPlugin(plugin, given)) {
    await run().catch((error: Error) => said.push(error.message))
  }
  return said.join('\n')
}

describe('testPlugin', () => {
  for (const { name, run } of testPlugin(wool(), options)) it(name, run)

  it('shows what the model reads', async () => {
    const seen: string[] = []
    await broken(wool(), { ...options, snapshot: (text, name) => seen.push(`${name}: ${text}`) })
    expect(seen).toEqual(['find_wool({"words":"red"}): ["red"]'])
  })

  it.concurrent.each<[string, Parameters<typeof wool>[0], RegExp]>([
    ['no description', { description: '' }, /Tool "find_wool" has no description/],
    [
      'a description like a book',
      { description: 'wool '.repeat(500) },
      /description of "find_wool" is longer than 1024/,
    ],
    [
      'an input that nobody explains',
      { input: z.object({ words: z.string() }) },
      /its input "words" has no description/,
    ],
    [
      'a schema that leads nowhere',
      { input: { type: 'object', properties: { words: { $ref: '#/nowhere', description: 'x' } } } as never },
      /\$ref "#\/nowhere" leads nowhere/,
    ],
    [
      'a call that fails',
      { execute: () => Promise.reject(new InputError('no')) },
      /find_wool\(\{"words":"red"\}\) failed/,
    ],
    [
      'errors of the language',
      (host) => ({
        execute: async ({ words }) => {
          const response = await host.fetch(`https://wool.example.com/?q=${words}`)
          return ((await response.json()) as { colours: string[] }).colours.join()
        },
      }),
      /it threw (TypeError|SyntaxError).*Throw an InputError/,
    ],
    [
      'its key in an error',
      (host) => ({
        execute: async ({ words }) => {
          const headers = { authorization: `Bearer ${host.secrets.WOOL_KEY}` }
          const response = await host
            .fetch(`https://wool.example.com/?q=${words}`, { headers })
            .catch((error: Error) => {
              throw new InputError(error.message)
            })
          return response.text()
        },
      }),
      /a secret is in its result/,
    ],
    [
      'deaf ears for the signal',
      (host) => ({ execute: async () => (await host.fetch('https://wool.example.com/')).text() }),
      /goes on after its abort/,
    ],
    ['no fake', { fake: undefined as never }, /has no fake/],
    ['a fake that changes', { fake: () => Math.random() }, /says another thing each time/],
    ['a fake that fails', { fake: () => Promise.reject(new InputError('no')) }, /The fake of .* failed/],
    [
      'a fake that reaches out',
      (host) => ({
        fake: async () => {
          await host.fetch('https://wool.example.com/').catch(() => {})
          return 'x'
        },
      }),
      /The fake of .* reached out/,
    ],
  ])(
    'sees %s',
    async (_, change, message) => {
      expect(await broken(wool(change))).toMatch(message)
    },
    30_000,
  )

  it('tells of an assertion that fails in the answer of the test', async () => {
    const answer = () => {
      throw new Error('expected 1 to be 2')
    }
    expect(await broken(wool(), { ...options, answer })).toMatch(/^expected 1 to be 2/m)
  })

  it('asks for a call of each tool', async () => {
    expect(await broken(wool(), { calls: {} })).toMatch(/There is no call of "find_wool" to test/)
  })
})

describe('fakes', () => {
  it('stand in for what tools do, and leave what somebody else answers', async () => {
    const real = tool({ name: 'dice', execute: () => Math.random(), fake: () => 4 })
    const open = tool({ name: 'ask' })
    const [dice, ask] = fakes([real, open])
    expect(await dice!.execute?.({} as never, {} as never)).toBe(4)
    expect(ask).toBe(open)
    expect(() => fakes([tool({ name: 'bare', execute: () => 1 })])).toThrow(DefinitionError)
  })
})

/** The server that the conformance suite asks for: its tools, written as anybody would write tools of ours. */
import { type ContentPart, tool } from '@clew/core'
import { type Caller, type ElicitationAnswer, serveMcp } from '../../src/index.ts'

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='

const image: ContentPart = { type: 'image', url: `data:image/png;base64,${png}` }
const audio: ContentPart = { type: 'audio', data: wav, format: 'wav' }
const file = (name: string, mime: string, text: string): ContentPart => ({
  type: 'file',
  filename: name,
  data: `data:${mime};base64,${Buffer.from(text).toString('base64')}`,
})

const caller: { '~standard': { version: 1; vendor: string; validate: (value: unknown) => { value: Caller } } } = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Caller }) },
}
const options = ['option1', 'option2', 'option3']
const titled = ['value1', 'value2', 'value3'].map((value) => ({ const: value, title: value.toUpperCase() }))
const words = (name: string) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })

const tools = [
  tool({
    name: 'test_simple_text',
    description: 'Of the suite.',
    execute: () => 'This is a simple text response for testing.',
  }),
  tool({ name: 'test_image_content', description: 'Of the suite.', execute: () => image }),
  tool({ name: 'test_audio_content', description: 'Of the suite.', execute: () => audio }),
  tool({
    name: 'test_embedded_resource',
    description: 'Of the suite.',
    execute: () => file('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  }),
  tool({
    name: 'test_multiple_content_types',
    description: 'Of the suite.',
    execute: () => [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      file('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }),
  tool({
    name: 'test_tool_with_logging',
    description: 'Of the suite.',
    context: caller,
    async execute(_, { context }) {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await context.log('info', line)
      }
      return 'Logged.'
    },
  }),
  tool({
    name: 'test_error_handling',
    description: 'Of the suite.',
    execute() {
      throw new Error('This tool intentionally returns an error for testing')
    },
  }),
  tool({
    name: 'test_tool_with_progress',
    description: 'Of the suite.',
    async *execute() {
      for (const progress of [0, 50, 100]) yield { progress, total: 100 }
      return 'Done.'
    },
  }),
  tool({
    name: 'test_sampling',
    description: 'Of the suite.',
    input: words('prompt'),
    context: caller,
    execute: async ({ prompt }, { context }) =>
      `LLM response: ${await context.sample({ prompt: String(prompt), maxTokens: 100 })}`,
  }),
  tool({
    name: 'test_elicitation',
    description: 'Of the suite.',
    input: words('message'),
    context: caller,
    async execute({ message }, { context }) {
      const properties = { username: { type: 'string' }, email: { type: 'string' } }
      const schema = { type: 'object', properties, required: ['username', 'email'] }
      return asked(await context.elicit({ mode: 'form', message: String(message), schema }))
    },
  }),
  asking('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }),
  asking('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  }),
]

function asking(name: string, properties: object) {
  return tool({
    name,
    description: 'Of the suite.',
    context: caller,
    execute: async (_, { context }) =>
      asked(await context.elicit({ mode: 'form', message: 'Fill this in.', schema: { type: 'object', properties } })),
  })
}

function asked({ action, ...rest }: ElicitationAnswer): string {
  return `Elicitation completed: action=${action}, ${JSON.stringify(rest)}`
}

export const service = serveMcp<Caller>({ name: 'conformance', tools, context: (who) => who })

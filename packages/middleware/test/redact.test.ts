/** Secrets go, everything else stays, and it is quick. */
import {
  Agent,
  fatal,
  isClewError,
  type Json,
  memorySession,
  type RunEvent,
  respond,
  type ToolRequest,
  tool,
} from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { redact, redactor } from '../src/index.ts'

const pem = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${'MIIEpAIBAAKCAQEA7x\n'.repeat(5)}-----END RSA PRIVATE KEY-----`
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${'dozjgNryP4J3jVmNHl0w5N'}`
const secrets: [string, string][] = [
  ['OpenAI', `sk-${'a1B2'.repeat(8)}`],
  ['OpenAI project', `sk-proj-${'a1B2-_'.repeat(8)}`],
  ['OpenRouter', `sk-or-v1-${'0123456789abcdef'.repeat(4)}`],
  ['GitHub', `ghp_${'aB3'.repeat(12)}`],
  ['GitHub, fine-grained', `github_pat_${'aB3_'.repeat(12)}`],
  ['AWS', 'AKIAIOSFODNN7EXAMPLE'],
  ['Slack', `xoxb-${'123456789012-'.repeat(2)}abcdef`],
  ['a JWT', jwt],
  ['a private key', pem],
]
const env = { MY_API_KEY: 'hunter2-"quoted"\nsecret', HOME: '/home/ada-lovelace', SHORT_TOKEN: 'abc' }
const clean = redactor({ env })

describe('redactor', () => {
  it.each(secrets)('finds %s: alone, in a sentence, in JSON, in JSON in JSON, behind an escape', (_, secret) => {
    expect(clean.text(secret)).toBe('[redacted]')
    expect(clean.text(`The key is ${secret}, keep it.`)).toBe('The key is [redacted], keep it.')
    const json = JSON.stringify({ text: `one\n${secret}\ntwo` })
    expect(clean.text(json)).toBe('{"text":"one\\n[redacted]\\ntwo"}')
    expect(clean.text(JSON.stringify(json))).not.toContain(secret.slice(10, 30))
    expect(clean.text(`?q=%22${secret}%22`)).toBe('?q=%22[redacted]%22')
  })

  it('finds bearer tokens, and leaves the word', () => {
    expect(clean.text('authorization: Bearer abc123DEF456==')).toBe('authorization: Bearer [redacted]')
    expect(clean.text('"Bearer abcdefghijklmnopqrstuvwx"')).toBe('"Bearer [redacted]"')
  })

  it('finds values of the environment by the name of their variable, in every writing', () => {
    const value = env.MY_API_KEY
    const texts = [value, JSON.stringify(value), JSON.stringify(JSON.stringify(value)), encodeURIComponent(value)]
    for (const text of texts) expect(clean.text(`<${text}>`)).toMatch(/^<[\\"]*\[redacted\][\\"]*>$/)
    expect(clean.text('/home/ada-lovelace abc')).toBe('/home/ada-lovelace abc')
    expect(redactor({ env: false }).text(value)).toBe(value)
  })

  it('reads the environment when a result comes', () => {
    const late = redactor()
    process.env.CLEW_TEST_SECRET = 'set-after-it-was-made'
    expect(late.text('it is set-after-it-was-made!')).toBe('it is [redacted]!')
    delete process.env.CLEW_TEST_SECRET
    expect(late.text('it is set-after-it-was-made!')).toBe('it is set-after-it-was-made!')
  })

  it('finds patterns of yours', () => {
    const own = redactor({ env: false, patterns: [/case-\d+/iy, 'Project X', /x*/], replacement: '###' })
    expect(own.text('Case-17 and case-18 of Project X')).toBe('### and ### of ###')
    expect(() => redactor({ patterns: [''] })).toThrow(/pattern "" is neither/)
    expect(() => redact({ patterns: [5 as never] })).toThrow(/pattern 5 is neither/)
  })

  it.each([
    'task-management-of-a-very-long-project-name and risk-assessment-for-everybody-in-town',
    'sk-learn and sk-short',
    'Bearer authentication is described below.',
    'a key of AKIA and eyJ.eyJ.x',
    'if (text.startsWith("-----BEGIN PRIVATE KEY-----")) return parse(text)',
  ])('leaves %s', (text) => expect(clean.text(text).replace('[redacted]', '-----BEGIN PRIVATE KEY-----')).toBe(text))

  it('takes the lines of a private key that was cut', () => {
    expect(clean.text(`${pem.slice(0, 31)}\n${'A'.repeat(64)}\n${'B'.repeat(64)}\nThe end.`)).not.toMatch(/AAAA|BBBB/)
    expect(clean.text(`-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\nThe end.`)).toBe('[redacted]The end.')
  })

  it('joins what overlaps', () => {
    const own = redactor({ env: false, patterns: ['abc', 'bcd', 'cde'] })
    expect(own.text('xabcdex')).toBe('x[redacted]x')
  })

  it('finds secrets in all texts of a JSON value, keys too', () => {
    const [, key] = secrets[0]!
    const value: Json = { [key]: [key, { a: `x ${key}` }], n: 1, none: null }
    expect(clean.json(value)).toEqual({ '[redacted]': ['[redacted]', { a: 'x [redacted]' }], n: 1, none: null })
  })

  it('finds a secret that is split over parts, and leaves images', () => {
    const [, key] = secrets[2]!
    const image = { type: 'image', url: `data:image/png;base64,${key}` } as const
    const parts = [
      { type: 'text', text: `a ${key.slice(0, 12)}` } as const,
      image,
      { type: 'text', text: key.slice(12, 20) } as const,
      { type: 'text', text: `${key.slice(20)} b` } as const,
      { type: 'image', url: `https://x.test/?key=${key}` } as const,
    ]
    expect(clean.content(parts)).toEqual([
      { type: 'text', text: 'a [redacted]' },
      image,
      { type: 'text', text: '' },
      { type: 'text', text: ' b' },
      { type: 'image', url: 'https://x.test/?key=[redacted]' },
    ])
  })

  const size = 1_000_000
  it.each<[string, string]>([
    ['prose', 'The quick brown fox, {"a": 1, "key": "some\\nvalue"}. '],
    ['one letter', 'a'],
    ['beginnings of keys', ' sk-abc'],
    ['beginnings of keys in a row', 'sk-'],
    ['halves of JWTs', 'eyJaaaaaaaaaa-'],
    ['JWTs without an end', 'eyJaaaaaaaaaa.'],
    ['private keys without an end', '-----BEGIN PRIVATE KEY-----'],
    ['private keys without an end, with lines', `-----BEGIN PRIVATE KEY-----${'A'.repeat(30)} `],
    ['bearers', 'bearer    '],
    ['dashes', '-----BEGIN A A A A A A A A '],
    ['spaces', ' '],
    ['ends', '-----END PRIVATE KEY-----'],
  ])('a megabyte of %s takes no longer than reading it some times', (_, text) => {
    const start = performance.now()
    clean.text(text.repeat(size / text.length))
    // 3 to 40 ms, measured; what reads again and again takes minutes.
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

const [, secret] = secrets[2]!
const script = (...replies: ScriptedReply[]) =>
  scriptedModel([
    {
      text: `Using ${secret}`,
      reasoning: secret,
      reasoningDetails: [{ text: secret }],
      calls: [{ name: 't', arguments: { key: secret } }],
    },
    ...replies,
  ])
const input = { type: 'object', properties: {} } as const
const run = (execute: () => unknown, use = [redact({ env: false })]) => {
  const model = script('ok')
  const session = memorySession()
  const agent = new Agent({ name: 'a', model, use, tools: [tool({ name: 't', input, effect: 'pure', execute })] })
  return { model, session, run: agent.run('go', { session }) }
}

describe('redact', () => {
  it('takes secrets out of content, view and progress, before log, model and readers', async () => {
    const {
      model,
      session,
      run: running,
    } = run(async function* () {
      yield { now: secret }
      return { content: `got ${secret}`, view: { seen: [secret] } }
    })
    const events: RunEvent[] = []
    for await (const event of running) events.push(event)
    expect(events.find(({ type }) => type === 'tool-progress')).toMatchObject({ data: { now: '[redacted]' } })
    const ends = (await session.read()).events.filter(({ type }) => type === 'tool-end')
    expect(ends).toMatchObject([{ content: 'got [redacted]', view: { seen: ['[redacted]'] } }])
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({ content: 'got [redacted]' })
  })

  it('never touches what the model said, its calls and its reasoning', async () => {
    const { model, run: running } = run(() => 'fine')
    await running
    expect(model.requests[1]!.messages[1]).toMatchObject({
      content: `Using ${secret}`,
      reasoning: secret,
      reasoningDetails: [{ text: secret }],
      toolCalls: [{ arguments: JSON.stringify({ key: secret }) }],
    })
  })

  it('P047: errors of a tool that quote its arguments are clean in the log and in what is thrown', async () => {
    const {
      session,
      model,
      run: running,
    } = run(() => {
      throw new Error(`refused the key ${secret}`)
    })
    await running
    expect(model.requests[1]!.messages.at(-1)).toMatchObject({
      isError: true,
      content: 'Tool "t" failed: refused the key [redacted]',
    })
    expect(JSON.stringify((await session.read()).events.filter(({ type }) => type === 'tool-end'))).not.toContain(
      secret,
    )

    const error: unknown = await run(() => {
      throw fatal('no way', { cause: new Error(`key ${secret}`) })
    })
      .run.result()
      .catch((thrown: unknown) => thrown)
    expect(isClewError(error, 'run') && error.message).toBe('no way')
    expect(isClewError(error, 'run') && isClewError(error.cause, 'fatal') && error.cause.cause).toBe(undefined)
  })

  it('P047: what a person answers, and what the model is told of its mistakes, is clean as well', async () => {
    const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
    const ask = tool({ name: 'ask' })
    const typed = tool({
      name: 'typed',
      input: { type: 'object', properties: { at: { type: 'number' } }, required: ['at'] },
      execute: () => 1,
    })
    const model = scriptedModel([{ calls: [{ name: 'ask' }, { name: 'typed', arguments: { at: secret } }] }, 'Done.'])
    const agent = new Agent({ name: 'a', model, tools: [ask, typed], use: [redact()] })
    const session = memorySession()
    const { needs } = await agent.run('go', { session })
    await agent.resume(session, { [needs![0]!.id]: respond(`The key is ${secret}.`) })
    const results = model.requests[1]!.messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []))
    expect(results[0]).toBe('The key is [redacted].')
    expect(results[1]).toMatch(/does not fit.*\[redacted\]/s)
    const { events } = await session.read()
    expect(JSON.stringify(events.filter(({ type }) => type === 'answer' || type === 'tool-end'))).not.toContain(secret)
  })

  it('an error without a secret stays the error that it is', async () => {
    const cause = new Error('why')
    const error = await run(() => {
      throw fatal('no way', { cause })
    })
      .run.result()
      .catch((thrown: unknown) => thrown)
    expect(isClewError(error, 'run') && isClewError(error.cause, 'fatal') && error.cause.cause).toBe(cause)
  })

  it('a tool that is left in the middle is closed', async () => {
    let isClosed = false
    async function* body() {
      try {
        yield 1
        yield 2
        return { content: 'all' }
      } finally {
        isClosed = true
      }
    }
    const left = redact().tool!({ tool: {} } as ToolRequest, body)
    await left.next()
    await left.return(undefined as never)
    expect(isClosed).toBe(true)
  })
})

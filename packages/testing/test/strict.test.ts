/** Each thing that providers refuse, refused; and its lawful neighbour let in. */
import { describe, expect, it } from 'vitest'
import { type LocalAnswer, startOpenRouter } from '../src/index.ts'
import { chunksOf, mergedDetails, post, user, type WireError } from './wire.ts'

const call = (id: string, args = '{}', name = 'look') => ({ id, type: 'function', function: { name, arguments: args } })
const calls = (...tool_calls: unknown[]) => ({ role: 'assistant', content: null, tool_calls })
const result = (tool_call_id: string) => ({ role: 'tool', tool_call_id, content: 'ok' })
const look = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }
const toolWith = (fn: object) => ({ tools: [{ type: 'function', function: fn }] })
const withSchema = (parameters: unknown) => toolWith({ name: 'look', parameters })
const withProperty = (a: unknown) => withSchema({ type: 'object', properties: { a } })
const named = (name: unknown) => ({ type: 'function', function: { name } })
const format = (json_schema: unknown) => ({ response_format: { type: 'json_schema', json_schema } })

type Row = [what: string, change: { [field: string]: unknown }, reason?: string]

/** A reason makes the row one to refuse. */
async function check({ 1: change, 2: reason }: Row): Promise<void> {
  await using server = await startOpenRouter({ respond: ['fine', 'fine'] })
  for (const stream of [false, true]) {
    const { status, text } = await post(server.url, { model: 'm/x', messages: [user], stream, ...change })
    if (reason === undefined) {
      expect([status, status === 200 ? '' : text]).toEqual([200, ''])
      continue
    }
    expect([status, text]).toEqual([400, expect.stringContaining('"message"')])
    const { error } = JSON.parse(text) as WireError
    expect(error).toMatchObject({ code: 400, metadata: { provider_name: 'Localhost' } })
    expect(error.message).toContain(reason)
  }
}

describe('messages', () => {
  it.each<Row>([
    ['no messages', { messages: undefined }, 'messages: at least one is required'],
    ['messages that are no list', { messages: 'Hi' }, 'messages: at least one is required'],
    ['empty messages', { messages: [] }, 'messages: at least one is required'],
    ['a message that is no object', { messages: [user, null] }, 'messages[1]: must be an object'],
    ['an unknown role', { messages: [user, { role: 'robot', content: 'Hi' }] }, 'unknown role "robot"'],
    ['no role', { messages: [{ content: 'Hi' }] }, 'messages[0].role'],
    [
      'a second system message',
      { messages: [{ role: 'system', content: 'a' }, { role: 'system', content: 'b' }, user] },
      'System message must be at the beginning',
    ],
    [
      'a late developer message',
      { messages: [user, { role: 'developer', content: 'b' }] },
      'System message must be at the beginning',
    ],
    ['no user message', { messages: [{ role: 'system', content: 'a' }] }, 'No user query found in messages'],
    ['user content null', { messages: [{ role: 'user', content: null }] }, 'messages[0].content: null'],
    ['user content absent', { messages: [{ role: 'user' }] }, 'messages[0].content'],
    ['user content a number', { messages: [{ role: 'user', content: 5 }] }, 'messages[0].content: 5'],
    [
      'a part without type',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, { text: 'b' }] }] },
      'messages[0].content[1]: a part with a type',
    ],
    [
      'assistant content null without calls',
      { messages: [user, { role: 'assistant', content: null }] },
      'messages[1].content: null is not allowed for role assistant',
    ],
    [
      'assistant content null with an empty list of calls',
      { messages: [user, { role: 'assistant', content: null, tool_calls: [] }] },
      'messages[1].content: null',
    ],
    [
      'tool content null',
      { messages: [user, calls(call('a')), { ...result('a'), content: null }] },
      'messages[2].content: null is not allowed for role tool',
    ],
  ])('refuses %s', (...row) => check(row))

  it.each<Row>([
    ['a leading system message', { messages: [{ role: 'system', content: 'a' }, user] }],
    ['a leading developer message', { messages: [{ role: 'developer', content: 'a' }, user] }],
    ['content in parts', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }],
    ['a last assistant message as prefill', { messages: [user, { role: 'assistant', content: 'I' }] }],
    ['content absent beside calls', { messages: [user, { ...calls(call('a')), content: undefined }, result('a')] }],
    ['unknown fields', { messages: [{ ...user, cache_control: { type: 'ephemeral' } }], session_id: 's', top_a: 0.5 }],
  ])('takes %s', (...row) => check(row))
})

describe('calls and results', () => {
  it.each<Row>([
    ['a dangling call', { messages: [user, calls(call('a'))] }, 'tool_calls without results: a'],
    [
      'a dangling call before a user message',
      { messages: [user, calls(call('a'), call('b')), result('a'), user] },
      'Missing: b',
    ],
    [
      'a dangling call before the next turn',
      { messages: [user, calls(call('a')), calls(call('b')), result('a'), result('b')] },
      'Missing: a',
    ],
    ['a result without call', { messages: [user, result('a')] }, 'no tool call "a" in the message before'],
    [
      'a result of an earlier turn',
      { messages: [user, calls(call('a')), result('a'), calls(call('b')), result('b'), result('a')] },
      'no tool call "a" in the message before',
    ],
    [
      'a result behind a user message',
      { messages: [user, calls(call('a')), user, result('a')] },
      "must be followed by tool messages responding to each 'tool_call_id'. Missing: a",
    ],
    [
      'a second result',
      { messages: [user, calls(call('a')), result('a'), result('a')] },
      'a second result for tool call "a"',
    ],
    [
      'a result without id',
      { messages: [user, calls(call('a')), { role: 'tool', content: 'ok' }] },
      'messages[2].tool_call_id: is required',
    ],
    ['a duplicate call id', { messages: [user, calls(call('a'), call('a')), result('a')] }, 'duplicate id "a"'],
    ['a call without id', { messages: [user, calls(call('')), result('')] }, 'a call without id'],
    ['a call that is null', { messages: [user, calls(null)] }, 'a call without id'],
    ['calls that are no list', { messages: [user, { ...user, role: 'assistant', tool_calls: {} }] }, 'tool_calls'],
    ['arguments that are no JSON', { messages: [user, calls(call('a', '{"q":')), result('a')] }, 'no JSON object'],
    ['arguments that are empty', { messages: [user, calls(call('a', '')), result('a')] }, 'no JSON object: ""'],
    ['arguments that are a list', { messages: [user, calls(call('a', '[]')), result('a')] }, 'no JSON object: "[]"'],
    ['arguments that are null', { messages: [user, calls(call('a', 'null')), result('a')] }, 'no JSON object'],
    [
      'arguments that are no text',
      { messages: [user, calls({ ...call('a'), function: { name: 'look', arguments: {} } }), result('a')] },
      'no JSON object',
    ],
    [
      'arguments that are absent',
      { messages: [user, calls({ ...call('a'), function: { name: 'look' } }), result('a')] },
      'no JSON object',
    ],
    [
      'a call with an illegal name',
      { messages: [user, calls(call('a', '{}', 'look up')), result('a')] },
      'illegal function name "look up"',
    ],
    [
      'a call without name',
      { messages: [user, calls({ id: 'a', type: 'function', function: { arguments: '{}' } }), result('a')] },
      'illegal function name',
    ],
    [
      'a call without function',
      { messages: [user, calls({ id: 'a', type: 'function' }), result('a')] },
      'illegal function name',
    ],
  ])('refuses %s', (...row) => check(row))

  it.each<Row>([
    ['results in another order', { messages: [user, calls(call('a'), call('b')), result('b'), result('a')] }],
    [
      'an id again in a later turn',
      { messages: [user, calls(call('a')), result('a'), calls(call('a')), result('a'), user] },
    ],
    ['calls with their index', { messages: [user, calls({ index: 0, ...call('a') }), result('a')] }],
    [
      'results in parts',
      { messages: [user, calls(call('a')), { ...result('a'), content: [{ type: 'text', text: '' }] }] },
    ],
  ])('takes %s', (...row) => check(row))
})

describe('tools', () => {
  it.each<Row>([
    ['tools that are no list', { tools: {} }, 'tools: must be a non-empty array'],
    ['no tools in the list', { tools: [] }, 'tools: must be a non-empty array'],
    ['a tool that is null', { tools: [null] }, 'tools[0]: type "function" with a function is required'],
    ['a tool without type', { tools: [{ function: look.function }] }, 'tools[0]: type "function"'],
    ['a tool whose type is no text', { tools: [{ ...look, type: 5 }] }, 'tools[0]: type "function"'],
    ['a tool without function', { tools: [{ type: 'function' }] }, 'tools[0]: type "function" with a function'],
    ['a tool without name', toolWith({ parameters: { type: 'object' } }), 'tools[0].function.name'],
    ['a tool name with a space', toolWith({ name: 'look up' }), 'tools[0].function.name: "look up" does not match'],
    ['a tool name with a dot', toolWith({ name: 'a.b' }), '"a.b" does not match ^[a-zA-Z0-9_-]{1,64}$'],
    ['an empty tool name', toolWith({ name: '' }), 'tools[0].function.name: "" does not match'],
    ['a tool name of 65 letters', toolWith({ name: 'a'.repeat(65) }), 'does not match ^[a-zA-Z0-9_-]{1,64}$'],
    ['a tool name twice', { tools: [look, look] }, 'Tool names must be unique, "look" is not'],
    ['a schema that is a list', withSchema([]), "Invalid schema for function 'look'"],
    [
      'a schema without type',
      withSchema({ properties: {} }),
      `must be a JSON Schema of 'type: "object"', got 'type: None'`,
    ],
    ['a schema of text', withSchema({ type: 'string' }), `got 'type: "string"'`],
    ['an unknown type', withProperty({ type: 'text' }), 'parameters.a: "text" is not a valid type'],
    ['an unknown type in a list of types', withProperty({ type: ['string', 'nil'] }), '"nil" is not a valid type'],
    ['a property that is no schema', withProperty('string'), 'is no schema'],
    ['properties that are a list', withSchema({ type: 'object', properties: ['a'] }), 'properties is no object'],
    ['required as a boolean', withProperty({ type: 'string', required: true }), '.required is no list of names'],
    ['required with a number', withSchema({ type: 'object', required: [5] }), '.required is no list of names'],
    ['an empty enum', withProperty({ enum: [] }), '.enum is empty'],
    ['an array without items', withProperty({ type: 'array' }), 'array schema missing items'],
    ['items that are no schema', withProperty({ type: 'array', items: 'string' }), 'is no schema'],
    ['a bad schema in items', withProperty({ type: 'array', items: { type: 'array' } }), 'array schema missing items'],
    ['a bad schema in anyOf', withProperty({ anyOf: [{ type: 'string' }, { type: 'any' }] }), 'anyOf[1]'],
    ['a bad schema in $defs', withSchema({ type: 'object', $defs: { d: { enum: [] } } }), 'd.enum is empty'],
    ['a $ref that leads nowhere', withProperty({ $ref: '#/$defs/gone' }), '$ref "#/$defs/gone" leads nowhere'],
    ['a $ref to another file', withProperty({ $ref: 'other.json' }), '$ref "other.json" leads nowhere'],
    ['tool_choice without tools', { tool_choice: 'auto' }, "'tool_choice' is only allowed when 'tools' are specified"],
    [
      'parallel_tool_calls without tools',
      { parallel_tool_calls: true },
      "'parallel_tool_calls' is only allowed when 'tools' are specified",
    ],
    ['tool_choice of no tool', { tools: [look], tool_choice: named('find') }, 'names no tool of the request'],
    ['tool_choice of an unknown word', { tools: [look], tool_choice: 'any' }, '"any" names no tool of the request'],
    [
      'tool_choice of an unknown word beside a server tool',
      { tools: [look, { type: 'openrouter:web_search' }], tool_choice: 'any' },
      '"any" names no tool of the request',
    ],
    [
      'tool_choice of a server tool that is not there',
      { tools: [{ type: 'openrouter:datetime' }], tool_choice: { type: 'openrouter:web_search' } },
      'names no tool of the request',
    ],
  ])('refuses %s', (...row) => check(row))

  it.each<Row>([
    ['a tool without parameters', toolWith({ name: 'look' })],
    ['a name of 64 letters', toolWith({ name: 'a'.repeat(64) })],
    ['a server tool', { tools: [look, { type: 'openrouter:web_search', parameters: {} }] }],
    [
      'a $ref that leads somewhere',
      withSchema({ type: 'object', properties: { a: { $ref: '#/$defs/d~1e' } }, $defs: { 'd/e': { type: 'string' } } }),
    ],
    ['a $ref to the whole', withProperty({ $ref: '#' })],
    ['boolean schemas', withSchema({ type: 'object', properties: { a: true }, additionalProperties: false })],
    ['a list of types', withProperty({ type: ['string', 'null'], enum: ['a', null] })],
    ['items and prefixItems', withProperty({ type: 'array', prefixItems: [{ type: 'string' }] })],
    ['tool_choice auto', { tools: [look], tool_choice: 'auto', parallel_tool_calls: false }],
    ['tool_choice none', { tools: [look], tool_choice: 'none' }],
    ['tool_choice required', { tools: [look], tool_choice: 'required' }],
    ['tool_choice of a tool', { tools: [look], tool_choice: named('look') }],
    [
      'tool_choice of a server tool',
      { tools: [{ type: 'openrouter:web_search' }], tool_choice: { type: 'openrouter:web_search' } },
    ],
  ])('takes %s', (...row) => check(row))
})

describe('fields', () => {
  it.each<Row>([
    ['temperature above', { temperature: 2.1 }, 'temperature: 2.1 is not between 0 and 2'],
    ['temperature below', { temperature: -0.1 }, 'temperature: -0.1 is not between 0 and 2'],
    ['temperature as text', { temperature: '1' }, 'temperature: "1" is not between 0 and 2'],
    ['top_p above', { top_p: 1.5 }, 'top_p'],
    ['min_p below', { min_p: -1 }, 'min_p'],
    ['frequency_penalty above', { frequency_penalty: 3 }, 'frequency_penalty'],
    ['presence_penalty below', { presence_penalty: -3 }, 'presence_penalty'],
    ['repetition_penalty above', { repetition_penalty: 2.5 }, 'repetition_penalty'],
    ['top_k below', { top_k: -1 }, 'top_k'],
    ['max_tokens of none', { max_tokens: 0 }, 'max_tokens: 0'],
    [
      'effort and max_tokens of reasoning',
      { reasoning: { effort: 'low', max_tokens: 2000 } },
      'reasoning: only one of "effort" and "max_tokens" may be given',
    ],
    ['response_format without type', { response_format: {} }, 'response_format: type is required'],
    ['response_format as text', { response_format: 'json' }, 'response_format: type is required'],
    ['json_schema without schema', format({ name: 'n' }), 'response_format.json_schema: name and schema are required'],
    ['json_schema without name', format({ schema: { type: 'object' } }), 'name and schema are required'],
    ['json_schema with an illegal name', format({ name: 'a b', schema: {} }), 'name and schema are required'],
    ['a bad json_schema', format({ name: 'n', schema: { type: 'array' } }), 'array schema missing items'],
  ])('refuses %s', (...row) => check(row))

  it.each<Row>([
    [
      'the edges of the ranges',
      { temperature: 0, top_p: 1, frequency_penalty: -2, presence_penalty: 2, max_tokens: 1 },
    ],
    ['null for what is not set', { temperature: null, max_tokens: null, response_format: null }],
    ['reasoning switched on', { reasoning: { enabled: true, exclude: false, effort: 'low' } }],
    ['json_object', { response_format: { type: 'json_object' } }],
    ['json_schema', format({ name: 'n', strict: true, schema: { type: 'object' } })],
  ])('takes %s', (...row) => check(row))

  it.each(['', '{', 'null', '[]', '"Hi"'])('refuses the body %j', async (body) => {
    await using server = await startOpenRouter({ respond: ['never'] })
    const { status, text } = await post(server.url, body)
    expect(status).toBe(400)
    expect(JSON.parse(text).error.message).toBe('The body is no JSON object')
    expect(server.requests[0]!.text).toBe(body)
  })

  it('does not spend an answer on what it refuses, but lists it', async () => {
    await using server = await startOpenRouter({ respond: ['first'] })
    expect((await post(server.url, { messages: [] })).status).toBe(400)
    const { text } = await post(server.url, { messages: [user] })
    expect(JSON.parse(text).choices[0].message.content).toBe('first')
    expect(server.requests.map((request) => request.body.messages.length)).toEqual([0, 1])
  })
})

describe('the door', () => {
  it.each([
    ['no key', {}, 'Missing Authentication header'],
    ['an empty key', { authorization: 'Bearer ' }, 'Missing Authentication header'],
    ['a key without Bearer', { authorization: 'right' }, 'Missing Authentication header'],
    ['another key', { authorization: 'Bearer wrong' }, 'User not found.'],
    ['another case', { authorization: 'Bearer RIGHT' }, 'User not found.'],
  ])('answers %s with 401', async (_, headers, message) => {
    await using server = await startOpenRouter({ respond: ['fine'], apiKey: 'right' })
    const refused = await post(server.url, { messages: [user] }, headers)
    expect(refused.status).toBe(401)
    expect(JSON.parse(refused.text).error).toEqual({ code: 401, message })
    expect(server.requests).toEqual([])
    expect((await post(server.url, { messages: [user] }, { authorization: 'Bearer right' })).status).toBe(200)
  })

  it('lets any key in by default, but none out', async () => {
    await using server = await startOpenRouter({ respond: ['fine'] })
    expect((await post(server.url, { messages: [user] }, {})).status).toBe(401)
    expect((await post(server.url, { messages: [user] }, { authorization: 'Bearer any' })).status).toBe(200)
  })

  it.each([
    ['POST', '/completions'],
    ['POST', '/chat/completions/'],
    ['POST', '/../chat/completions'],
    ['GET', '/chat/completions'],
    ['DELETE', '/models'],
  ])('answers %s %s with 404', async (method, path) => {
    await using server = await startOpenRouter({ respond: ['never'] })
    const response = await fetch(server.url + path, { method, headers: { authorization: 'Bearer k' } })
    expect(response.status).toBe(404)
    expect(((await response.json()) as WireError).error).toMatchObject({
      code: 404,
      message: expect.stringContaining(`No route ${method} `),
    })
    expect(server.requests).toEqual([])
  })

  it('lists models', async () => {
    await using server = await startOpenRouter({ respond: [] })
    const response = await fetch(`${server.url}/models`, { headers: { authorization: 'Bearer k' } })
    expect([response.status, await response.json()]).toEqual([200, { data: [] }])
  })
})

/** Written as providers order the keys, which no client has to keep. */
const claude = {
  type: 'reasoning.text',
  text: 'I need the tool, since nothing else tells what it knows.',
  signature: 'EqA1',
  format: 'anthropic-claude-v1',
  index: 0,
}
const summary = { type: 'reasoning.summary', summary: 'Hm.', format: 'openai-responses-v1', index: 0 }
const secret = { id: 'rs_1', type: 'reasoning.encrypted', data: 'gAAA', format: 'openai-responses-v1', index: 0 }
type Details = NonNullable<LocalAnswer['reasoningDetails']>

describe.each([
  ['JSON', false],
  ['streamed', true],
])('signed reasoning, %s', (_, stream) => {
  /** The details as they came, and the answer to a request that sends back these. */
  async function sendBack(given: Details, change: (got: Details) => unknown, ids = ['a', 'b']) {
    await using server = await startOpenRouter({
      respond: [{ reasoningDetails: given, calls: ids.map((id) => ({ id, name: 'look' })) }, 'done'],
    })
    const first = await post(server.url, { messages: [user], tools: [look], stream })
    const got = stream
      ? mergedDetails(chunksOf(first.text))
      : (JSON.parse(first.text) as { choices: { message: { reasoning_details: Details } }[] }).choices[0]!.message
          .reasoning_details
    expect(got).toEqual(given)
    const turn = { ...calls(...ids.map((id) => call(id))), reasoning_details: change(got as Details) }
    const messages = [user, turn, ...ids.map(result)]
    const second = await post(server.url, { messages, tools: [look], stream })
    return {
      status: second.status,
      message: second.status === 200 ? '' : (JSON.parse(second.text) as WireError).error.message,
    }
  }

  it.each<[string, Details]>([
    ['a signed text', [claude]],
    ['a signature without text', [{ type: 'reasoning.text', signature: 'EqA1', format: null, index: 0 }]],
    ['a signed text that is empty', [{ ...claude, text: '' }]],
    ['a summary and its secret', [summary, secret]],
    ['two of each', [summary, secret, { ...summary, index: 1 }, { ...secret, id: 'rs_2', index: 1 }]],
    ['unknown types and keys', [claude, { type: 'reasoning.other', x: { y: [1, null] } }, { ...secret, extra: true }]],
    ['an empty text beside a secret', [{ type: 'reasoning.text', text: '', format: 'unknown', index: 0 }, secret]],
  ])('takes %s unchanged', async (_, details) => {
    expect(await sendBack(details, (got) => got)).toEqual({ status: 200, message: '' })
  })

  it('takes the same keys in another order', async () => {
    const reversed = (got: Details) => got.map((detail) => Object.fromEntries(Object.entries(detail).reverse()))
    expect(await sendBack([claude, secret], reversed)).toEqual({ status: 200, message: '' })
  })

  it.each<[string, (got: Details) => unknown, string]>([
    ['missing', () => undefined, 'messages[1].reasoning_details: missing'],
    ['null', () => null, 'messages[1].reasoning_details: missing'],
    ['empty', () => [], 'the details were changed'],
    ['reordered', (got) => got.toReversed(), 'the details were changed'],
    ['twice', (got) => [...got, ...got], 'the details were changed'],
    ['without the last', (got) => got.slice(0, -1), 'the details were changed'],
    ['without the first', (got) => got.slice(1), 'the details were changed'],
    ['with a text trimmed', (got) => [{ ...got[0]!, text: 'I need the tool' }, ...got.slice(1)], 'were changed'],
    ['with another signature', (got) => [{ ...got[0]!, signature: 'EqA2' }, ...got.slice(1)], 'were changed'],
    ['with the signature cut', (got) => [{ ...got[0]!, signature: 'Eq' }, ...got.slice(1)], 'were changed'],
    ['without the signature', (got) => [{ ...got[0]!, signature: undefined }, ...got.slice(1)], 'were changed'],
    ['with another index', (got) => [{ ...got[0]!, index: 7 }, ...got.slice(1)], 'were changed'],
    ['with a key more', (got) => [{ ...got[0]!, more: null }, ...got.slice(1)], 'were changed'],
    ['with other data', (got) => [...got.slice(0, -1), { ...got.at(-1)!, data: 'gAA' }], 'were changed'],
    [
      'in fragments',
      ([first, ...rest]) => {
        const { signature, ...unsigned } = first!
        return [unsigned, { type: 'reasoning.text', signature, index: 0 }, ...rest]
      },
      'were changed',
    ],
  ])('refuses details %s', async (_, change, reason) => {
    const { status, message } = await sendBack([claude, secret], change)
    expect([status, message]).toEqual([400, expect.stringContaining(reason)])
  })

  it('asks for what is encrypted, though it has no signature', async () => {
    const { status, message } = await sendBack([secret], () => undefined)
    expect([status, message]).toEqual([400, expect.stringContaining('messages[1].reasoning_details: missing')])
  })

  it('does not ask for unsigned reasoning', async () => {
    const open = [{ type: 'reasoning.text', text: 'Hm.', format: 'unknown', index: 0 }]
    expect(await sendBack(open, () => undefined)).toEqual({ status: 200, message: '' })
  })

  it('asks for every signed turn of the conversation', async () => {
    const turns = [claude, { ...claude, text: 'And once more.', signature: 'EqB2' }]
    await using server = await startOpenRouter({
      respond: [
        ...turns.map((detail, at) => ({ reasoningDetails: [detail], calls: [{ id: `c${at}`, name: 'look' }] })),
        'done',
      ],
    })
    const history: object[] = [user]
    for (const [at, detail] of turns.entries()) {
      expect((await post(server.url, { messages: history, tools: [look], stream })).status).toBe(200)
      history.push({ ...calls(call(`c${at}`)), reasoning_details: [detail] }, result(`c${at}`))
    }
    const forgetful = history.map((message, at) => (at === 1 ? { ...message, reasoning_details: undefined } : message))
    const refused = await post(server.url, { messages: forgetful, tools: [look], stream })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('messages[1].reasoning_details')])
    const swapped = history.map((message, at) =>
      'reasoning_details' in message ? { ...message, reasoning_details: [turns[at === 1 ? 1 : 0]] } : message,
    )
    expect((await post(server.url, { messages: swapped, tools: [look], stream })).status).toBe(400)
    expect((await post(server.url, { messages: history, tools: [look], stream })).status).toBe(200)
  })

  it('takes what either of two turns with the same call ids was given', async () => {
    const details = [claude, { ...claude, text: 'Another thought.', signature: 'EqB2' }]
    await using server = await startOpenRouter({
      respond: (_, { turn }) =>
        turn > 2 ? 'done' : { reasoningDetails: [details[turn - 1]!], calls: [{ id: 'a', name: 'look' }] },
    })
    for (const _ of details) await post(server.url, { messages: [user], tools: [look], stream })
    const statuses: number[] = []
    for (const detail of [...details, { ...claude, text: 'A third.' }]) {
      const messages = [user, { ...calls(call('a')), reasoning_details: [detail] }, result('a')]
      statuses.push((await post(server.url, { messages, tools: [look], stream })).status)
    }
    expect(statuses).toEqual([200, 200, 400])
  })

  it('compares with what was sent, not with what the script made of it later', async () => {
    const details = [{ ...claude }]
    await using server = await startOpenRouter({
      respond: [{ reasoningDetails: details, calls: [{ id: 'a', name: 'look' }] }, 'done'],
    })
    await post(server.url, { messages: [user], tools: [look], stream })
    details[0]!.text = 'changed'
    const messages = [user, { ...calls(call('a')), reasoning_details: [claude] }, result('a')]
    expect((await post(server.url, { messages, tools: [look], stream })).status).toBe(200)
  })
})

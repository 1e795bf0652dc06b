/** Several agents: each under the call that it works on, whoever has a trace() of its own, and nothing twice. */
import { Agent, type Middleware, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { type Attributes, context, trace as otel } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { trace, traceMeta } from '../src/index.ts'
import { exported } from './exported.ts'

const look = tool({ name: 'look', effect: 'pure', execute: () => 'seen' })
const call = (name: string, given: object = {}) => ({ name, arguments: given })
const ask = (...names: string[]) => ({ calls: names.map((name) => call(name, { task: 'help' })) })
const tokens = (spans: readonly { attributes: Attributes }[]) =>
  spans.reduce((sum, { attributes }) => sum + Number(attributes['gen_ai.usage.input_tokens'] ?? 0), 0)

/** desk asks writer, which asks finder, which looks. `use`: the layers of each, by its name. */
function threeLevels(use: { [name: string]: Middleware[] }) {
  const finder = new Agent({
    name: 'finder',
    model: scriptedModel([{ calls: [call('look')] }, 'found']),
    tools: [look],
    use: use.finder ?? [],
  })
  const writer = new Agent({
    name: 'writer',
    model: scriptedModel([ask('finder'), 'written']),
    tools: [finder.asTool()],
    use: use.writer ?? [],
  })
  const model = scriptedModel([ask('writer'), 'done'])
  return new Agent({ name: 'desk', model, tools: [writer.asTool()], use: use.desk ?? [] })
}

const whole = `invoke_agent desk
  chat scripted
  execute_tool writer
    invoke_agent writer
      chat scripted
      execute_tool finder
        invoke_agent finder
          chat scripted
          execute_tool look
          chat scripted
      chat scripted
  chat scripted`

describe('sub-agents', () => {
  it.each([
    ['the root', ['desk']],
    ['all', ['desk', 'writer', 'finder']],
    ['the root and the one below', ['desk', 'writer']],
    ['the root and the last', ['desk', 'finder']],
  ])('stand under the call that they work on, once, when %s of three has trace()', async (_, names) => {
    const { tracerProvider, spans, tree, one } = exported()
    const use = Object.fromEntries(names.map((name) => [name, [trace({ tracerProvider })]]))
    const { usage, state } = await threeLevels(use).run('go')
    expect(tree()).toBe(whole)
    expect(tokens(spans())).toBe(usage.inputTokens)
    expect(one('invoke_agent desk').attributes['clew.usage.input_tokens']).toBe(60)
    expect(one('invoke_agent writer').attributes['clew.usage.input_tokens']).toBe(40)
    expect(one('invoke_agent finder').attributes['clew.usage.input_tokens']).toBe(20)
    const conversations = spans().flatMap(({ attributes }) => attributes['gen_ai.conversation.id'] ?? [])
    expect(new Set(conversations)).toEqual(new Set([state.conversation]))
    expect(one('invoke_agent finder').attributes['clew.agent.path']).toEqual(['desk', 'writer', 'finder'])
  })

  it('with a trace() of their own keep to their own options, and have the attributes of those above', async () => {
    const { tracerProvider, spans } = exported()
    const desk = trace({ tracerProvider, content: true, attributes: { team: 'desk', of: 'desk' } })
    const writer = trace({ tracerProvider, attributes: { team: 'writer' } })
    await threeLevels({ desk: [desk], writer: [writer] }).run('go')
    const below = spans().filter(({ attributes }) => attributes.team === 'writer')
    expect(below.map(({ name }) => name)).toContain('invoke_agent finder')
    for (const { attributes } of below) {
      expect(attributes.of).toBe('desk')
      expect(Object.keys(attributes).filter((name) => /messages|arguments|result|instructions/.test(name))).toEqual([])
    }
  })

  it('that a layer around their call begins anew are shown for each try', async () => {
    const { tracerProvider, tree } = exported()
    const twice: Middleware = {
      name: 'twice',
      async *tool(request, next) {
        yield* next(request)
        return yield* next(request)
      },
    }
    const helper = new Agent({ name: 'helper', model: scriptedModel(['one', 'two']) })
    const model = scriptedModel([ask('helper'), 'done'])
    const use = [trace({ tracerProvider }), twice]
    await new Agent({ name: 'desk', model, tools: [helper.asTool()], use }).run('go')
    const tries = ['    invoke_agent helper', '      chat scripted']
    expect(tree()).toBe(
      ['invoke_agent desk', '  chat scripted', '  execute_tool helper', ...tries, ...tries, '  chat scripted'].join(
        '\n',
      ),
    )
  })

  it('that fail are told as failed, and the call that they worked on', async () => {
    const { tracerProvider, one } = exported()
    const broken = new Agent({ name: 'broken', model: scriptedModel([new Error('down')]) })
    const model = scriptedModel([ask('broken'), 'sorry'])
    await new Agent({ name: 'desk', model, tools: [broken.asTool()], use: [trace({ tracerProvider })] }).run('go')
    expect(one('invoke_agent broken').attributes).toMatchObject({ 'clew.status': 'failed', 'error.type': 'Error' })
    expect(one('execute_tool broken').attributes['error.type']).toBe('tool_error')
    expect(one('invoke_agent desk').attributes['clew.status']).toBe('done')
  })

  it('at work at the same time each have their own spans below them', async () => {
    const { tracerProvider, tree } = exported()
    const use = [trace({ tracerProvider })]
    const helper = (name: string) =>
      new Agent({ name, model: scriptedModel([{ calls: [call('look')] }, 'ok']), tools: [look], use }).asTool()
    const model = scriptedModel([ask('left', 'right'), 'done'])
    await new Agent({ name: 'desk', model, tools: [helper('left'), helper('right')], use }).run('go')
    const below = (name: string) => [
      `  execute_tool ${name}`,
      `    invoke_agent ${name}`,
      '      chat scripted',
      '      execute_tool look',
      '      chat scripted',
    ]
    const lines = ['invoke_agent desk', '  chat scripted', ...below('left'), ...below('right'), '  chat scripted']
    expect(tree()).toBe(lines.join('\n'))
  })
})

describe('handoffs', () => {
  it('have the agent that takes over in a span below the run, with what it spends, until the next takes over', async () => {
    const { tracerProvider, tree, one } = exported()
    const clerk = new Agent({
      name: 'clerk',
      model: scriptedModel([{ calls: [call('look')] }, 'Done.']),
      tools: [look],
    })
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [call('transfer_to_clerk')] }]),
      handoffs: [clerk],
      use: [trace({ tracerProvider })],
    })
    const result = await desk.run('go')
    expect(result.text).toBe('Done.')
    expect(tree()).toBe(
      [
        'invoke_agent desk',
        '  chat scripted',
        '  execute_tool transfer_to_clerk',
        '  invoke_agent clerk',
        '    chat scripted',
        '    execute_tool look',
        '    chat scripted',
      ].join('\n'),
    )
    expect(one('invoke_agent clerk').attributes).toMatchObject({ 'clew.usage.input_tokens': 20, 'clew.status': 'done' })
    expect(one('invoke_agent desk').attributes).toMatchObject({ 'clew.usage.input_tokens': 30, 'clew.status': 'done' })
  })

  it('that follow each other stand beside each other', async () => {
    const { tracerProvider, tree, one } = exported()
    const last = new Agent({ name: 'last', model: scriptedModel(['Done.']) })
    const middle = new Agent({
      name: 'middle',
      model: scriptedModel([{ calls: [call('transfer_to_last')] }]),
      handoffs: [last],
    })
    const model = scriptedModel([{ calls: [call('transfer_to_middle')] }])
    await new Agent({ name: 'desk', model, handoffs: [middle], use: [trace({ tracerProvider })] }).run('go')
    expect(
      tree()
        .split('\n')
        .filter((line) => line.includes('invoke')),
    ).toEqual(['invoke_agent desk', '  invoke_agent middle', '  invoke_agent last'])
    expect(one('invoke_agent middle').attributes['clew.status']).toBe('handed-over')
  })
})

describe('the active context', () => {
  afterEach(() => context.disable())

  it('is the call while a tool works, so that spans of the user and of other libraries nest, calls at once too', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { tracerProvider, tree } = exported()
    const tracer = tracerProvider.getTracer('user')
    const work = (name: string) =>
      tool({
        name,
        async *execute() {
          await new Promise(setImmediate)
          yield 'half'
          await new Promise(setImmediate)
          tracer.startSpan(`query of ${name}`).end()
          return 'ok'
        },
      })
    const model = scriptedModel([{ calls: [call('left'), call('right')] }, 'done'])
    const agent = new Agent({
      name: 'a',
      model,
      tools: [work('left'), work('right')],
      use: [trace({ tracerProvider })],
    })
    await tracer.startActiveSpan('request', async (span) => {
      await agent.run('go')
      span.end()
    })
    expect(tree()).toBe(
      [
        'request',
        '  invoke_agent a',
        '    chat scripted',
        '    execute_tool left',
        '      query of left',
        '    execute_tool right',
        '      query of right',
        '    chat scripted',
      ].join('\n'),
    )
  })

  it('is the model call while the model answers', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { tracerProvider, tree } = exported()
    const tracer = tracerProvider.getTracer('http')
    const scripted = scriptedModel(['hi'])
    const model = {
      ...scripted,
      async *generate(request: Parameters<typeof scripted.generate>[0]) {
        await new Promise(setImmediate)
        tracer.startSpan('POST').end()
        return yield* scripted.generate(request)
      },
    }
    await new Agent({ name: 'a', model, use: [trace({ tracerProvider })] }).run('go')
    expect(tree()).toBe('invoke_agent a\n  chat scripted\n    POST')
  })

  it('goes to other processes by traceMeta: of the call that is given, else of the active span', async () => {
    const { tracerProvider, one } = exported()
    const seen: unknown[] = []
    const remote = tool({
      name: 'remote',
      execute: (_, execution) => {
        seen.push(traceMeta(execution), traceMeta())
        return 'ok'
      },
    })
    const agent = () =>
      new Agent({
        name: 'a',
        model: scriptedModel([{ calls: [call('remote')] }, 'done']),
        tools: [remote],
        use: [trace({ tracerProvider })],
      })
    await agent().run('go')
    const { traceId, spanId } = one('execute_tool remote').spanContext()
    const traceparent = `00-${traceId}-${spanId}-01`
    expect(seen).toEqual([{ traceparent }, {}])
    expect(one('execute_tool remote').attributes['mcp.method.name']).toBe('tools/call')

    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    await agent().run('go')
    expect(seen[3]).toEqual(seen[2])
    const outside = tracerProvider.getTracer('user').startSpan('outside')
    context.with(otel.setSpan(context.active(), outside), () =>
      seen.push(traceMeta({ runId: 'gone', idempotencyKey: 'x' })),
    )
    expect(seen.at(-1)).toEqual({ traceparent: expect.stringContaining(outside.spanContext().spanId) })
  })
})

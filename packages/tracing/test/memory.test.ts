/** What is done with a memory, as spans. */
import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { inMemory, recalling, scope } from '@clew/memory'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { hasShared } from '../../../test/shared.ts'
import { trace, traceMemory } from '../src/index.ts'
import { problemsOf, undocumented } from './check-span.ts'
import { exported } from './exported.ts'

describe('traceMemory', () => {
  afterEach(() => context.disable())

  const open = async () => inMemory().open(scope({ tenant: 't' }))
  const entry = { id: 'e1', kind: 'fact', text: 'Ada likes tea.', at: 1 }

  it('shows searches as retrieval below the model call that they are for, and changes by their words', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { tracerProvider, tree, spans, one } = exported()
    const memory = traceMemory(await open(), { tracerProvider, name: 'facts', attributes: { stage: 'test' } })
    await memory.add([entry])
    const model = scriptedModel(['tea'])
    await new Agent({ name: 'a', model, use: [trace({ tracerProvider }), recalling(memory)] }).run(
      'What does Ada like?',
    )
    await memory.writeBlock('b', 1, 0)
    expect(await memory.remove(['e1'])).toBe(1)
    await memory.erase()
    expect(tree()).toBe(
      [
        'upsert_memory facts',
        'invoke_agent a',
        '  chat scripted',
        '    retrieval facts',
        'update_memory facts',
        'delete_memory facts',
        'delete_memory_store facts',
      ].join('\n'),
    )
    expect(JSON.stringify(model.requests[0]!.messages)).toContain('Ada likes tea.')
    expect(one('retrieval facts').attributes).toMatchObject({
      'clew.memory.count': 1,
      'gen_ai.data_source.id': 'facts',
      stage: 'test',
    })
    expect(JSON.stringify(spans().map(({ attributes }) => attributes))).not.toMatch(/Ada|tea/)
    if (hasShared) expect(spans().flatMap((span) => [...problemsOf(span), ...undocumented(span)])).toEqual([])
  })

  it('shows what was asked and found with content on', async () => {
    const { tracerProvider, one } = exported()
    const memory = traceMemory(await open(), {
      tracerProvider,
      content: { redact: (text) => text.replace('Ada', '[name]') },
    })
    await memory.add([entry])
    expect(await memory.search({ text: 'Ada', limit: 3 })).toHaveLength(1)
    const { attributes } = one('retrieval memory')
    expect(attributes).toMatchObject({ 'gen_ai.retrieval.query.text': '[name]', 'gen_ai.request.top_k': 3 })
    expect(JSON.parse(String(attributes['gen_ai.retrieval.documents']))).toEqual([
      { id: 'e1', score: expect.any(Number), content: '[name] likes tea.' },
    ])
  })

  it('is the active span while the memory works', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { tracerProvider, tree } = exported()
    const tracer = tracerProvider.getTracer('db')
    const search = async () => {
      await new Promise(setImmediate)
      tracer.startSpan('SELECT').end()
      return []
    }
    await traceMemory({ search }, { tracerProvider }).search()
    expect(tree()).toBe('retrieval memory\n  SELECT')
  })

  it('tells an error and gives it on, and is else the memory that it was', async () => {
    const { tracerProvider, one, spans } = exported()
    const real = await open()
    const memory = traceMemory(real, { tracerProvider })
    await expect(memory.search({ limit: 0 })).rejects.toThrow()
    expect(one('retrieval memory').attributes['error.type']).toBe('InputError')
    expect(one('retrieval memory').status).toEqual({ code: 2 })
    expect(memory.scope).toBe(real.scope)
    expect(await memory.count()).toBe(0)
    expect(memory.search).toBe(memory.search)
    expect(spans()).toHaveLength(1)
  })
})

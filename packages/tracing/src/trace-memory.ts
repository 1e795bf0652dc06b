/** `traceMemory()` shows what is done with a memory: searches as `retrieval`, changes as operations on memory. */

import { describeError, type Json } from '@clew/core'
import { type Attributes, SpanKind, trace } from '@opentelemetry/api'
import { type ContentOptions, ContentWriter } from './content.ts'
import { errorType } from './error-type.ts'
import type { TraceOptions } from './lens.ts'
import { type Facts, OpenSpan } from './open-span.ts'
import { activeContext, inContext, safely } from './safely.ts'

export type TraceMemoryOptions = Pick<TraceOptions, 'content' | 'tracerProvider'> & {
  /** What the memory is called in spans. Default `memory`. */
  name?: string
  /** Put on every span. */
  attributes?: Attributes
}

/** What of a memory is shown; the memories of `@clew/memory` have all of it. */
export type MemoryLike = { search(query: never): Promise<readonly unknown[]> }

/** The words that the conventions have for them. What is not here is not shown. */
const operations: { [method: string]: string } = {
  search: 'retrieval',
  add: 'upsert_memory',
  writeBlock: 'update_memory',
  remove: 'delete_memory',
  prune: 'delete_memory',
  erase: 'delete_memory_store',
}

/**
 * The same memory, each of whose operations is a span below the active one: `recalling(traceMemory(memory))`. Queries and what
 * was found are shown only with `content`.
 */
export function traceMemory<Memory extends MemoryLike>(memory: Memory, options: TraceMemoryOptions = {}): Memory {
  const watched = new Map<string, unknown>()
  return new Proxy(memory, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function' || typeof key !== 'string') return value
      // Methods may have private parts, which a proxy has not.
      const method = watched.get(key) ?? watch(key, value.bind(target) as Method, options)
      watched.set(key, method)
      return method
    },
  })
}

type Method = (...given: unknown[]) => Promise<unknown>

function watch(key: string, method: Method, options: TraceMemoryOptions): Method {
  const operation = Object.hasOwn(operations, key) ? operations[key] : undefined
  if (operation === undefined) return method
  const content = options.content ? new ContentWriter(toContent(options.content)) : undefined
  return async (...given) => {
    const span = open(operation, given[0], content, options)
    try {
      const value = await inContext(span.context, () => method(...given))
      span.show(() => found(operation, value, content))
      return value
    } catch (error) {
      span.fail(errorType(error), () => content?.text(describeError(error)))
      throw error
    } finally {
      span.end()
    }
  }
}

function open(operation: string, given: unknown, content: ContentWriter | undefined, options: TraceMemoryOptions) {
  const { name = 'memory', attributes, tracerProvider } = options
  const tracer = safely(() => (tracerProvider ?? trace.getTracerProvider()).getTracer('@clew/tracing'))
  const span = new OpenSpan(tracer, {
    name: `${operation} ${name}`,
    kind: SpanKind.CLIENT,
    parent: activeContext(),
    facts: { ...attributes, 'gen_ai.operation.name': operation, 'gen_ai.data_source.id': name },
  })
  if (operation === 'retrieval') span.show(() => asked(given, content))
  else if (Array.isArray(given)) span.set({ 'clew.memory.count': given.length })
  return span
}

function asked(query: unknown, content: ContentWriter | undefined): Facts {
  const { text, limit } = query as { text?: unknown; limit?: unknown }
  return {
    'gen_ai.request.top_k': typeof limit === 'number' ? limit : undefined,
    'gen_ai.retrieval.query.text': typeof text === 'string' ? content?.text(text) : undefined,
  }
}

function found(operation: string, value: unknown, content: ContentWriter | undefined): Facts {
  if (operation !== 'retrieval' || !Array.isArray(value)) return {}
  const documents = value.map((each: { entry?: { id?: Json; text?: Json }; score?: Json }) => ({
    id: each.entry?.id ?? null,
    score: each.score ?? null,
    content: each.entry?.text ?? null,
  }))
  return { 'clew.memory.count': value.length, 'gen_ai.retrieval.documents': content?.json(documents) }
}

const toContent = (content: true | ContentOptions): ContentOptions => (content === true ? {} : content)

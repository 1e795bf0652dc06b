/**
 * `localTraces()`: every span into one SQLite file. It is a `TracerProvider`, so it goes wherever one is asked for:
 * `trace({ tracerProvider: localTraces() })`.
 */
import { randomBytes } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { DefinitionError } from '@clew/core'
import {
  type Context,
  context,
  isSpanContextValid,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { LocalSpan } from './local-span.ts'
import { kinds, type Origin } from './span.ts'
import { Writer } from './writer.ts'

export type LocalTracesOptions = {
  /** The database; made, with its folder, when the first span is written. Default: `.clew/traces.db` below the working directory. */
  path?: string
  /** Traces whose last span began earlier go. Default 30. */
  maxDays?: number
  /** What the file may hold; when there is more, the oldest traces go. Default 512 MiB, least 1 MiB. */
  maxBytes?: number
}

export interface LocalTraces extends TracerProvider {
  /** Writes what waits. Spans are written within a tenth of a second, and when the process ends. */
  forceFlush(): Promise<void>
  /** Writes what waits and closes the file; later spans are not kept. */
  shutdown(): Promise<void>
}

export const defaultPath = '.clew/traces.db'

const writers = new Map<string, Writer>()

/**
 * All providers of a process that name the same file write through one connection, with the bounds of the first. A file
 * that cannot be written harms no run: it is told once, as a warning of the process.
 * @throws DefinitionError for bounds that are none.
 */
export function localTraces(options: LocalTracesOptions = {}): LocalTraces {
  const { maxDays = 30, maxBytes = 512 * 2 ** 20 } = options
  if (!(maxDays > 0)) throw new DefinitionError(`localTraces: maxDays is ${maxDays}. Give a number of days above 0.`)
  if (!(maxBytes >= 2 ** 20))
    throw new DefinitionError(`localTraces: maxBytes is ${maxBytes}. Give 1 MiB (${2 ** 20}) or more.`)
  const path = resolve(options.path ?? defaultPath)
  const writer = writers.get(path) ?? new Writer(path, { maxDays, maxBytes })
  writers.set(path, writer)
  return {
    getTracer: (name, version) =>
      tracer(writer, { resource: resource(), scope: { name, ...(version && { version }) } }),
    forceFlush: async () => writer.flush(),
    shutdown: async () => {
      if (writers.get(path) === writer) writers.delete(path)
      writer.close()
    },
  }
}

function tracer(writer: Writer, origin: Origin): Tracer {
  function startSpan(name: string, options: SpanOptions = {}, parentContext = context.active()): Span {
    const found = options.root ? undefined : trace.getSpanContext(parentContext)
    const parent = found && isSpanContextValid(found) ? found : undefined
    return new LocalSpan(writer, {
      name,
      kind: kinds[options.kind ?? 0] ?? 'internal',
      context: { traceId: parent?.traceId ?? id(16), spanId: id(8), traceFlags: 1 },
      ...(parent && { parentSpanId: parent.spanId }),
      ...(options.startTime !== undefined && { start: options.startTime }),
      ...(options.attributes && { attributes: options.attributes }),
      ...(options.links && { links: options.links }),
      origin,
    })
  }

  /** The function comes last, behind options, or behind options and a context. */
  function startActiveSpan<Result>(name: string, ...rest: unknown[]): Result {
    const work = rest.at(-1) as (span: Span) => Result
    const [options, parent] = rest.slice(0, -1) as [SpanOptions?, Context?]
    const active = parent ?? context.active()
    const span = startSpan(name, options, active)
    return context.with(trace.setSpan(active, span), work, undefined, span)
  }

  return { startSpan, startActiveSpan }
}

const id = (bytes: number) => randomBytes(bytes).toString('hex')

/** As the environment names the program, by OpenTelemetry's own variable. */
function resource(): Origin['resource'] {
  const { OTEL_SERVICE_NAME: named } = process.env
  const script = process.argv[1]
  return { 'service.name': named || (script ? basename(script) : 'node'), 'process.pid': process.pid }
}

/** `redact` takes secrets out of what tools return, show and throw, before it is logged and before the model reads it. */
import type { Content, ContentPart, Json, Middleware, ToolOutcome } from '@clew/core'
import { DefinitionError, describeError, fatal, isClewError } from '@clew/core'
import { findSecrets, type Range, secretsOf } from './find-secrets.ts'

export type RedactOptions = {
  /** Secrets of your own, beside the known shapes: texts, or patterns. */
  patterns?: readonly (RegExp | string)[]
  /**
   * Where to look for secrets by name: values of at least 8 characters of variables whose name has KEY, TOKEN, SECRET,
   * PASSWORD or the like in it. Default: the environment of the process as it is when a result comes; `false` for none.
   */
  env?: { readonly [name: string]: string | undefined } | false
  /** What stands in a secret's place. Default `[redacted]`. */
  replacement?: string
}

/** The same for other places: logs, traces, errors. */
export type Redactor = {
  text(text: string): string
  /** Every text in it, keys too. */
  json(value: Json): Json
  /** All of the text in it, also where a secret begins in one part and ends in the next. */
  content(content: Content): Content
}

/**
 * Touches results of calls, whoever gave them, and view, progress and errors of tools. Never messages of the model, its calls and its reasoning: they
 * are sent back as they came. Put it last in `use`, so that the layers outside, traces for example, see clean results.
 * @throws DefinitionError when a pattern is neither RegExp nor text, or is empty.
 */
export function redact(options: RedactOptions = {}): Middleware {
  const clean = redactor(options)
  return {
    name: 'redact',
    // What a person answers, and what the model is told of its mistakes, comes from no tool.
    result: (content) => clean.content(content),
    async *tool(request, next) {
      const body = next(request)
      let isOpen = true
      try {
        for (;;) {
          const step = await body.next()
          if (step.done) {
            isOpen = false
            return cleanOutcome(step.value, clean)
          }
          // What a sub-agent yields is events of its own log, behind its own layers.
          yield request.tool.isAgent ? step.value : clean.json(step.value)
        }
      } catch (error) {
        isOpen = false
        throw cleanError(error, clean)
      } finally {
        if (isOpen) await body.return(undefined as never)
      }
    },
  }
}

/** What `redact` does, for logs and traces of your own. @throws DefinitionError as `redact` does. */
export function redactor({ patterns = [], env, replacement = '[redacted]' }: RedactOptions = {}): Redactor {
  for (const pattern of patterns) {
    if (pattern instanceof RegExp || (typeof pattern === 'string' && pattern !== '')) continue
    throw new DefinitionError(`redact: the pattern ${JSON.stringify(pattern)} is neither a RegExp nor a text.`)
  }
  const regexes = patterns.filter((pattern) => pattern instanceof RegExp).map(asGlobal)
  const texts = patterns.filter((pattern) => typeof pattern === 'string')
  /** The environment is read once for each value, not for each text in it. */
  const finder = () => {
    const secrets = secretsOf(texts, env)
    return (text: string) => findSecrets(text, regexes, secrets)
  }
  const cleaner = (find = finder()) => {
    return (text: string) => cut(text, 0, find(text), replacement)
  }
  return {
    text: (text) => cleaner()(text),
    json: (value) => mapTexts(value, cleaner()),
    content(content) {
      const find = finder()
      return Array.isArray(content)
        ? cleanParts(content, find, replacement)
        : cut(content, 0, find(content), replacement)
    },
  }
}

function cleanOutcome(outcome: ToolOutcome, clean: Redactor): ToolOutcome {
  return {
    ...outcome,
    content: clean.content(outcome.content),
    ...(outcome.view !== undefined && { view: clean.json(outcome.view) }),
  }
}

function cleanParts(parts: ContentPart[], find: (text: string) => Range[], replacement: string): ContentPart[] {
  const ranges = find(parts.map((part) => (part.type === 'text' ? part.text : '')).join(''))
  const clean = (text: string) => (isData(text) ? text : cut(text, 0, find(text), replacement))
  let at = 0
  return parts.map((part) => {
    if (part.type !== 'text') return mapTexts(part, clean) as ContentPart
    const start = at
    at += part.text.length
    return { ...part, text: cut(part.text, start, ranges, replacement) }
  })
}

/** `text`, which begins at `start` of what was searched. The replacement stands where a secret begins. */
function cut(text: string, start: number, ranges: readonly Range[], replacement: string): string {
  const end = start + text.length
  let result = ''
  let at = start
  for (const range of ranges) {
    if (range.end <= start || range.start >= end) continue
    if (range.start >= start) result += text.slice(at - start, range.start - start) + replacement
    at = Math.min(range.end, end)
  }
  return at === start ? text : result + text.slice(at - start)
}

/** Images and files as they are: in a megabyte of base64 anything can be found. */
function isData(text: string): boolean {
  return text.startsWith('data:') || text.length > 10_000
}

function mapTexts(value: Json, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map(key), mapTexts(item, map)]))
}

function asGlobal(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`)
}

/** The error itself when there is nothing in it; else a new one without the stack and the cause, which could hold it still. */
function cleanError(error: unknown, { text }: Redactor): unknown {
  const told = describeError(error)
  if ([told, ...chain(error)].every((each) => text(each) === each)) return error
  return isClewError(error, 'fatal') ? fatal(text(told)) : new Error(text(told))
}

/** What an error would print, and its causes. */
function chain(error: unknown, levels = 10): string[] {
  if (!(error instanceof Error) || levels === 0) return [describeError(error)]
  return [error.message, String(error.stack), ...(error.cause === undefined ? [] : chain(error.cause, levels - 1))]
}

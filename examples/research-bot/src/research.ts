/** One piece of research, from sources to a report on disk. */
import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { startOpenRouter } from '@clew/testing'
import { documents } from '@clew/tools'
import { localTraces, trace } from '@clew/tracing'
import { defaultModel, isClewError, type Model, openrouter, type RunEvent } from 'clew'
import { type Arguments, UsageError } from './arguments.ts'
import { practiceModel } from './practice-model.ts'
import { type Report, sourcesOf, toMarkdown } from './report.ts'
import { researcher } from './researcher.ts'
import { gather, shownPath } from './sources.ts'
import type { Screen } from './terminal.ts'
import type { Desk } from './tools.ts'
import { WebPages } from './web.ts'
import { counted, fit } from './words.ts'

export type Outcome = { status: 'done' | 'no-report' | 'interrupted'; report?: Report; markdown?: string }

export async function research(given: Arguments, screen: Screen, signal: AbortSignal): Promise<Outcome> {
  await checkOut(given.out)
  const web = new WebPages()
  const library = documents({ idOf: shownPath })
  const leftOut = await gather(given.sources, library, web, signal)
  await using chosen = await chooseModel(given)
  screen.line(`${chosen.name} · ${counted(library.size, 'document')}`)
  for (const { path, reason } of leftOut.slice(0, 5)) screen.line(`  left out: ${path} (${reason})`)
  if (leftOut.length > 5) screen.line(`  left out: ${leftOut.length - 5} more`)

  const desk: Desk = { library, web, maxRejections: 2, rejections: 0, read: new Set() }
  const tracerProvider = localTraces()
  const watched = trace({ tracerProvider, content: true })
  const run = researcher(chosen.model, [watched]).run(given.question, { context: desk, signal })
  let lastWords = ''
  try {
    for await (const event of run) {
      screen.show(event)
      noteReading(event, desk)
    }
    lastWords = (await run).text
  } catch (error) {
    if (!isClewError(error, 'abort')) {
      await keep('The work failed', given, desk, screen)
      throw error
    }
  } finally {
    screen.close()
    await tracerProvider.shutdown()
  }

  if (signal.aborted) {
    await keep('Interrupted', given, desk, screen)
    return { status: 'interrupted' }
  }
  if (!desk.report) {
    screen.line(`No report was accepted. The model's last words: ${fit(lastWords, 400) || '(none)'}`)
    await keep('Not accepted', given, desk, screen)
    return { status: 'no-report' }
  }
  const markdown = toMarkdown(desk.report, given.question, library)
  await write(given.out, markdown)
  const verified = desk.report.findings.filter((finding) => finding.verified).length
  screen.line()
  screen.line(`Report:  ${given.out}`)
  screen.line(`Quotes:  ${verified} of ${desk.report.findings.length} verified`)
  screen.line(`Sources: ${sourcesOf(desk.report).join(', ')}`)
  screen.line(`Spent:   ${screen.totals()}`)
  screen.line('Trace:   npm run studio shows it, npm exec clew runs lists it')
  return { status: 'done', report: desk.report, markdown }
}

function noteReading(event: RunEvent, { read, library }: Desk): void {
  if (event.type !== 'tool-start' || event.name !== 'read_document') return
  const { document } = event.input as { document: string }
  if (library.has(document)) read.add(document)
}

/** With a key or another server: that. Without: the practice model, over real HTTP on this machine. */
async function chooseModel(given: Arguments): Promise<{ model: Model; name: string } & AsyncDisposable> {
  const id = given.model ?? defaultModel
  const nothing = { async [Symbol.asyncDispose]() {} }
  const app = { title: 'Clew research bot' }
  if (given.baseURL) {
    const apiKey = process.env.OPENAI_API_KEY
    const model = openrouter(id, { baseURL: given.baseURL, app, ...(apiKey && { apiKey }) })
    return { model, name: `${id} at ${given.baseURL}`, ...nothing }
  }
  if (process.env.OPENROUTER_API_KEY) return { model: openrouter(id, { app }), name: `${id} on OpenRouter`, ...nothing }
  const server = await startOpenRouter({ respond: practiceModel })
  const unused = given.model ? `; --model ${given.model} is not used` : ''
  return {
    model: openrouter(id, { baseURL: server.url, apiKey: 'practice', app }),
    name: `practice model on this machine, which misquotes once on purpose (set OPENROUTER_API_KEY for a real model${unused})`,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

/**
 * What there is of a report when the work ends early: the last draft, marked; after Ctrl-C at least what was read. A
 * report that is there already is never replaced by an unfinished one.
 */
async function keep(why: string, given: Arguments, desk: Desk, screen: Screen): Promise<void> {
  screen.line(`Spent: ${screen.totals()}`)
  const read = [...desk.read].join(', ') || 'nothing'
  const nothing: Report = {
    title: given.question.slice(0, 160),
    summary: `Nothing was submitted yet. Read so far: ${read}.`,
    findings: [],
  }
  const draft = desk.report ?? desk.draft ?? nothing
  if (draft === nothing && why !== 'Interrupted') return
  const isThere = await access(given.out).then(
    () => true,
    () => false,
  )
  const path = isThere ? given.out.replace(/(\.\w+)?$/, '.unfinished$1') : given.out
  await write(path, toMarkdown(draft, given.question, desk.library, why))
  screen.line(`Unfinished report: ${path} (${counted(draft.findings.length, 'finding')})`)
}

/** Before anything is spent. */
async function checkOut(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) throw new UsageError(`--out ${path} is a folder; name a file.`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await access(found ? path : dirname(path), constants.W_OK)
  } catch (error) {
    throw new UsageError(`--out ${path} cannot be written: ${(error as Error).message}`)
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

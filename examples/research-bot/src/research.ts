/** One piece of research, from sources to a report on disk. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { startOpenRouter } from '@clew/testing'
import { defaultModel, isClewError, type Model, openrouter } from 'clew'
import type { Arguments } from './arguments.ts'
import { Library } from './library.ts'
import { practiceModel } from './practice-model.ts'
import { type Report, sourcesOf, toMarkdown } from './report.ts'
import { researcher } from './researcher.ts'
import { gather } from './sources.ts'
import type { Screen } from './terminal.ts'
import type { Desk } from './tools.ts'
import { WebPages } from './web.ts'

export type Outcome = { status: 'done' | 'no-report' | 'interrupted'; report?: Report; markdown?: string }

export async function research(given: Arguments, screen: Screen, signal: AbortSignal): Promise<Outcome> {
  const web = new WebPages()
  const library = new Library()
  const { documents, skipped } = await gather(given.sources, web, signal)
  library.add(documents)
  await using chosen = await chooseModel(given)
  screen.line(`${chosen.name} · ${library.size} documents`)
  for (const { path, reason } of skipped.slice(0, 5)) screen.line(`  left out: ${path} (${reason})`)
  if (skipped.length > 5) screen.line(`  left out: ${skipped.length - 5} more`)

  const desk: Desk = { library, web, maxRejections: 2, rejections: 0 }
  const run = researcher(chosen.model).run(given.question, { context: desk, signal })
  let lastWords = ''
  try {
    for await (const event of run) screen.show(event)
    lastWords = (await run).text
  } catch (error) {
    if (!isClewError(error, 'abort')) {
      await keep(given, desk, screen)
      throw error
    }
  } finally {
    screen.close()
  }

  if (signal.aborted) {
    await keep(given, desk, screen)
    return { status: 'interrupted' }
  }
  if (!desk.report) {
    screen.line(`No report was accepted. The model's last words: ${lastWords || '(none)'}`)
    await keep(given, desk, screen)
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
  return { status: 'done', report: desk.report, markdown }
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
  return {
    model: openrouter(id, { baseURL: server.url, apiKey: 'practice', app }),
    name: 'practice model on this machine (set OPENROUTER_API_KEY for a real one)',
    [Symbol.asyncDispose]: () => server.close(),
  }
}

/** What there is of a report when the work ends early: the last draft, marked as unfinished. */
async function keep(given: Arguments, desk: Desk, screen: Screen): Promise<void> {
  const draft = desk.report ??
    desk.draft ?? { title: given.question.slice(0, 160), summary: 'Nothing was submitted yet.', findings: [] }
  await write(given.out, toMarkdown(draft, given.question, desk.library, true))
  screen.line(`Unfinished report: ${given.out} (${draft.findings.length} findings)`)
  screen.line(`Spent: ${screen.totals()}`)
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** The bot's own tools. What they work on, the desk, is the run's context. */
import type { Documents } from '@clew/tools'
import { type ToolExecution, tool } from 'clew'
import { z } from 'zod'
import { checkQuote } from './quotes.ts'
import type { Report } from './report.ts'
import type { WebPages } from './web.ts'
import { counted, fit } from './words.ts'

/** What one piece of research works on, and what it came to. */
export type Desk = {
  library: Documents
  web: WebPages
  /** Times that a report with a wrong quotation is sent back before it is taken with marks. */
  maxRejections: number
  rejections: number
  /** The report as submitted last. */
  draft?: Report
  /** Documents that were read, for a report that is not finished. */
  read: Set<string>
  /** The report that was accepted. */
  report?: Report
}

export const fetchPage = tool({
  name: 'fetch_page',
  description:
    'Fetches a web page of one of the sites among the sources. After that it can be searched, read and cited by its URL.',
  input: z.object({ url: z.string().describe('A link found in a page, as a whole URL') }),
  effect: 'idempotent',
  timeoutMs: 60_000,
  untrusted: true,
  execute: async ({ url }, { context: { library, web }, signal }: ToolExecution<Desk>) => {
    const page = await web.fetch(url, signal)
    library.add([page])
    const first = library.read(page.id, 1)
    return { content: first, view: `${page.title}, ${page.text.length} characters` }
  },
})

export const submitReport = tool({
  name: 'submit_report',
  description:
    'Submits the finished report. Every quotation is checked against its source, word for word; when one does not match, the report comes back and you submit it again, corrected.',
  input: z.object({
    title: z.string().min(1).describe('The title of the report'),
    summary: z.string().min(1).describe('The answer to the question, in two to six sentences'),
    findings: z
      .array(
        z.object({
          claim: z.string().min(1).describe('One statement, in your own words'),
          quote: z.string().min(1).describe('One passage that supports it, copied word for word from a page you read'),
          source: z.string().describe('The id of the document that the quote is from'),
        }),
      )
      .min(1)
      .describe('At least three, from at least two documents where possible'),
  }),
  effect: 'idempotent',
  execute: ({ title, summary, findings }, { context: desk }: ToolExecution<Desk>) => {
    const checks = findings.map(({ quote, source }) => checkQuote(desk.library, quote, source))
    desk.draft = {
      title,
      summary,
      findings: findings.map((finding, index) => ({ ...finding, verified: checks[index]?.ok ?? false })),
    }
    const problems = checks.flatMap((check, index) =>
      check.ok ? [] : [`- finding ${index + 1} (“${fit(findings[index]?.quote ?? '', 80)}”): ${check.problem}`],
    )
    if (problems.length > 0 && desk.rejections < desk.maxRejections) {
      desk.rejections += 1
      throw new Error(
        `The report is not accepted; not found in the sources: ${problems.length} of ${counted(findings.length, 'quotation')}.\n${problems.join('\n')}\n` +
          'Correct these quotations (copy them exactly, or replace the finding) and submit the whole report again.',
      )
    }
    desk.report = desk.draft
    const view =
      problems.length === 0
        ? `${counted(findings.length, 'quotation')} verified`
        : `accepted with ${counted(problems.length, 'unverified quotation')}`
    return { content: 'Accepted. Say in one sentence that the report is done.', view }
  },
})

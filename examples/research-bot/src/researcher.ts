/** The agent: what it is told, what it may use, and when it has to stop. */
import { readDocument, searchDocuments } from '@clew/tools'
import { Agent, type Middleware, type Model } from 'clew'
import { type Desk, fetchPage, submitReport } from './tools.ts'

export const researcher = (model: Model, use: readonly Middleware[] = []) =>
  new Agent({
    name: 'researcher',
    model,
    instructions: ({ library, web }: Desk) =>
      [
        'You research a question in the given documents and report what they say, with exact quotations.',
        '1. Search first: make several search_documents calls at once, with short and different queries.',
        '2. Read the best pages with read_document, several at once. Long documents have several pages.',
        ...(web.isEmpty
          ? []
          : ['   Pages that are linked there and not yet among the documents come in with fetch_page.']),
        '3. When you know enough, call submit_report once. Copy quotations word for word from pages you read: one',
        '   passage each, no dots in between, nothing changed. Prefer quotations from several documents.',
        '4. When the report comes back, correct what it names and submit the whole report again.',
        'If the documents do not answer the question, submit what comes nearest and say so in the summary.',
        `There are ${library.size} documents.`,
      ].join('\n'),
    tools: ({ library, web }: Desk) => [
      searchDocuments(library),
      readDocument(library),
      ...(web.isEmpty ? [] : [fetchPage]),
      submitReport,
    ],
    limits: { turns: 24, usd: 1 },
    use,
  })

/**
 * The practice model: an honest stand-in for a language model where there is no key. No neural network: it plans with
 * whatever tools a request offers, by their schemas, and picks sentences by the words they share with the question.
 * It reads only the request, as a model does, and knows nothing of the program that sends it. On its first try it
 * misquotes once, so that everybody sees a check at work.
 */
import { createHash } from 'node:crypto'
import type { ChatRequest, LocalAnswer, WireMessage, WireTool } from '@clew/testing'
import { sentencesOf } from './quotes.ts'

type Schema = {
  type?: string
  properties?: { [name: string]: Schema }
  items?: Schema
  required?: string[]
  description?: string
}
type Tool = { name: string; parameters: Schema }
type Call = { name: string; arguments: { [name: string]: unknown } }
type Result = { call: Call; text: string; data: unknown }

export function practiceModel(request: ChatRequest): LocalAnswer {
  const answer = plan(request)
  const thought = answer.thought
  const signature = createHash('sha256').update(thought).digest('base64')
  return {
    provider: 'Practice',
    reasoningDetails: [{ type: 'reasoning.text', text: thought, signature, format: 'practice-model-v1', index: 0 }],
    ...(answer.text !== undefined && { text: answer.text }),
    ...(answer.calls && { calls: answer.calls.map(({ name, arguments: input }) => ({ name, arguments: input })) }),
    // It costs nothing, so it says so.
    usage: { cost: 0 },
    pace: 4,
  }
}

type Plan = { thought: string; text?: string; calls?: Call[] }

function plan(request: ChatRequest): Plan {
  const tools = request.tool_choice === 'none' ? [] : (request.tools ?? []).flatMap(toTool)
  const question = lastUserText(request.messages)
  const results = resultsOf(request.messages)
  const search = tools.find((tool) => /search|find|lookup/i.test(tool.name) && stringParameter(tool))
  const read = tools.find((tool) => /read|open|get/i.test(tool.name) && stringParameter(tool))
  const submit = tools.find((tool) => quotesParameter(tool))
  const of = (tool: Tool | undefined) => results.filter((result) => result.call.name === tool?.name)

  if (search && of(search).length === 0) {
    const queries = queriesFor(question)
    const parameter = stringParameter(search) as string
    return {
      thought: `I should look for ${queries.join('; ')}.`,
      calls: queries.map((query) => ({ name: search.name, arguments: { [parameter]: query } })),
    }
  }
  if (search && read && of(read).length === 0) {
    const calls = readsFor(read, of(search))
    if (calls.length > 0)
      return { thought: `I should read the ${calls.length} best pages that the searches gave.`, calls }
  }
  const submitted = of(submit)
  const isAccepted = submitted.some((result) => /accept/i.test(result.text) && !/not accepted/i.test(result.text))
  if (submit && !isAccepted && submitted.length < 3) {
    const picked = pickQuotes(of(read), read, keywordsOf(question))
    if (picked.length > 0) return submission(submit, question, picked, submitted.length === 0)
  }
  if (isAccepted) return { thought: 'The report was accepted.', text: 'The report is done.' }
  return { thought: 'I can only work with documents.', text: lastWords(question, results) }
}

function lastWords(question: string, results: Result[]): string {
  const found = results.length > 0 ? 'I found nothing that I could quote.' : 'No tool was offered that I can use.'
  return `I am a practice model without a neural network. ${found} The question was: ${question.slice(0, 200)}`
}

// What the request says

function toTool(tool: WireTool): Tool[] {
  return tool.function ? [{ name: tool.function.name, parameters: (tool.function.parameters ?? {}) as Schema }] : []
}

function lastUserText(messages: WireMessage[]): string {
  const content = messages.findLast((message) => message.role === 'user')?.content
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part) => part.text ?? '').join(' ') : ''
}

/** The results since the last user message, each with its call. */
function resultsOf(messages: WireMessage[]): Result[] {
  const since = messages.slice(messages.findLastIndex((message) => message.role === 'user') + 1)
  const calls = since.flatMap((message) => message.tool_calls ?? [])
  return since
    .filter((message) => message.role === 'tool')
    .flatMap((message) => {
      const call = calls.find((call) => call.id === message.tool_call_id)
      if (!call) return []
      const text = typeof message.content === 'string' ? message.content : ''
      return [
        {
          call: { name: call.function.name, arguments: parse(call.function.arguments) as Call['arguments'] },
          text,
          data: parse(text),
        },
      ]
    })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The parameter that the tool cannot do without and that is a text. */
function stringParameter({ parameters }: Tool): string | undefined {
  return parameters.required?.find((name) => parameters.properties?.[name]?.type === 'string')
}

/** A list of objects that hold a quotation: what a report is made of. */
function quotesParameter({ parameters }: Tool): string | undefined {
  return Object.entries(parameters.properties ?? {}).find(([, schema]) =>
    fieldLike(schema.items, /quot|excerpt|passage/i),
  )?.[0]
}

function fieldLike(schema: Schema | undefined, pattern: RegExp): string | undefined {
  return Object.keys(schema?.properties ?? {}).find((name) => pattern.test(name))
}

// What it does with it

const stopWords = new Set(
  'a an and any are as at be but by can do does for from has have how if in into is it its more most no not of on one or over so that the their them then there these they this to under was what when where which while who why will with without you your about between each many much note notes say says said tell tells document documents according please'.split(
    ' ',
  ),
)

function keywordsOf(text: string): string[] {
  return [...new Set(wordsOf(text).filter((word) => word.length > 2 && !stopWords.has(word)))].slice(0, 24)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Near enough to say that caching and cache, or reads and reading, are one word. */
function stem(word: string): string {
  return word.length > 4 ? word.replace(/(ing|ies|ed|es|s|e|y)$/, '') : word
}

/** The whole question, and its parts: several short queries find more than one long one. */
function queriesFor(question: string): string[] {
  const words = keywordsOf(question)
  const third = Math.ceil(words.length / 3)
  const parts = words.length > 4 ? [0, 1, 2].map((part) => words.slice(part * third, (part + 1) * third)) : []
  const queries = [words, ...parts].map((part) => part.join(' ')).filter((query) => query !== '')
  return queries.length > 0 ? [...new Set(queries)] : [question.slice(0, 100) || 'overview']
}

/** One read for the best page of each of the best documents; a page that several searches found counts more. */
function readsFor(read: Tool, searches: Result[]): Call[] {
  const parameter = stringParameter(read) as string
  const pages = new Map<string, { input: Call['arguments']; id: string; score: number }>()
  for (const { data } of searches) {
    for (const [rank, hit] of objectsWith(data, parameter).entries()) {
      const input: Call['arguments'] = { [parameter]: hit[parameter] }
      for (const name of Object.keys(read.parameters.properties ?? {})) if (name in hit) input[name] = hit[name]
      const key = JSON.stringify(input)
      const known = pages.get(key) ?? { input, id: String(hit[parameter]), score: 0 }
      known.score += 1 / (rank + 1)
      pages.set(key, known)
    }
  }
  const best = [...pages.values()].sort((a, b) => b.score - a.score)
  const one = best.filter((page, index) => best.findIndex((other) => other.id === page.id) === index)
  return one.slice(0, 5).map((page) => ({ name: read.name, arguments: page.input }))
}

function objectsWith(data: unknown, key: string): { [name: string]: unknown }[] {
  if (Array.isArray(data)) return data.flatMap((item) => objectsWith(item, key))
  if (typeof data !== 'object' || data === null) return []
  const object = data as { [name: string]: unknown }
  return [
    ...(typeof object[key] === 'string' ? [object] : []),
    ...Object.values(object).flatMap((value) => objectsWith(value, key)),
  ]
}

/** Code, tables, links, headings and what announces a list are no sentences. */
const notProse = /[|<>{}[\]=;]|```|\/\/|https?:|^#|:$/

type Picked = { source: string; sentence: string; score: number }

/** The sentences that share most with the question, at most two of each page; a word that few sentences have counts more. */
function pickQuotes(reads: Result[], read: Tool | undefined, keywords: string[]): Picked[] {
  const parameter = (read && stringParameter(read)) ?? ''
  const pages = reads.map(({ call, data }) => ({
    source: String(call.arguments[parameter]),
    sentences: sentencesOf(longestText(data)).filter(
      (sentence) => sentence.length >= 25 && sentence.length <= 320 && !notProse.test(sentence),
    ),
  }))
  const stemsOf = (sentence: string) => new Set(wordsOf(sentence).map(stem))
  const all = pages.flatMap((page) => page.sentences.map(stemsOf))
  const weights = [...new Set(keywords.map(stem))].map(
    (word) => [word, 1 / (1 + all.filter((stems) => stems.has(word)).length)] as const,
  )
  const score = (sentence: string) => {
    const stems = stemsOf(sentence)
    return weights.reduce((sum, [word, weight]) => (stems.has(word) ? sum + weight : sum), 0)
  }
  const picked = pages.flatMap(({ source, sentences }) =>
    sentences
      .map((sentence) => ({ source, sentence, score: score(sentence) }))
      .filter((quote) => quote.score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, 2),
  )
  return picked.sort((a, b) => b.score - a.score).slice(0, 6)
}

function longestText(data: unknown): string {
  if (typeof data === 'string') return data
  if (typeof data !== 'object' || data === null) return ''
  return Object.values(data)
    .map(longestText)
    .reduce((longest, text) => (text.length > longest.length ? text : longest), '')
}

/** Fills the tool's schema by the names of its fields. */
function submission(submit: Tool, question: string, picked: Picked[], isFirst: boolean): Plan {
  const list = quotesParameter(submit) as string
  const item = submit.parameters.properties?.[list]?.items
  const quoted = isFirst
    ? picked.map((quote, index) =>
        index === picked.length - 1 ? { ...quote, sentence: misquote(quote.sentence) } : quote,
      )
    : picked
  const input: Call['arguments'] = {}
  for (const [name, schema] of Object.entries(submit.parameters.properties ?? {})) {
    if (name === list) input[name] = quoted.map((quote) => fill(item, quote))
    else if (schema.type === 'string') {
      input[name] = /title|heading/i.test(name)
        ? `A practice model (no neural network) on: ${question.replace(/\s+/g, ' ').slice(0, 160)}`
        : 'The documents were searched for the words of the question; quoted are the sentences that share most of them. A practice model quotes, it does not conclude.'
    }
  }
  const again = isFirst ? '' : ' One quotation was wrong, so I copy all of them again.'
  return {
    thought: `I have ${picked.length} passages to quote.${again}`,
    calls: [{ name: submit.name, arguments: input }],
  }
}

function fill(schema: Schema | undefined, { source, sentence }: Picked): { [name: string]: string } {
  const filled: { [name: string]: string } = {}
  for (const name of Object.keys(schema?.properties ?? {})) {
    if (/quot|excerpt|passage/i.test(name)) filled[name] = sentence
    else if (/source|document|url|id$/i.test(name)) filled[name] = source
    else filled[name] = `On this, ${source} says:`
  }
  return filled
}

/** As careless as a person: the two middle words change places. */
function misquote(sentence: string): string {
  const words = sentence.split(' ')
  const middle = Math.floor(words.length / 2)
  const [a, b] = [words[middle - 1], words[middle]]
  if (a === undefined || b === undefined || a === b) return `Indeed, ${sentence}`
  words.splice(middle - 1, 2, b, a)
  return words.join(' ')
}

/** The command line. */
export class UsageError extends Error {}

export type Arguments = { question: string; sources: string[]; out: string; model?: string; baseURL?: string }

export const usage = `Usage: npm run research -- "question" --sources DIR_OR_FILE_OR_URL ... [--out report.md]

  --sources  folders, files (Markdown, HTML, text) or web pages to research in; one or more
  --out      where the report goes (default: report.md)
  --model    a model of OpenRouter (default: qwen/qwen3.5-9b)
  --base-url another server with Chat Completions; its key is read from OPENAI_API_KEY

With OPENROUTER_API_KEY set, the model is asked on OpenRouter. Without, a practice model on this machine stands in.`

/** @throws UsageError that names what is missing or wrong. */
export function parseArguments(given: readonly string[]): Arguments {
  const words: string[] = []
  const sources: string[] = []
  const single: { [flag: string]: string } = {}
  let into = words
  for (let at = 0; at < given.length; at++) {
    const word = given[at] as string
    if (word === '--sources') into = sources
    else if (word === '--out' || word === '--model' || word === '--base-url') {
      const value = given[++at]
      if (value === undefined || value.startsWith('--')) throw new UsageError(`${word} needs a value.`)
      single[word] = value
    } else if (word.startsWith('--')) throw new UsageError(`There is no option ${word}.`)
    else into.push(word)
  }
  const question = words.join(' ').trim()
  if (question === '') throw new UsageError('The question is missing.')
  if (sources.length === 0)
    throw new UsageError(
      '--sources is missing: name the folders, files or web pages to research in. (With npm run, options come after --.)',
    )
  const { '--out': out = 'report.md', '--model': model, '--base-url': baseURL } = single
  if (baseURL !== undefined && !URL.canParse(baseURL)) throw new UsageError(`--base-url ${baseURL} is no URL.`)
  return { question, sources, out, ...(model && { model }), ...(baseURL && { baseURL }) }
}

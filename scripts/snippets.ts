/**
 * Snippets of README and docs come from files that run. A fence below `<!-- snippet: NAME.ts -->` holds the text of
 * docs/snippets/NAME.ts, one below `<!-- output: NAME.ts -->` what that file prints. `npm run docs` writes both; a
 * test compares them. The files run as they stand, against OpenRouter on localhost (docs/snippets/offline.ts).
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

export const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs/snippets')

const fence = /(<!-- (snippet|output): ([\w-]+\.ts) -->\n)```(\w+)\n[\s\S]*?```/g
const anyFence = /```(ts|typescript|js)\n/g

export function pages(): string[] {
  return globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'packages/*/README.md'], { cwd: root }).map((path) =>
    join(root, path),
  )
}

/** What the snippet prints; everything it writes to stderr belongs to it. */
export async function outputOf(name: string): Promise<string> {
  const { code, output } = await run(process.execPath, ['--import', join(folder, 'offline.ts'), join(folder, name)], {
    cwd: root,
  })
  if (code !== 0) throw new Error(`docs/snippets/${name} failed:\n${output}`)
  // The marks around what strangers wrote carry a random id.
  return output.replace(/(<\/?untrusted id=")[\w-]+"/g, '$1…"')
}

/** The page with every snippet and output as it is now. */
export async function rendered(page: string, output: (name: string) => Promise<string> = outputOf): Promise<string> {
  const text = readFileSync(page, 'utf8')
  let result = ''
  let at = 0
  for (const match of text.matchAll(fence)) {
    const [whole, mark, kind, name, language] = match as unknown as [string, string, string, string, string]
    const body = kind === 'snippet' ? readFileSync(join(folder, name), 'utf8') : await output(name)
    result += `${text.slice(at, match.index)}${mark}\`\`\`${language}\n${body.trimEnd()}\n\`\`\``
    at = match.index + whole.length
  }
  return result + text.slice(at)
}

/** Names of the snippets on a page, and how many code fences on it come from no file. */
export function inspect(page: string): { names: string[]; loose: number } {
  const text = readFileSync(page, 'utf8')
  const marked = [...text.matchAll(fence)]
  const code = [...text.matchAll(anyFence)].length
  return {
    names: marked.map((match) => match[3] as string),
    loose: code - marked.filter((match) => match[2] === 'snippet').length,
  }
}

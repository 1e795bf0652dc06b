/** `grep` makes the tool `grep`: lines of files in which a text stands. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { globMatcher } from '../glob/glob-matcher.ts'
import type { Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { reading, tell, told } from '../guard/folder/tell.ts'
import { pageChars } from '../page.ts'
import { decodeText } from '../text/decode.ts'
import { linesOf } from '../text/lines.ts'
import { type Finder, finderOf } from './finder.ts'

const input = z.object({
  pattern: z.string().min(1).describe('The text to look for, as it stands in a line.'),
  regex: z
    .boolean()
    .default(false)
    .describe('The pattern is a regular expression (RE2: no look-around, no back-references).'),
  ignoreCase: z.boolean().default(false).describe('Upper and lower case make no difference.'),
  files: z.string().optional().describe('Only in files that match, such as "src/**/*.ts". A path of one file will do.'),
  context: z.number().int().min(0).max(10).default(0).describe('Lines to show before and after each.'),
})
type Input = z.output<typeof input>

const maxEntries = 100_000
/** Bigger files are left out, and told. */
const maxFileBytes = 2_000_000
const maxLineChars = 300

export function grep(files: Folder): Tool<Input> {
  return tool({
    name: 'grep',
    description:
      'Finds text in files: each line with its file and number. Looks for the text as it is, or for a regular expression with "regex".',
    input,
    effect: 'pure',
    ...reading(files, 'grep'),
    maxResultChars: pageChars * 2,
    async execute({ pattern, regex, ignoreCase, files: wanted, context }, execution) {
      const finder = await finderOf(pattern, { regex, ignoreCase })
      const matches = wanted === undefined ? () => true : globMatcher(wanted)
      const budget = { left: maxEntries }
      const found: string[] = []
      let left = pageChars
      let searched = 0
      let tooBig = 0
      for await (const entry of files.walk('.', { depth: 100, budget, signal: execution.signal })) {
        if (entry.kind !== 'file' || !matches(entry.path)) continue
        if (entry.bytes > maxFileBytes) {
          tooBig++
          continue
        }
        const bytes = await entry.read(maxFileBytes)
        const text = bytes && decodeText(bytes)?.text
        if (text === undefined) continue
        searched++
        const block = blockOf(entry.path, text, finder, context, left)
        if (block === '') continue
        found.push(block)
        left -= block.length + 1
        if (left <= 0) break
      }
      const notes = [
        left <= 0 ? '[There is more. Look for a longer text, or in fewer files with "files".]' : '',
        tooBig > 0 ? `[${tooBig} files are bigger than ${maxFileBytes} bytes and were not searched.]` : '',
        budget.left < 0 ? `[Only the first ${maxEntries} entries were looked at. Use "files".]` : '',
      ]
      const none = `${shown(pattern)} stands in none of ${searched} files.`
      if (found.length === 0) return [none, ...notes].filter((note) => note !== '').join('\n')
      return tell(files, execution, found.join('\n'), ...notes)
    },
    fake: ({ pattern }) => `src/app.ts\n1:${pattern}`,
  })
}

/** The lines of one file: `12:` where the text stands, `11-` around it, `--` where some are left out. */
function blockOf(path: string, text: string, finder: Finder, context: number, chars: number): string {
  if (!finder.mayBeIn(text)) return ''
  const lines = linesOf(text).map((line) => line.text)
  let block = ''
  let shownTo = 0
  for (const [index, line] of lines.entries()) {
    const at = finder.find(line)
    if (at < 0) continue
    const from = Math.max(shownTo, index - context)
    if (block === '') block = told(path)
    else if (context > 0 && from > shownTo) block += '\n--'
    for (let near = from; near < index; near++) block += `\n${near + 1}-${excerpt(lines[near]!, 0)}`
    if (index >= shownTo) block += `\n${index + 1}:${excerpt(line, at)}`
    shownTo = Math.max(shownTo, index + 1)
    const next = lines.slice(shownTo, index + 1 + context)
    for (const after of next) {
      if (finder.find(after) >= 0) break
      block += `\n${++shownTo}-${excerpt(after, 0)}`
    }
    if (block.length > chars) break
  }
  return block
}

/** A very long line around what was found. */
function excerpt(line: string, at: number): string {
  if (line.length <= maxLineChars) return line
  const from = Math.max(0, at - maxLineChars / 3)
  const part = line.slice(from, from + maxLineChars).toWellFormed()
  return `${from > 0 ? '…' : ''}${part}${from + maxLineChars < line.length ? '…' : ''}`
}

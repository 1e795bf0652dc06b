/** `glob` makes the tool `glob`: files by a pattern of their path. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import type { Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { reading, tell, told } from '../guard/folder/tell.ts'
import { pageChars, pageOf } from '../page.ts'
import { globMatcher } from './glob-matcher.ts'

const input = z.object({
  pattern: z.string().describe('Such as "**/*.ts" (at any depth), "docs/*.md", "src/**/*.{js,ts}".'),
  from: z.number().int().min(0).default(0).describe('Where a long list goes on; the note of the page before names it.'),
})
type Input = z.output<typeof input>

/** What is gone through, and what is told. */
const maxEntries = 100_000
const maxFound = 5000

export function glob(files: Folder): Tool<Input> {
  return tool({
    name: 'glob',
    description: 'Finds files by their path, in the order of names. "*" is any part of a name, "**/" any folders.',
    input,
    effect: 'pure',
    ...reading(files, 'glob'),
    maxResultChars: pageChars * 2,
    async execute({ pattern, from }, execution) {
      const matches = globMatcher(pattern)
      const budget = { left: maxEntries }
      const found: string[] = []
      for await (const entry of files.walk('.', { depth: 100, budget, signal: execution.signal })) {
        if (entry.kind === 'folder' || !matches(entry.path)) continue
        found.push(told(entry.path))
        if (found.length >= maxFound) break
      }
      const notes = [
        found.length >= maxFound ? `[More than ${maxFound} files. Write a narrower pattern.]` : '',
        budget.left < 0 ? `[Only the first ${maxEntries} entries were looked at. Write a narrower pattern.]` : '',
      ]
      if (found.length === 0) return [nothing(pattern), ...notes].filter((note) => note !== '').join('\n')
      const page = pageOf(found.join('\n'), from)
      return tell(files, execution, page.text, page.note, ...notes)
    },
    fake: ({ pattern }) => pattern.replaceAll('**/', 'src/').replaceAll('*', 'app'),
  })
}

function nothing(pattern: string): string {
  const deeper = pattern.includes('/') ? '' : ` For files at any depth write ${shown(`**/${pattern}`)}.`
  return `No file matches ${shown(pattern)}.${deeper}`
}

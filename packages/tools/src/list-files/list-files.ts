/** `listFiles` makes the tool `list_files`: what is in a folder, with sizes. */
import { type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import type { Folder } from '../guard/folder/folder.ts'
import { reading, tell, told } from '../guard/folder/tell.ts'
import type { Entry } from '../guard/folder/walk.ts'
import { pageChars, pageOf } from '../page.ts'

const input = z.object({
  path: z.string().default('.').describe('The folder to look into. "." is the whole folder.'),
  depth: z.number().int().min(1).max(20).default(2).describe('How many levels to show.'),
  from: z.number().int().min(0).default(0).describe('Where a long list goes on; the note of the page before names it.'),
})
type Input = z.output<typeof input>

const maxEntries = 5000

export function listFiles(files: Folder): Tool<Input> {
  return tool({
    name: 'list_files',
    description: 'Lists the files and folders in a folder, with their sizes in bytes. Folders end with "/".',
    input,
    effect: 'pure',
    ...reading(files, 'listFiles'),
    maxResultChars: pageChars * 2,
    async execute({ path, depth, from }, execution) {
      const budget = { left: maxEntries }
      const lines: string[] = []
      for await (const entry of files.walk(path, { depth, budget, signal: execution.signal })) lines.push(line(entry))
      if (lines.length === 0) return 'There is nothing in it.'
      const page = pageOf(lines.join('\n'), from)
      const note =
        budget.left < 0 ? `[There is more than ${maxEntries} entries. Look into one folder, or use glob.]` : ''
      return tell(files, execution, page.text, page.note, note)
    },
    fake: () => 'notes.md 12\nsrc/\nsrc/app.ts 34',
  })
}

function line({ path, kind, bytes, isClosed }: Entry): string {
  switch (kind) {
    case 'file':
      return `${told(path)} ${bytes}`
    case 'folder':
      return isClosed ? `${told(path)}/ …` : `${told(path)}/`
    case 'link':
      return `${told(path)} (link)`
    case 'other':
      return `${told(path)} (no plain file)`
  }
}

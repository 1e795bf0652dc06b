/**
 * `parsePatch` reads what models write as a patch: the `*** Begin Patch` format that OpenAI's models are trained on, or a
 * unified diff. Line numbers of a unified diff are hints, for models count badly.
 */
import { InputError } from '@clew/core'
import { plainEnds } from '../text/lines.ts'

export type Section =
  | { type: 'add'; path: string; lines: string[] }
  | { type: 'delete'; path: string }
  | { type: 'update'; path: string; to?: string; hunks: Hunk[] }

export type Hunk = {
  /** What stands behind `@@`: a line above the change. */
  anchor: string
  /** The line that a unified diff names. */
  near?: number
  lines: { sign: ' ' | '-' | '+'; text: string }[]
  atEnd: boolean
}

const maxSections = 100
const maxChars = 1_000_000

/** @throws InputError with the line that could not be read, and what the format is */
export function parsePatch(patch: string): Section[] {
  if (patch.length > maxChars)
    throw new InputError(`The patch has more than ${maxChars} characters. Write a smaller one.`)
  const lines = trimmed(plainEnds(patch).split('\n'))
  const sections: Section[] = []
  let old: string | undefined
  for (const [index, line] of lines.entries()) {
    const [, word] = /^\*\*\* (Add|Delete|Update) File: /.exec(line) ?? []
    const last = sections.at(-1)
    if (word !== undefined) sections.push(sectionOf(word, after(line, ': ')))
    else if (line.startsWith('--- ') && lines[index + 1]?.startsWith('+++ ')) old = fileOf(line)
    else if (line.startsWith('+++ ') && old !== undefined) {
      sections.push(unifiedSection(old, fileOf(line)))
      old = undefined
    } else if (
      /^(diff --git|index [0-9a-f]|new file mode|deleted file mode|old mode|new mode|similarity index) ?/.test(line)
    ) {
    } else if (!last) throw unreadable(index, line, 'It stands before any file')
    else addLine(last, line, index)
  }
  if (sections.length === 0) throw new InputError(`The patch names no file. ${format}`)
  if (sections.length > maxSections)
    throw new InputError(`The patch is about ${sections.length} files; ${maxSections} at most.`)
  return sections
}

/** Without the first and last line of the format, of a code fence, of a shell's here-document. */
function trimmed(lines: string[]): string[] {
  const isAround = (line: string) => /^(\*\*\* (Begin|End) Patch|```\w*|apply_patch\b.*|<<.*|EOF)?$/.test(line.trim())
  let start = 0
  let end = lines.length
  while (start < end && isAround(lines[start]!)) start++
  while (end > start && isAround(lines[end - 1]!)) end--
  return lines.slice(start, end)
}

function after(line: string, mark: string): string {
  return line.slice(line.indexOf(mark) + mark.length).trim()
}

function sectionOf(word: string, path: string): Section {
  if (word === 'Add') return { type: 'add', path, lines: [] }
  return word === 'Delete' ? { type: 'delete', path } : { type: 'update', path, hunks: [] }
}

function fileOf(line: string): string {
  return line.slice(4).split('\t')[0]!.trim()
}

function unifiedSection(from: string, to: string): Section {
  const plain = (path: string) => path.replace(/^[ab]\//, '')
  if (from === '/dev/null') return { type: 'add', path: plain(to), lines: [] }
  if (to === '/dev/null') return { type: 'delete', path: plain(from) }
  const isMove = plain(from) !== plain(to)
  return { type: 'update', path: plain(from), ...(isMove && { to: plain(to) }), hunks: [] }
}

function addLine(section: Section, line: string, index: number): void {
  if (section.type === 'delete') {
    // A unified diff shows what is deleted.
    if (/^([-@\\]|$)/.test(line)) return
    throw unreadable(index, line, 'Nothing follows on a file that is deleted')
  }
  if (section.type === 'add') {
    if (line.startsWith('+')) section.lines.push(line.slice(1))
    else if (!/^(@@|\\|$)/.test(line)) throw unreadable(index, line, 'Each line of a new file begins with "+"')
    return
  }
  const to = line.startsWith('*** Move to: ') ? after(line, ': ') : undefined
  const [, anchor] = /^@@ ?(.*)$/.exec(line) ?? []
  if (to !== undefined) section.to = to
  else if (anchor !== undefined) section.hunks.push(hunkOf(anchor))
  else if (line.startsWith('\\')) return
  else addHunkLine(section, line, index)
}

function hunkOf(anchor: string): Hunk {
  const [, near, rest] = /^-(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$/.exec(anchor) ?? []
  if (near !== undefined) return { anchor: rest ?? '', near: Number(near), lines: [], atEnd: false }
  return { anchor: anchor.replace(/ ?@@$/, ''), lines: [], atEnd: false }
}

function addHunkLine({ hunks }: { hunks: Hunk[] }, line: string, index: number): void {
  if (hunks.length === 0) hunks.push(hunkOf(''))
  const hunk = hunks.at(-1)!
  if (line.trimEnd() === '*** End of File') hunk.atEnd = true
  else if (line === '') hunk.lines.push({ sign: ' ', text: '' })
  else if (line[0] === ' ' || line[0] === '-' || line[0] === '+') {
    hunk.lines.push({ sign: line[0], text: line.slice(1) })
  } else throw unreadable(index, line, 'Each line of a change begins with " ", "-" or "+"')
}

const format =
  'Write: "*** Begin Patch", then for each file "*** Update File: path" (or "*** Add File: path", "*** Delete File: path"), "@@", lines that begin with " " (stays), "-" (goes) or "+" (comes), and at the end "*** End Patch".'

function unreadable(index: number, line: string, why: string): InputError {
  return new InputError(
    `The patch cannot be read at its line ${index + 1}, ${JSON.stringify(line.slice(0, 100))}. ${why}. ${format}`,
  )
}

/** `applyPatch` makes the tool `apply_patch`: several files are changed at once, all or none. */
import { InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { editable } from '../edit-file/edit-file.ts'
import type { Change } from '../guard/folder/commit.ts'
import { difference } from '../guard/folder/difference.ts'
import type { CurrentFile, Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { told, writing } from '../guard/folder/tell.ts'
import { encodeText } from '../text/decode.ts'
import { bytesOf, checkKnown } from '../write-file/write-file.ts'
import { applyHunks } from './apply-hunks.ts'
import { parsePatch, type Section } from './parse-patch.ts'

const input = z.object({
  patch: z.string().describe('From "*** Begin Patch" to "*** End Patch". Paths are relative to the folder.'),
})
type Input = z.output<typeof input>

/** What a section comes to: changes, one line for the model, a diff for people. */
type Outcome = { changes: Change[]; line: string; view: string }
type Now = (path: string) => Promise<CurrentFile>

export function applyPatch(files: Folder): Tool<Input> {
  return tool({
    name: 'apply_patch',
    description: `Changes several files at once, all or none. Read the files first. The patch:
*** Begin Patch
*** Update File: src/app.py
@@ def greet():
-print("Hi")
+print("Hello")
*** Add File: new.txt
+first line
*** Delete File: old.txt
*** End Patch`,
    input,
    effect: 'once',
    ...writing(files, 'applyPatch'),
    async execute({ patch }, { signal }) {
      const sections = parsePatch(patch)
      let outcomes: Outcome[] = []
      await files.change(async (now) => {
        outcomes = []
        for (const section of sections) outcomes.push(await outcomeOf(files, section, now))
        const changes = outcomes.flatMap((outcome) => outcome.changes)
        checkOnce(changes)
        return changes
      }, signal)
      return {
        content: `Done:\n${outcomes.map(({ line }) => line).join('\n')}`,
        view: outcomes.map(({ view }) => view).join('\n'),
      }
    },
    fake: ({ patch }) =>
      `Done:\n${parsePatch(patch)
        .map((section) => `${section.type} ${section.path}`)
        .join('\n')}`,
  })
}

async function outcomeOf(files: Folder, section: Section, now: Now): Promise<Outcome> {
  const { type, path } = section
  const file = await now(path)
  if (type === 'add') {
    if (file.bytes) throw new InputError(`${shown(path)} is there already. Nothing was changed. Use "*** Update File".`)
    const text = section.lines.map((line) => `${line}\n`).join('')
    const bytes = bytesOf(path, text, files.maxBytes)
    return {
      changes: [{ path, names: file.names, bytes }],
      line: `added ${told(path)}`,
      view: difference(path, '', text),
    }
  }
  if (type === 'delete') {
    if (!file.bytes) throw new InputError(`There is no file ${shown(path)}. Nothing was changed. Look with list_files.`)
    checkKnown(file)
    return {
      changes: [{ path, names: file.names, was: file.bytes }],
      line: `deleted ${told(path)}`,
      view: `${path}: deleted`,
    }
  }
  const before = editable(file)
  const text = applyHunks(before.text, section.hunks, path, !files.untrusted)
  bytesOf(path, text, files.maxBytes)
  const view = difference(path, before.text, text)
  const change = { path, names: file.names, was: file.bytes!, bytes: encodeText(text, before) }
  if (section.to === undefined) return { changes: [change], line: `updated ${told(path)}`, view }
  return await moved(section.to, change, now, view)
}

async function moved(to: string, change: Change, now: Now, view: string): Promise<Outcome> {
  const target = await now(to)
  if (target.bytes) throw new InputError(`${shown(to)} is there already. Nothing was changed. Move to another name.`)
  const { bytes, ...removal } = change
  return {
    changes: [{ path: to, names: target.names, ...(bytes && { bytes }) }, removal],
    line: `moved ${told(change.path)} to ${told(to)}`,
    view: `${change.path} → ${to}\n${view}`,
  }
}

/** Each section was worked out from what stands there now. */
function checkOnce(changes: readonly Change[]): void {
  const seen = new Set<string>()
  for (const { names, path } of changes) {
    const key = names.join('/')
    if (seen.has(key)) {
      throw new InputError(
        `The patch names ${shown(path)} twice. Nothing was changed. Write all changes of a file in one section.`,
      )
    }
    seen.add(key)
  }
}

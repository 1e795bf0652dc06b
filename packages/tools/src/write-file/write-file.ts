/** `writeFile` makes the tool `write_file`: a whole file, new or in place of one that was read. */
import { InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { changed } from '../guard/folder/commit.ts'
import { difference } from '../guard/folder/difference.ts'
import type { CurrentFile, Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { told, writing } from '../guard/folder/tell.ts'
import { decodeText, halfCharacter } from '../text/decode.ts'

const input = z.object({
  path: z.string().describe('The file, relative to the folder. Missing folders are made.'),
  content: z.string().describe('The whole new content of the file.'),
})
type Input = z.output<typeof input>

export function writeFile(files: Folder): Tool<Input> {
  return tool({
    name: 'write_file',
    description:
      'Writes a whole file: a new one, or in place of one that you have read. To change a part of a file, use edit_file.',
    input,
    effect: 'idempotent',
    ...writing(files, 'writeFile'),
    async execute({ path, content }, { signal }) {
      const bytes = bytesOf(path, content, files.maxBytes)
      let before = ''
      let isSame = false
      await files.change(async (now) => {
        const file = await now(path)
        isSame = file.bytes !== undefined && Buffer.compare(file.bytes, bytes) === 0
        if (isSame) return [{ ...file, bytes, was: bytes }]
        checkKnown(file)
        before = file.bytes ? (decodeText(file.bytes)?.text ?? '') : ''
        return [{ path, names: file.names, bytes, ...(file.bytes && { was: file.bytes }) }]
      }, signal)
      const name = told(path)
      return {
        content: isSame ? `${name} has this content.` : `Wrote ${name}: ${bytes.length} bytes.`,
        view: isSame ? `${path}: unchanged` : difference(path, before, content),
      }
    },
    fake: ({ path, content }) => `Wrote ${path}: ${Buffer.byteLength(content)} bytes.`,
  })
}

/** @throws InputError when the file is there, but not as it was read: the model may not know what it would lose */
export function checkKnown({ path, bytes, isFresh, wasRead }: CurrentFile): void {
  if (bytes === undefined || isFresh) return
  if (wasRead) throw changed(path)
  throw new InputError(`${shown(path)} is there already and has not been read. Read it with read_file first.`)
}

/** @throws InputError when no encoding can write the text, or it is too long */
export function bytesOf(path: string, content: string, maxBytes: number): Uint8Array {
  const half = halfCharacter(content)
  if (half >= 0) {
    throw new InputError(
      `${shown(path)} was not written: at ${half} stands half a character (a lone surrogate). Leave it out.`,
    )
  }
  const bytes = Buffer.from(content)
  if (bytes.length <= maxBytes) return bytes
  throw new InputError(`${shown(path)} was not written: ${bytes.length} bytes are more than ${maxBytes}. Write less.`)
}

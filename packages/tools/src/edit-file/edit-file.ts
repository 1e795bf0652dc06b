/** `editFile` makes the tool `edit_file`: some text of a file that was read is replaced. */
import { InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import { difference } from '../guard/folder/difference.ts'
import type { CurrentFile, Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { told, writing } from '../guard/folder/tell.ts'
import { type Decoded, decodeText, encodeText } from '../text/decode.ts'
import { bytesOf, checkKnown } from '../write-file/write-file.ts'
import { replaceText } from './replace-text.ts'

const input = z.object({
  path: z.string().describe('The file, relative to the folder. Read it first.'),
  old: z
    .string()
    .describe('The text to replace, exactly as in the file, without line numbers. It must stand there once.'),
  new: z.string().describe('What stands there instead.'),
  replaceAll: z.boolean().default(false).describe('Replace each place where "old" stands.'),
})
type Input = z.output<typeof input>

export function editFile(files: Folder): Tool<Input> {
  return tool({
    name: 'edit_file',
    description:
      'Replaces text in a file that you have read. "old" must be exactly what stands there, with enough lines around to be found only once.',
    input,
    effect: 'once',
    ...writing(files, 'editFile'),
    async execute({ path, old, new: text, replaceAll }, { signal }) {
      let places = 0
      let view = ''
      await files.change(async (now) => {
        const file = await now(path)
        const before = editable(file)
        const result = replaceText(before.text, { path, old, new: text, replaceAll, tellsText: !files.untrusted })
        bytesOf(path, result.text, files.maxBytes)
        places = result.places
        view = difference(path, before.text, result.text)
        return [{ path, names: file.names, was: file.bytes!, bytes: encodeText(result.text, before) }]
      }, signal)
      return { content: `Replaced ${places} ${places === 1 ? 'place' : 'places'} in ${told(path)}.`, view }
    },
    fake: ({ path }) => `Replaced 1 place in ${path}.`,
  })
}

/** @throws InputError when the file is not there, not known, or no text that can be written back as it is */
export function editable(file: CurrentFile): Decoded {
  const { path, bytes } = file
  if (bytes === undefined) {
    throw new InputError(`There is no file ${shown(path)}. Look with list_files; for a new file use write_file.`)
  }
  checkKnown(file)
  const decoded = decodeText(bytes)
  if (decoded?.isExact) return decoded
  throw new InputError(`${shown(path)} is no text that can be edited without loss. Go on without it, or ask the user.`)
}

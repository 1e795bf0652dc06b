/** `readFile` makes the tool `read_file`: the text of a file by lines, the text of a PDF, an image as it is. */
import { type ContentPart, InputError, type Tool, tool } from '@clew/core'
import { z } from 'zod/v4'
import type { Folder } from '../guard/folder/folder.ts'
import { shown } from '../guard/folder/names.ts'
import { reading, tell, told } from '../guard/folder/tell.ts'
import { pageChars } from '../page.ts'
import { decodeText } from '../text/decode.ts'
import { imageType } from '../text/image-type.ts'
import { linesOf, numbered } from '../text/lines.ts'
import { pdfText } from '../text/pdf.ts'

const input = z.object({
  path: z.string().describe('The file, relative to the folder, such as "src/app.ts".'),
  from: z.number().int().min(1).default(1).describe('The line to begin with. Lines count from 1.'),
  lines: z.number().int().min(1).optional().describe('How many lines, at most. Leave it out to get a whole page.'),
})
type Input = z.output<typeof input>

/** Bytes of an image, at most: it goes to the model, and into the session, as a data URL. */
const maxImageBytes = 4_000_000

export function readFile(files: Folder): Tool<Input> {
  return tool({
    name: 'read_file',
    description:
      'Reads a file: text with line numbers (they are not part of the file), the text of a PDF, or an image. A long file comes in pages: the note at the end says which "from" shows the next one.',
    input,
    effect: 'pure',
    ...reading(files, 'readFile'),
    maxResultChars: pageChars * 2,
    async execute({ path, from, lines }, execution) {
      const file = await files.read(path, execution.signal)
      const type = imageType(file.bytes)
      if (type) {
        const parts = imageParts(file.path, type, file.bytes)
        return files.untrusted ? execution.fence(parts) : parts
      }
      const { text, note } = await textOf(file, execution.signal)
      const page = pageOfLines(text, from, lines)
      return tell(files, execution, page.text, page.note, note)
    },
    fake: ({ path, from }) => `${from}\tThis is line ${from} of ${path}.`,
  })
}

function imageParts(path: string, type: string, bytes: Uint8Array): ContentPart[] {
  if (bytes.length > maxImageBytes) {
    throw new InputError(
      `${shown(path)} is an image of ${bytes.length} bytes, more than the ${maxImageBytes} that are shown.`,
    )
  }
  return [
    { type: 'text', text: `${told(path)}: ${type}, ${bytes.length} bytes.` },
    { type: 'image', url: `data:${type};base64,${Buffer.from(bytes).toString('base64')}` },
  ]
}

async function textOf(
  { path, bytes }: { path: string; bytes: Uint8Array },
  signal: AbortSignal,
): Promise<{ text: string; note: string }> {
  if (Buffer.from(bytes.subarray(0, 5)).toString('latin1') === '%PDF-') {
    return { text: await pdfText(bytes, signal), note: '[The text of a PDF; layout and images are left out.]' }
  }
  const decoded = decodeText(bytes)
  if (!decoded) {
    throw new InputError(
      `${shown(path)} is no text and no image (${bytes.length} bytes). It cannot be shown; go on without it.`,
    )
  }
  const note = decoded.isExact ? '' : `[Parts that are no valid ${decoded.encoding} stand as "\ufffd".]`
  return { text: decoded.text, note }
}

/** @throws InputError when there is no such line */
function pageOfLines(text: string, from: number, count = Number.POSITIVE_INFINITY): { text: string; note: string } {
  const all = linesOf(text)
  if (all.length === 0) return { text: '', note: '[The file is empty.]' }
  if (from > all.length) {
    throw new InputError(`The file has ${all.length} lines; there is no line ${from}. Choose a smaller "from".`)
  }
  const page: string[] = []
  for (let left = pageChars, at = from - 1; at < all.length && page.length < count; at++) {
    const line = numbered(all[at]!.text, at + 1)
    left -= line.length + 1
    if (left < 0 && page.length > 0) break
    page.push(line)
  }
  const end = from - 1 + page.length
  const place = `Lines ${from} to ${end} of ${all.length}.`
  if (end < all.length) return { text: page.join('\n'), note: `[${place} Go on with "from": ${end + 1}.]` }
  return { text: page.join('\n'), note: from === 1 ? '' : `[${place} This is the end.]` }
}

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { folder, readFile } from '../src/index.ts'
import { pdfText } from '../src/text/pdf.ts'
import { call, makeBox } from './hand.ts'

/** A PDF with one line of text on each page, put together by hand. */
function makePdf(pages: readonly string[]): Buffer {
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(' ')
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...pages.flatMap((text, index) => {
      const stream = `BT /F1 24 Tf 72 700 Td (${text}) Tj ET`
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + index * 2} 0 R >>`,
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
      ]
    }),
  ]
  const body = objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join('')
  return Buffer.from(`%PDF-1.4\n${body}trailer << /Root 1 0 R /Size ${objects.length + 1} >>\n%%EOF`)
}

describe('the text of a PDF', () => {
  it('is that of its pages', async () => {
    const bytes = makePdf(['Hello thread', 'Second page'])
    const before = Buffer.from(bytes)
    expect(await pdfText(bytes)).toBe('Hello thread\n\nSecond page')
    expect(bytes.equals(before)).toBe(true)
  })

  it('is shown by read_file, whatever the name', async () => {
    const { box } = makeBox({ 'a.txt': makePdf(['Hello thread']), 'bad.pdf': '%PDF-1.7 and then nothing' })
    const tool = readFile(folder(box))
    expect((await call(tool, { path: 'a.txt' })).text).toBe(
      '1\tHello thread\n[The text of a PDF; layout and images are left out.]',
    )
    expect((await call(tool, { path: 'bad.pdf' })).text).toContain('The PDF cannot be read: it is damaged or no PDF.')
  })

  it('is told to be missing for what is none, and ends with its signal', async () => {
    for (const bytes of [new Uint8Array(), Buffer.from('text'), readFileSync(new URL(import.meta.url))]) {
      await expect(pdfText(bytes)).rejects.toThrow('it is damaged or no PDF. Go on without it.')
    }
    await expect(pdfText(makePdf(['x']), AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
    const leaving = new AbortController()
    const reading = pdfText(makePdf(['x']), leaving.signal)
    queueMicrotask(() => leaving.abort(new Error('left later')))
    await expect(reading).rejects.toThrow('left later')
  })

  it('stops after 500 pages, and tells', async () => {
    const text = await pdfText(makePdf(Array.from({ length: 502 }, (_, index) => `page ${index + 1}`)))
    expect(text).toContain('page 500\n\n[The rest, from page 501 of 502 on, was left out.]')
  })
})

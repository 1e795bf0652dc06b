import { deflateSync } from 'node:zlib'

/** The smallest PDF that shows texts, one on each page. */
export function pdfOf(...texts: string[]): Uint8Array {
  const kids = texts.map((_, at) => `${3 + at * 2} 0 R`).join(' ')
  const font = 3 + texts.length * 2
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${texts.length} >>`,
    ...texts.flatMap((text, at) => {
      const drawing = `BT /F1 12 Tf 72 720 Td (${text}) Tj ET`
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${4 + at * 2} 0 R /Resources << /Font << /F1 ${font} 0 R >> >> >>`,
        `<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`,
      ]
    }),
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let pdf = '%PDF-1.4\n'
  const offsets = objects.map((object, at) => {
    const offset = pdf.length
    pdf += `${at + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const start = pdf.length
  pdf += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(pdf, 'latin1')
}

/** A page whose drawing is `bytes` of spaces, in a thousandth of that. */
export function pdfBomb(bytes: number): Uint8Array {
  const packed = deflateSync(Buffer.alloc(bytes, ' '), { level: 1 }).toString('latin1')
  const object = (at: number, body: string) => `${at} 0 obj\n${body}\nendobj\n`
  const pdf = [
    '%PDF-1.4\n',
    object(1, '<< /Type /Catalog /Pages 2 0 R >>'),
    object(2, '<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    object(3, '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >>'),
    object(4, `<< /Length ${packed.length} /Filter /FlateDecode >>\nstream\n${packed}\nendstream`),
    'trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n',
  ]
  return Buffer.from(pdf.join(''), 'latin1')
}

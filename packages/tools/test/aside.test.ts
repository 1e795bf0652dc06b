import { describe, expect, it, onTestFinished } from 'vitest'
import { aside } from '../src/text/aside.ts'
import { parsePdf } from '../src/text/parse-pdf.ts'
import { pdfBomb, pdfOf } from './pdf.ts'

describe('a document parsed aside', () => {
  it('gives what the parser gives', async () => {
    expect(await aside({ pdf: pdfOf('One', 'Two') })).toBe('One\n\nTwo')
    expect(await aside({ html: '<title>T</title><p>x' })).toMatchObject({ title: 'T', text: 'x' })
  })

  it('one after the other leaves nothing behind', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    for (let at = 0; at < 15; at++) expect(await aside({ html: `<p>${at}` })).toMatchObject({ text: `${at}` })
    expect(warnings).toEqual([])
  })

  it('a hundred megabytes in a PDF of half of one are given up: by what they take, and by the time', async () => {
    const bomb = pdfBomb(100_000_000)
    expect(bomb.length).toBeLessThan(600_000)
    const before = process.memoryUsage.rss()
    expect(await aside({ pdf: bomb }, { maxGrowth: 50_000_000, timeoutMs: 60_000 })).toBeUndefined()
    expect(process.memoryUsage.rss() - before).toBeLessThan(400_000_000)
    expect(await aside({ pdf: bomb }, { timeoutMs: 1 })).toBeUndefined()
    expect(await aside({ pdf: pdfOf('Next') })).toBe('Next')
  })

  it('tells what is wrong with a file, and can be left', async () => {
    const broken = new TextEncoder().encode('%PDF-1.4 nothing')
    await expect(aside({ pdf: broken })).rejects.toThrow('it is damaged or no PDF')
    const controller = new AbortController()
    const left = aside({ pdf: pdfOf('x') }, { signal: controller.signal })
    controller.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
  })
})

describe('parsePdf', () => {
  it('leaves the bytes to the caller, and can be left', async () => {
    const bytes = pdfOf('One')
    expect([await parsePdf(bytes), await parsePdf(bytes)]).toEqual(['One', 'One'])
    await expect(parsePdf(bytes, AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
  })
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasShared } from '../../../test/shared.ts'
import { readHtml } from '../src/text/html.ts'
import { plainText } from '../src/text/plain-text.ts'

const folder = join(import.meta.dirname, '../../../../shared/cases/html-articles')
const articles = hasShared ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'source.html'))) : []
const read = (name: string, file: string) => readFileSync(join(folder, name, file), 'utf8')
const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/** The share of words that two texts have in common: the harmonic mean of precision and recall. */
function f1(ours: string[], theirs: string[]): number {
  if (ours.length + theirs.length === 0) return 1
  const counts = new Map<string, number>()
  for (const word of theirs) counts.set(word, (counts.get(word) ?? 0) + 1)
  let common = 0
  for (const word of ours) {
    const left = counts.get(word) ?? 0
    if (left > 0) common++
    counts.set(word, left - 1)
  }
  return (2 * common) / (ours.length + theirs.length)
}

describe('the article of a page', () => {
  it.skipIf(articles.length === 0)('has the words and the title that Readability finds in a browser', async () => {
    const scores: number[] = []
    let titles = 0
    for (const name of articles) {
      const source = read(name, 'source.html')
      const { text, title, markdown } = await readHtml(source, {
        url: 'http://fakehost/test/page.html',
      })
      const expected = plainText(read(name, 'expected.html'))
      scores.push(f1(wordsOf(text), wordsOf(expected)))
      if (title === (JSON.parse(read(name, 'expected-metadata.json')) as { title: string }).title) titles++
      for (const [, code = ''] of source.matchAll(
        /<(?:script|style)\b[^>]*>\s*([\s\S]{40})[\s\S]*?<\/(?:script|style)/g,
      )) {
        expect(`${text}${markdown}`).not.toContain(code)
      }
    }
    scores.sort((a, b) => a - b)
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    expect(scores[scores.length >> 1]).toBeGreaterThanOrEqual(0.97)
    expect(mean).toBeGreaterThanOrEqual(0.95)
    expect(titles / articles.length).toBeGreaterThan(0.9)
  })

  const words = 'Wool, spun and dyed, and wound into a ball, is what one needs in a labyrinth, as everybody knows. '

  it('comes as Markdown: headings, lists, code, tables as GitHub has them, links that are whole', async () => {
    const html = `<html><head><title>Yarn</title><base href="/sub/"><meta property="article:published_time" content="2026-03-01T10:00:00+01:00"></head>
      <body><nav><a href="/home">Home</a></nav><article><h1>Yarn</h1><p>${words.repeat(5)}<b>Bold</b> <a href="x.html">link</a>
      <a href="javascript:alert(1)">trap</a></p><h2>Kinds</h2><ul><li>one</li><li>two</li></ul>
      <table><thead><tr><th>kind</th><th>price</th></tr></thead><tbody><tr><td>a|b</td><td>1<br>2</td></tr></tbody></table>
      <table><tr><td><h3>Layout</h3><p>of old</p></td><td>side</td></tr></table>
      <pre><code class="language-js">let a = 1\nlet b</code></pre><p><img src="i.png" alt="A ball"><img src="data:image/png;base64,AA"></p>
      </article><script>var evil</script></body></html>`
    const { title, markdown, text, date } = await readHtml(html, { url: 'https://yarn.example/a/b.html' })
    expect(title).toBe('Yarn')
    expect(date).toBe('2026-03-01T09:00:00.000Z')
    expect(markdown).toContain('**Bold** [link](https://yarn.example/sub/x.html)')
    expect(markdown).toContain('## Kinds\n\n-   one\n-   two')
    expect(markdown).toContain('| kind | price |\n| --- | --- |\n| a\\|b | 1 2 |')
    expect(markdown).toContain('### Layout\n\nof old\n\nside')
    expect(markdown).toContain('```js\nlet a = 1\nlet b\n```')
    expect(markdown).toContain('![A ball](https://yarn.example/sub/i.png)')
    expect(markdown).not.toMatch(/javascript:|data:|evil|Home/)
    expect(text).toMatch(/Kinds\none\ntwo\nkind/)
  })

  it('is the whole page where there is no article, or only a small part of it is one', async () => {
    const links = Array.from(
      { length: 200 },
      (_, at) => `<li><a href="${at % 2 ? `/${at}` : 'javascript:alert(1)'}">Story number ${at}</a></li>`,
    ).join('')
    const { title, markdown } = await readHtml(`<title>News</title><style>a{}</style><ul>${links}</ul>`, {
      url: 'https://news.example/',
    })
    expect(title).toBe('News')
    expect(markdown).toContain('[Story number 199](https://news.example/199)')
    expect(markdown).not.toMatch(/a\{\}|javascript/)
    const teaser = `<article><p>${words}</p></article>${`<ul>${links}</ul>`.repeat(5)}`
    const teased = await readHtml(teaser)
    expect(teased.text).toContain('Story number 199')
    expect(teased.markdown).not.toContain('javascript')
    expect(await readHtml('', {})).toEqual({ title: '', markdown: '', text: '' })
    expect((await readHtml('just words')).markdown).toBe('just words')
    expect((await readHtml('<p>a\u0000\u0001b</p>')).text).toBe('ab')
  })
})

describe('hostile pages', () => {
  it.each([
    ['10 MB of nested <div>', () => '<div>'.repeat(2_000_000)],
    ['10 MB of nested <div> with words', () => `${'<div>'.repeat(300)}hello${'<div>'.repeat(2_000_000)}`],
    ['100,000 entities', () => `<p>${'&amp;&#x110000;&nope;'.repeat(33_000)}</p>`],
    ['a comment without end', () => `hello<!--${'<!--'.repeat(200_000)}`],
    ['scripts without end', () => `hello${'<script>'.repeat(200_000)}`],
    ['half tags', () => `hello${'<a '.repeat(300_000)}`],
    ['attributes', () => `<p ${'a="b" '.repeat(100_000)}>hello</p>`],
  ])('%s take bounded time and memory', async (_, make) => {
    const before = process.memoryUsage().rss
    const { text } = await readHtml(make(), { timeoutMs: 1_000 })
    expect(text.length).toBeLessThan(2_000_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(600_000_000)
  })

  it('that take too long come as their bare words, and the next page is read as ever', async () => {
    const wide = `<title>x</title>${'<div>hello, world <p>x &lt;y&gt; &#65;</p></div>'.repeat(40_000)}`
    const { title, text } = await readHtml(wide, { timeoutMs: 1 })
    expect([title, text.slice(0, 24)]).toEqual(['', 'hello, world\nx <y> A\nhel'])
    expect((await readHtml('<title>Next</title><p>page</p>')).title).toBe('Next')
  })

  it('that are nested too deep are not given to the parsers at all', async () => {
    const page = (depth: number) =>
      `<title>Deep</title><script>${'<div>'.repeat(300)}</script>${'<div>'.repeat(depth)}hello`
    expect(await readHtml(page(260))).toEqual({ title: '', markdown: 'hello', text: 'hello' })
    expect((await readHtml(page(30))).title).toBe('Deep')
    expect((await readHtml(`<title>List</title>${'<li>one<p>two'.repeat(300)}`)).title).toBe('List')
  })

  it('can be left', async () => {
    const controller = new AbortController()
    const left = readHtml('<p>hello</p>', { signal: controller.signal })
    controller.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    await expect(readHtml('<p>hello</p>', { signal: controller.signal })).rejects.toThrow('left')
  })
})

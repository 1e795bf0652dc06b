/** What README and docs show is what runs: every snippet comes from a file, and every output from running it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inspect, outputOf, pages, rendered, root } from '../scripts/snippets.ts'

const outputs = new Map<string, Promise<string>>()
const once = (name: string) => {
  const output = outputs.get(name) ?? outputOf(name)
  outputs.set(name, output)
  return output
}

describe.concurrent('docs', () => {
  it.each(pages().map((page) => [relative(root, page), page] as const))('P152: %s shows what runs', async (_, page) => {
    const { names, loose } = inspect(page)
    expect(loose, 'code fences that come from no file').toBe(0)
    await Promise.all(names.map(once))
    expect(await rendered(page, once)).toBe(readFileSync(page, 'utf8'))
  })

  it.each(pages().map((page) => [relative(root, page), page] as const))(
    '%s links to files that are there',
    (_, page) => {
      const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
        (match) => match[1] as string,
      )
      const broken = links.filter((link) => !existsSync(join(dirname(page), link)))
      expect(broken).toEqual([])
    },
  )

  it('the hello program is under 12 lines and imports three names', () => {
    const text = readFileSync(join(root, 'docs/snippets/hello.ts'), 'utf8').trimEnd()
    expect(text.split('\n').length).toBeLessThan(12)
    expect(text).toContain("import { Agent, openrouter, tool } from 'clew'")
  })
})

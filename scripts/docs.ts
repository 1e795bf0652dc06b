/** `npm run docs`: writes the snippets and what they print into README and docs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pages, rendered, root } from './snippets.ts'

for (const page of pages()) {
  const text = await rendered(page)
  if (text === readFileSync(page, 'utf8')) continue
  writeFileSync(page, text)
  console.log(`written: ${relative(root, page)}`)
}

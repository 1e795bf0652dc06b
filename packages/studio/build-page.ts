/** Bundles the page into `dist/page`, with its library: what is published asks no other server for anything. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const [from, to] = ['src/page', 'dist/page'].map((folder) => join(import.meta.dirname, folder)) as [string, string]
mkdirSync(to, { recursive: true })

const bundle = await rolldown({
  input: join(from, 'main.tsx'),
  platform: 'browser',
  tsconfig: join(import.meta.dirname, 'tsconfig.json'),
})
await bundle.write({ file: join(to, 'page.js'), format: 'esm', minify: true })
await bundle.close()
for (const name of ['index.html', 'page.css', 'icon.svg']) copyFileSync(join(from, name), join(to, name))

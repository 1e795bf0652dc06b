/**
 * `npm run demo`: a question about Clew over its own docs and the READMEs of the packages it stands on. Exits 0 only
 * when the report has at least three verified quotations from at least two documents.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { program } from './program.ts'
import { research } from './research.ts'

const question =
  'How does Clew keep the reasoning of a model between turns, and how are tool inputs validated and streamed events parsed?'

process.chdir(join(import.meta.dirname, '..', '..', '..'))

await program(async (screen, signal) => {
  screen.line(`Question: ${question}`)
  const sources = ['docs', ...readmesOfDependencies()]
  const { status, report, markdown } = await research({ question, sources, out: 'report.md' }, screen, signal)
  if (status === 'interrupted') return 130
  if (markdown) screen.line(`\n${markdown}`)
  const verified = (report?.findings ?? []).filter((finding) => finding.verified)
  const documents = new Set(verified.map((finding) => finding.source))
  if (verified.length >= 3 && documents.size >= 2) return 0
  screen.line(
    `The demo needs three verified quotations from two documents; there are ${verified.length} from ${documents.size}.`,
  )
  return 1
})

/** Documents that nobody here wrote. */
function readmesOfDependencies(): string[] {
  const found = new Map<string, string>()
  for (const name of readdirSync('packages')) {
    const modules = join('packages', name, 'node_modules')
    for (const dependency of existsSync(modules) ? readdirSync(modules) : []) {
      const readme = join(modules, dependency, 'README.md')
      if (existsSync(readme)) found.set(dependency, readme)
    }
  }
  return [...found.values()]
}

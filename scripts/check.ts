/**
 * `npm run check`: build, lint, types, package checks, then all tests (walls and docs snippets are tests). Ends with
 * one line, `N passed, N failed`, in which each check that is no test counts as one.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ran, run } from './run.ts'

let passed = 0
let failed = 0

async function check(name: string, work: Promise<Ran>): Promise<boolean> {
  const started = performance.now()
  const { code, output } = await work
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (code === 0) passed += 1
  else failed += 1
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`)
  if (code !== 0) console.log(output)
  return code === 0
}

const folders = ['packages', 'examples'].flatMap((group) => readdirSync(group).map((name) => join(group, name)))
const projects = [...folders.filter((folder) => existsSync(join(folder, 'tsconfig.json'))), '.']
const published = folders.filter((folder) => isPublished(folder))

function isPublished(folder: string): boolean {
  const manifest = join(folder, 'package.json')
  return existsSync(manifest) && !(JSON.parse(readFileSync(manifest, 'utf8')) as { private?: boolean }).private
}

const isBuilt = await check('build', run('turbo', ['run', 'build', '--output-logs=errors-only']))
await check('lint', run('biome', ['ci', '--colors=off', '--error-on-warnings']))
if (isBuilt) {
  for (const project of projects) await check(`types of ${project}`, run('tsc', ['-p', join(project, 'tsconfig.json')]))
  for (const folder of published) await check(`package ${folder}`, run('publint', ['--strict', folder]))
  await test()
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function test(): Promise<void> {
  const report = join(tmpdir(), `clew-test-${process.pid}.json`)
  const { code } = await run(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { show: true },
  )
  if (!existsSync(report)) {
    failed += 1
    return
  }
  const counted = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    numFailedTestSuites: number
  }
  rmSync(report)
  passed += counted.numPassedTests
  failed += counted.numFailedTests
  // A file that does not load, or an error outside of any test, fails the run without a failed test.
  if (code !== 0 && counted.numFailedTests === 0) failed += 1
}

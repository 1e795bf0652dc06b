#!/usr/bin/env node
/** `npm create clew-plugin my-plugin`: makes a tool package from the template, installs it, and says what comes next. */
import { spawnSync } from 'node:child_process'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { makePlugin } from './make-plugin.ts'
import { toPlan } from './plan.ts'
import { Refusal } from './refusal.ts'

const help = `npm create clew-plugin FOLDER [-- --no-install]

Makes a tool package for agents of Clew in FOLDER, with one tool and its tests, and installs what it needs.
The package is called like the folder; @scope/name makes the folder name.

  --no-install   writes the files and no more
  --help         says this`

try {
  main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 1
}

function main(): void {
  const { values, positionals } = readArguments()
  if (values.help) {
    console.log(help)
    return
  }
  const [given, ...more] = positionals
  if (given === undefined) throw new Refusal('Say in which folder: npm create clew-plugin my-plugin')
  if (more.length > 0)
    throw new Refusal(`One folder at a time; quote one with spaces. ${JSON.stringify(more)} came beside it.`)
  const plan = toPlan(given)
  makePlugin(plan)
  console.log(`Made ${plan.packageName} in ${plan.folder}.`)
  if (plan.ownNode)
    console.log(
      `Your Node is ${plan.userNode}, Clew needs 22.13: its npm scripts run on a Node of its own, among its devDependencies.`,
    )
  if (values['no-install']) {
    console.log(`\nNext:\n${steps(plan.folder, 'npm install', 'npm test')}`)
    return
  }
  console.log('npm install …')
  if (install(plan.folder)) {
    console.log(`\nNext:\n${steps(plan.folder, 'npm test')}`)
    return
  }
  const again = steps(plan.folder, 'npm install', 'npm test')
  throw new Refusal(`npm install failed, for the reason above. The files are in place; when it is mended:\n${again}`)
}

function steps(folder: string, ...commands: string[]): string {
  const place = relative(process.cwd(), folder)
  const quoted = /[^\w./\\:@-]/.test(place) ? `"${place}"` : place
  return [...(place === '' ? [] : [`cd ${quoted}`]), ...commands].map((line) => `  ${line}`).join('\n')
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, 'no-install': { type: 'boolean' } },
    })
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${help}`)
  }
}

/** By the npm that started this, where one did. */
function install(cwd: string): boolean {
  const npm = process.env.npm_execpath
  const words = ['install', '--no-audit', '--no-fund', '--loglevel=error']
  const ran = npm?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [npm, ...words], { cwd, stdio: 'inherit' })
    : spawnSync('npm', words, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
  return ran.status === 0
}

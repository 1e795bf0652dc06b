/** Writes the template into the folder, with its names filled in. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plan } from './plan.ts'

const template = join(import.meta.dirname, '../template')

/** In a package npm would read these two itself. */
const named: { [name: string]: string } = { _gitignore: '.gitignore', '_package.json': 'package.json' }

type Manifest = {
  devDependencies: { [name: string]: string }
}

export function makePlugin(plan: Plan): void {
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const from = join(entry.parentPath, entry.name)
    const to = join(plan.folder, named[entry.name] ?? relative(template, from))
    const text = readFileSync(from, 'utf8')
      .replaceAll('__PACKAGE__', plan.packageName)
      .replaceAll('__PLUGIN__', plan.pluginName)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, entry.name === '_package.json' ? fillIn(JSON.parse(text) as Manifest, plan) : text)
  }
}

function fillIn(manifest: Manifest, { clew, ownNode }: Plan): string {
  const { devDependencies, ...rest } = manifest
  const { node, ...others } = devDependencies
  const filled = Object.entries(others).map(([name, version]) => [
    name,
    name.startsWith('@clew/') ? clew(name.slice('@clew/'.length)) : version,
  ])
  return `${JSON.stringify(
    {
      ...rest,
      devDependencies: { ...Object.fromEntries(filled), ...(ownNode && { node }) },
      // The package `node` fetches the Node of this machine when it is installed.
      ...(ownNode && { allowScripts: { node: true } }),
    },
    null,
    2,
  )}\n`
}

/** What is to be made, and where: from what was typed and what stands around. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { Refusal } from './refusal.ts'

export type Plan = {
  folder: string
  packageName: string
  /** As `definePlugin` takes it: without a scope. */
  pluginName: string
  /** Where Clew's packages come from: their version on npm, or the checkout that this program runs from. */
  clew: (name: string) => string
  userNode: string
  /** The user's Node is too old for Clew. */
  ownNode: boolean
}

const here = resolve(import.meta.dirname, '..')

/** @throws Refusal that says what to type instead */
export function toPlan(given: string, env: NodeJS.ProcessEnv = process.env): Plan {
  const scoped = /^@[^/]+\/([^/]+)$/.exec(given)
  const folder = resolve(scoped?.[1] ?? given)
  const packageName = scoped ? given : basename(folder)
  checkName(packageName)
  checkFolder(folder)
  // With `npm run` in a checkout this runs on another Node than the user's.
  const userNode = /\bnode\/v([\d.]+)/.exec(env.npm_config_user_agent ?? '')?.[1] ?? process.versions.node
  return {
    folder,
    packageName,
    pluginName: (scoped?.[1] ?? packageName)
      .replace(/^clew-plugin-(?=.)/, '')
      .replace(/\./g, '-')
      .slice(0, 64),
    clew: source(folder),
    userNode,
    ownNode: isOlder(userNode, 22, 13),
  }
}

/** What npm takes for a new package: docs.npmjs.com/cli/configuring-npm/package-json, name. */
function checkName(name: string): void {
  const isLegal = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= 214
  if (isLegal && !['node_modules', 'favicon.ico'].includes(name)) return
  throw new Refusal(
    `${JSON.stringify(name)} can be no name of a package: it has small letters, digits, "-", "_" and "." only, and begins with a letter or digit. Choose another folder, for example ${suggest(name)}.`,
  )
}

function suggest(name: string): string {
  const words =
    name
      .toLowerCase()
      .replace(/^@[^/]*\//, '')
      .match(/[a-z0-9]+/g) ?? []
  const made = words.join('-').slice(0, 60)
  return made === '' || made === 'node-modules' ? 'my-plugin' : made
}

function checkFolder(folder: string): void {
  if (!existsSync(folder)) return
  if (!statSync(folder).isDirectory()) throw new Refusal(`${folder} is a file. Choose another folder.`)
  if (readdirSync(folder).length > 0) throw new Refusal(`${folder} is not empty. Choose a new folder.`)
}

function source(folder: string): Plan['clew'] {
  const { version } = readJson(join(here, 'package.json'))
  const packages = resolve(here, '..')
  const isCheckout = ['core', 'testing'].every((name) => {
    const manifest = join(packages, name, 'package.json')
    return existsSync(manifest) && readJson(manifest).name === `@clew/${name}`
  })
  if (!isCheckout) return () => `^${version}`
  const to = relative(realFolder(folder), realpathSync(packages)).replaceAll('\\', '/')
  return (name) => `file:${to}/${name}`
}

/** Links on the way to it followed, though it is not there yet: npm counts `..` from the real place. */
function realFolder(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : join(realFolder(resolve(folder, '..')), basename(folder))
}

function readJson(path: string): { name?: string; version?: string } {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function isOlder(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}

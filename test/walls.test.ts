/** Which way imports run: manifests and import statements are read, and the offender is named. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const standsOnTop = ['clew', '@clew/bench', '@clew/studio']
/** Packages and scopes of other people that only some of those that we publish may use. */
const reserved: { [dependency: string]: readonly string[] } = {
  openai: ['@clew/openrouter'],
  pg: ['@clew/memory', '@clew/tools'],
  '@modelcontextprotocol': ['@clew/mcp'],
  '@opentelemetry': ['@clew/tracing'],
}

/** The floors of core: a file imports from its own floor and from those before it. */
const floors = [
  [
    'json',
    'unreachable',
    'message',
    'model',
    'state',
    'event',
    'errors',
    'keys',
    'session',
    'tool-result',
    'schema-json',
    'schema-normalise',
    'schema-zod',
    'schema',
    'sub-agent',
    'tool',
    'handoff',
    'middleware',
  ],
  [
    'limits',
    'arguments',
    'history',
    'standing',
    'close-turn',
    'answered',
    'answer',
    'decide',
    'reduce',
    'apply-sealed',
  ],
  [
    'input',
    'saved',
    'inbox',
    'world',
    'leash',
    'holdup',
    'merge',
    'execute-tool',
    'seal-result',
    'compact-history',
    'receive-reply',
    'ask-model',
    'fence',
    'prepare-call',
    'perform-tool',
    'hand-over',
    'finish',
    'perform',
    'engine',
    'ending',
    'journal',
    'drive',
    'wrap-run',
    'reader',
    'run',
  ],
  [
    'result',
    'version',
    'plugin-host',
    'plugin',
    'agent-options',
    'with-plugins',
    'check-agent',
    'agents-by-name',
    'make-world',
    'call-tool',
    'opening',
    'as-tool',
    'start',
    'agent',
    'index',
  ],
]

type Manifest = {
  name: string
  private?: boolean
  dependencies?: object
  peerDependencies?: object
  optionalDependencies?: object
  devDependencies?: object
}
const folders = ['packages', 'examples'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
)
const packages = folders
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({
    folder,
    isExample: folder.includes('examples'),
    manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest,
  }))
const ours = new Set(packages.map(({ manifest }) => manifest.name))

/** Every module that the file names in an import, an export or a dynamic import. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g,
  )
  return [...found].map((match) => (match[1] ?? match[2]) as string)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function ownersOf(specifier: string): readonly string[] | undefined {
  return reserved[packageOf(specifier)] ?? reserved[specifier.split('/')[0] as string]
}

const sources = packages.flatMap(({ folder, manifest, isExample }) =>
  globSync('src/**/*.ts', { cwd: folder }).map((path) => ({ file: join(folder, path), folder, manifest, isExample })),
)

function mayImport(importer: { name: string; isExample: boolean }, imported: string): boolean {
  if (standsOnTop.includes(importer.name) || importer.isExample) return imported !== importer.name
  return imported === '@clew/core' && importer.name !== '@clew/core'
}

describe('import walls', () => {
  it('reads imports in every form', () => {
    expect(sources.length).toBeGreaterThan(30)
    const walls = importsOf(join(root, 'packages/openrouter/src/client.ts'))
    expect(walls).toContain('openai')
    expect(walls).toContain('./settings.ts')
  })

  it('packages import @clew/core and never each other', () => {
    const offences = sources.flatMap(({ file, manifest, isExample }) =>
      importsOf(file)
        .map(packageOf)
        .filter((name) => ours.has(name) && !mayImport({ name: manifest.name, isExample }, name))
        .map((name) => `${relative(root, file)} imports ${name}`),
    )
    expect(offences).toEqual([])
  })

  it('manifests depend the same way', () => {
    const offences = packages.flatMap(({ manifest, isExample }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
        .filter((name) => ours.has(name) && !mayImport({ name: manifest.name, isExample }, name))
        .map((name) => `${manifest.name} depends on ${name}`),
    )
    expect(offences).toEqual([])
  })

  it('every import stands in the manifest', () => {
    const offences = sources.flatMap(({ file, manifest }) => {
      const known = Object.keys({
        ...manifest.dependencies,
        ...manifest.peerDependencies,
        ...manifest.optionalDependencies,
        // What a page is made of is bundled into it, and not installed.
        ...(file.includes('/src/page/') && manifest.devDependencies),
      })
      return importsOf(file)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map(packageOf)
        .filter((name) => !known.includes(name))
        .map((name) => `${relative(root, file)} imports ${name}`)
    })
    expect(offences).toEqual([])
  })

  it('reserved packages are used in their places', () => {
    const offences = sources.flatMap(({ file, manifest }) =>
      importsOf(file)
        .filter((name) => ownersOf(name)?.includes(manifest.name) === false && !manifest.private)
        .map((name) => `${relative(root, file)} imports ${name}`),
    )
    expect(offences).toEqual([])
  })

  it('core imports nothing of Node', () => {
    const offences = sources
      .filter(({ manifest }) => manifest.name === '@clew/core')
      .flatMap(({ file }) => importsOf(file).filter((name) => name.startsWith('node:')))
    expect(offences).toEqual([])
  })

  it('no file is part of a circle, types included', () => {
    const graph = new Map(
      sources.map(({ file }) => [
        file,
        importsOf(file)
          .filter((name) => name.startsWith('.'))
          .map((name) => join(dirname(file), name)),
      ]),
    )
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, above: string[]): void => {
      const at = above.indexOf(file)
      if (at >= 0) circles.push([...above.slice(at), file].map((path) => relative(root, path)).join(' → '))
      if (at >= 0 || done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...above, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    expect(circles).toEqual([])
  })

  it('files of core import downward: words, rules, doing, face', () => {
    const floorOf = (file: string) => {
      const at = floors.findIndex((names) => names.includes(basename(file, '.ts')))
      expect(at, `${file} stands on no floor: add it to the list`).toBeGreaterThanOrEqual(0)
      return at
    }
    const core = sources.filter(({ file, manifest }) => manifest.name === '@clew/core' && !file.includes('testing'))
    const offences = core.flatMap(({ file }) =>
      importsOf(file)
        .filter((name) => name.startsWith('./') && floorOf(name) > floorOf(file))
        .map((name) => `${relative(root, file)} imports ${name}, which stands above it`),
    )
    expect(offences).toEqual([])
  })

  it('rules never wait, never read the clock, never make an id', () => {
    const rules = (floors[1] as string[]).map((name) => join(root, `packages/core/src/${name}.ts`))
    const offences = rules.flatMap((file) => {
      const found = readFileSync(file, 'utf8').match(
        /\b(await|async|Date|performance|setTimeout|nanoid|Math\.random|crypto)\b/,
      )
      return found ? [`${relative(root, file)}: ${found[0]}`] : []
    })
    expect(offences).toEqual([])
  })

  it('the loop stays small', () => {
    for (const name of ['engine', 'run', 'decide', 'reduce', 'perform']) {
      const lines = readFileSync(join(root, `packages/core/src/${name}.ts`), 'utf8').split('\n').length
      expect(lines, `${name}.ts`).toBeLessThan(200)
    }
  })
})

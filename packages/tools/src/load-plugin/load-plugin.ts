/** `loadPlugin()` takes a stranger's plugin, allows it what the program says, and can give it a process of its own. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type Capabilities,
  DefinitionError,
  definePlugin,
  describeError,
  describePlugin,
  type HostParts,
  makeHost,
  type Plugin,
  type PluginFactory,
  type PluginFacts,
} from '@clew/core'
import { checkNames } from '../guard/check-option.ts'
import { declaredCommand } from './declared-command.ts'
import { declaredFetch } from './declared-fetch.ts'
import { isolatedPlugin } from './isolated-plugin.ts'
import { PluginProcess } from './plugin-process.ts'

export type LoadPluginOptions = {
  /** What the plugin is called with; its schema checks it. */
  config?: unknown
  /** All that it may reach. One that declares more is not loaded, and the error shows what it wants. */
  allow: Capabilities
  /**
   * Runs its tools in a child process under Node's permission model, which reads code and the plugin's folders, writes its
   * folders, and starts nothing; what it fetches and runs, the program does for it, as far as it declared it. Its
   * environment is empty, its heap 256 MB. Before Node 25 sockets are closed by taking Node's own ways to them away.
   * It has no SQLite and sends no signals, and pictures and files that it shows come as bytes, not as addresses.
   * A plugin with middleware cannot be isolated. The tools get no `context`.
   */
  isolate?: boolean
  /** Stand behind its `fetch`, `run` and `secrets`, instead of the real ones. */
  parts?: HostParts
}

/**
 * `module` is where the plugin stands: `import.meta.resolve('@clew/plugin-github')`.
 * @throws DefinitionError when it is no plugin, cannot be loaded, was made for another version, or wants more than `allow`
 */
export async function loadPlugin(
  module: string | URL,
  options: LoadPluginOptions,
): Promise<Plugin & { close(): void }> {
  checkNames('loadPlugin', options, ['config', 'allow', 'isolate', 'parts'])
  checkNames('loadPlugin, allow', options.allow ?? {}, kinds)
  const { config, allow = {}, isolate = false, parts = {} } = options
  const entry = urlOf(module)
  if (!isolate) {
    const factory = await importFactory(entry)
    checkAllowed(factory.facts, allow)
    const make = factory as (config: unknown, parts: HostParts) => Plugin
    return { ...make(config, realParts(factory.facts, parts)), close() {} }
  }
  const facts = await factsOf(entry)
  checkAllowed(facts, allow)
  const host = makeHost(facts.name, undefined, facts.capabilities, realParts(facts, parts))
  const secrets = Object.fromEntries(Object.entries(host.secrets).filter(([, value]) => value !== undefined))
  const start = async () => {
    const process = new PluginProcess(entry, facts, host)
    try {
      const again = await process.facts()
      if (JSON.stringify(again) !== JSON.stringify(facts))
        throw new DefinitionError(`Plugin "${facts.name}" tells another thing of itself each time.`)
      return { process, plugin: await process.load(config, secrets as { [name: string]: string }) }
    } catch (error) {
      process.end()
      throw error
    }
  }
  return isolatedPlugin(await start(), start)
}

function realParts({ capabilities }: PluginFacts, parts: HostParts): HostParts {
  const { hosts = [] } = capabilities
  return { run: declaredCommand, ...(hosts.length > 0 && { fetch: declaredFetch(hosts) }), ...parts }
}

/** Asked in a process that may touch nothing but code: what it declares is not known yet. */
async function factsOf(entry: URL): Promise<PluginFacts> {
  const nothing = async () => {
    throw new DefinitionError('The plugin reached out before it was loaded.')
  }
  const process = new PluginProcess(entry, { capabilities: {} }, { fetch: nothing, run: nothing })
  try {
    const { name, capabilities, core } = await process.facts()
    // Whatever it told, from here on it is what a plugin can declare.
    return { ...definePlugin({ name, tools: [], capabilities }).facts, core: String(core) }
  } finally {
    process.end()
  }
}

function urlOf(module: string | URL): URL {
  const url = URL.canParse(String(module)) ? new URL(module) : undefined
  if (url?.protocol === 'file:') {
    if (existsSync(url)) return url
    throw new DefinitionError(`The plugin could not be loaded: there is no file ${fileURLToPath(url)}.`)
  }
  throw new DefinitionError(
    `loadPlugin: ${JSON.stringify(String(module))} is no file URL; write import.meta.resolve('the-package').`,
  )
}

async function importFactory(entry: URL): Promise<PluginFactory<unknown>> {
  let module: { default?: PluginFactory<unknown> }
  try {
    module = (await import(entry.href)) as typeof module
  } catch (cause) {
    throw new DefinitionError(`The plugin could not be loaded: ${describeError(cause)}`, { cause })
  }
  if (module.default?.facts) return module.default
  throw new DefinitionError('The plugin could not be loaded: its default export is not what definePlugin() makes')
}

const kinds = ['hosts', 'folders', 'commands', 'secrets'] as const

function checkAllowed(facts: PluginFacts, allow: Capabilities): void {
  const missing = kinds.flatMap((kind) =>
    (facts.capabilities[kind] ?? []).filter((name) => !allow[kind]?.includes(name)).map((name) => `${kind}: ${name}`),
  )
  if (missing.length === 0) return
  throw new DefinitionError(
    `${describePlugin(facts)}\nThat is more than it was allowed (${missing.join('; ')}). Add it to allow, or do not load the plugin.`,
  )
}

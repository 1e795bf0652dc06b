/** `definePlugin()` makes a tool package: what a stranger publishes, and an agent takes with `plugins: [theirs()]`. */
import { DefinitionError, InputError } from './errors.ts'
import { checkKeys } from './keys.ts'
import type { Middleware } from './middleware.ts'
import { type Capabilities, type HostParts, makeHost, type PluginHost } from './plugin-host.ts'
import { describeIssue, type StandardSchema } from './schema.ts'
import type { Tool } from './tool.ts'
import { coreVersion } from './version.ts'

export type PluginOptions<Config> = {
  /** Letters, digits, `_` and `-`: by it errors and people name the plugin. */
  name: string
  /** The tools, or what makes them when the plugin is called: nothing happens on import. */
  tools: readonly Tool<never>[] | ((host: PluginHost<Config>) => readonly Tool<never>[])
  /** Stands behind the instructions of the agent. */
  instructions?: string
  /** Stands inside of the middleware of the agent. */
  middleware?: (host: PluginHost<Config>) => readonly Middleware[]
  /** What the plugin is called with; it has to answer at once. */
  configSchema?: StandardSchema<unknown, Config>
  capabilities?: Capabilities
}

/** A plugin ready for `new Agent({ plugins })`. */
export interface Plugin {
  readonly name: string
  readonly tools: readonly Tool<never>[]
  readonly instructions?: string
  readonly use: readonly Middleware[]
  readonly capabilities: Capabilities
  /** The version of `@clew/core` that it was defined with. */
  readonly core: string
}

/** What can be told of a plugin before it is called. */
export type PluginFacts = Pick<Plugin, 'name' | 'capabilities' | 'core'>

/** Called with its config. `parts` stand behind its `fetch`, `run` and `secrets` where something else than the real ones should. */
export type PluginFactory<Config> = ((
  ...given: undefined extends Config ? [config?: Config, parts?: HostParts] : [config: Config, parts?: HostParts]
) => Plugin) & { readonly facts: PluginFacts }

type ConfigInput<Schema> = Schema extends { '~standard': { types?: { input: infer Input } | undefined } }
  ? object extends Input
    ? Input | undefined
    : Input
  : undefined

type ConfigOutput<Schema> = Schema extends { '~standard': { types?: { output: infer Output } | undefined } }
  ? Output
  : undefined

const optionNames = [
  'name',
  'tools',
  'instructions',
  'middleware',
  'configSchema',
  'capabilities',
] as const satisfies (keyof PluginOptions<unknown>)[]
const capabilityNames = ['hosts', 'folders', 'commands', 'secrets'] as const satisfies (keyof Capabilities)[]

/**
 * @throws DefinitionError when the definition cannot work; the factory throws InputError for a config that does not fit
 */
export function definePlugin<Schema extends StandardSchema<unknown, unknown> | undefined = undefined>(
  options: Omit<PluginOptions<ConfigOutput<Schema>>, 'configSchema'> & { configSchema?: Schema },
): PluginFactory<ConfigInput<Schema>> {
  const where = `Plugin ${JSON.stringify(options?.name)}`
  checkDefinition(options as PluginOptions<unknown>, where)
  const { name, tools, instructions, middleware, configSchema, capabilities = {} } = options
  const facts: PluginFacts = { name, capabilities, core: coreVersion }
  const make = (config?: unknown, parts: HostParts = {}): Plugin => {
    const host = makeHost(name, checkConfig(configSchema, config, where), capabilities, parts) as PluginHost<
      ConfigOutput<Schema>
    >
    return {
      ...facts,
      tools: typeof tools === 'function' ? tools(host) : tools,
      ...(instructions !== undefined && { instructions }),
      use: middleware?.(host) ?? [],
    }
  }
  return Object.assign(make, { facts }) as PluginFactory<ConfigInput<Schema>>
}

function checkDefinition(options: PluginOptions<unknown>, where: string): void {
  if (typeof options?.name !== 'string' || !/^[\w-]{1,64}$/.test(options.name)) {
    throw new DefinitionError(`${where}: a plugin's name has 1 to 64 letters, digits, "_" or "-".`)
  }
  checkKeys(options, optionNames, where, { config: 'configSchema', use: 'middleware' })
  if (!Array.isArray(options.tools) && typeof options.tools !== 'function') {
    throw new DefinitionError(`${where}: tools is neither a list nor a function of the host that gives one.`)
  }
  const { capabilities = {} } = options
  checkKeys(capabilities, capabilityNames, `${where}, capabilities`)
  for (const [kind, names] of Object.entries(capabilities)) {
    if (Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '')) continue
    throw new DefinitionError(`${where}: its ${kind} are ${JSON.stringify(names)}; give a list of texts.`)
  }
  for (const host of capabilities.hosts ?? []) {
    if (/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) continue
    throw new DefinitionError(
      `${where}: ${JSON.stringify(host)} is no host. Write "api.example.com" or "*.example.com", in small letters.`,
    )
  }
}

function checkConfig(schema: StandardSchema<unknown, unknown> | undefined, config: unknown, where: string): unknown {
  if (!schema) {
    if (config === undefined) return undefined
    throw new InputError(`${where} takes no config; it was given ${JSON.stringify(config)}.`)
  }
  const given = config === undefined ? {} : config
  const checked = schema['~standard'].validate(given)
  if (checked instanceof Promise)
    throw new DefinitionError(`${where}: its configSchema answers later; use one that answers at once.`)
  if (!checked.issues) return checked.value
  throw new InputError(
    `${where} cannot work with this config: ${checked.issues.map((issue) => describeIssue(issue, given)).join('; ')}`,
  )
}

/** What a plugin reaches, in words for the person who decides. */
export function describePlugin({ name, capabilities }: PluginFacts): string {
  const lines = capabilityNames.map((kind) => `  ${kind}: ${capabilities[kind]?.join(', ') || 'none'}`)
  return [`Plugin "${name}" reaches`, ...lines].join('\n')
}

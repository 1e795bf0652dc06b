/** An agent's options with what its plugins bring. */
import type { AgentOptions, FromContext } from './agent-options.ts'
import { DefinitionError } from './errors.ts'
import type { Plugin } from './plugin.ts'
import { coreVersion } from './version.ts'

/** @throws DefinitionError for what is no plugin, or one that was made for another version */
export function withPlugins<Context, Output>(options: AgentOptions<Context, Output>): AgentOptions<Context, Output> {
  if (options?.plugins === undefined) return options
  const { plugins, ...own } = options
  if (!Array.isArray(plugins)) throw new DefinitionError(`Agent "${own.name}": plugins is no list.`)
  for (const [index, plugin] of plugins.entries()) check(plugin, `Agent "${own.name}": plugins[${index}]`)
  const words = plugins.flatMap(({ instructions }) => instructions ?? [])
  const tools = plugins.flatMap((plugin) => plugin.tools)
  return {
    ...own,
    tools: after(own.tools, (list = []) => (Array.isArray(list) ? [...list, ...tools] : list)),
    ...((own.instructions !== undefined || words.length > 0) && {
      instructions: after(own.instructions, (text) => [text ?? [], ...words].flat().join('\n\n')),
    }),
    use: [...(own.use ?? []), ...plugins.flatMap(({ use }) => use)],
  }
}

/** A value changed, or the function of the context with its result changed. */
function after<Value, Context>(
  value: FromContext<Value, Context> | undefined,
  change: (value: Value | undefined) => Value,
): FromContext<Value, Context> {
  if (typeof value !== 'function') return change(value)
  return async (context) => change(await (value as (context: Context) => Value | Promise<Value>)(context))
}

function check(plugin: Plugin, where: string): void {
  if (typeof plugin === 'function') {
    throw new DefinitionError(`${where} is the plugin's factory; call it: plugins: [theirs()] or [theirs({ … })].`)
  }
  if (!Array.isArray(plugin?.tools) || typeof plugin.core !== 'string') {
    throw new DefinitionError(`${where} was not made by definePlugin().`)
  }
  if (lineOf(plugin.core) === lineOf(coreVersion)) return
  throw new DefinitionError(
    `${where}: plugin "${plugin.name}" was made with @clew/core ${plugin.core}, this program runs ${coreVersion}. Install a version of it for @clew/core ${lineOf(coreVersion)}.x, or remove the second copy of @clew/core.`,
  )
}

/** Versions that go together: before 1.0 those of one minor, then those of one major. */
function lineOf(version: string): string {
  const [major = '', minor = ''] = version.split('.')
  return major === '0' ? `0.${minor}` : major
}

/** `checkOptions()` refuses what `mcp()` would not read, and says what to write instead. */
import { DefinitionError } from '@clew/core'
import { toPrefix } from './names.ts'
import type { HttpOptions, McpOptions, SharedOptions, StdioOptions } from './options.ts'

const ofPrograms = ['command', 'args', 'env', 'cwd'] as const satisfies (keyof StdioOptions)[]
const ofUrls = [
  'url',
  'headers',
  'authProvider',
  'waitForAuthorization',
  'fetch',
] as const satisfies (keyof HttpOptions)[]
const shared = [
  'name',
  'timeoutMs',
  'maxMs',
  'perTool',
  'meta',
  'onElicitation',
  'sampling',
  'roots',
  'onWarning',
  'onToolsChanged',
] as const satisfies (keyof SharedOptions)[]

const otherWords: { [name: string]: string } = {
  timeout: 'timeoutMs',
  environment: 'env',
  prefix: 'name',
  requestInit: 'headers',
  toolOptions: 'perTool',
}

/** @throws DefinitionError */
export function checkOptions(options: McpOptions): void {
  if ('url' in options === 'command' in options) {
    throw new DefinitionError('mcp() takes { command, args } for a program, or { url } for a server; one of them.')
  }
  const known: readonly string[] = [...('url' in options ? ofUrls : ofPrograms), ...shared]
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const ours = Object.hasOwn(otherWords, key) ? `Write ${otherWords[key]}.` : `Known: ${known.join(', ')}.`
    throw new DefinitionError(`mcp(): there is no option "${key}". ${ours}`)
  }
  if ('url' in options && !URL.canParse(String(options.url))) {
    throw new DefinitionError(
      `mcp(): url is ${JSON.stringify(String(options.url))}; give an absolute one, with https:// .`,
    )
  }
  const { name } = options
  if (name !== undefined && name !== toPrefix(name)) {
    throw new DefinitionError(
      `mcp(): name is ${JSON.stringify(name)}; give at most 24 letters, digits, "_" or "-". Try ${JSON.stringify(toPrefix(name))}.`,
    )
  }
  for (const key of ['timeoutMs', 'maxMs'] as const) {
    const value = options[key]
    // Timers count in 32 bits: a longer one would fire at once.
    if (value !== undefined && !(value > 0 && value < 2 ** 31)) {
      throw new DefinitionError(`mcp(): ${key} is ${String(value)}; give a number above 0 and below 2^31.`)
    }
  }
}

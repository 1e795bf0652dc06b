/** Settings to fields of the request: each with its name on the wire and its check (sections 2 to 4 of the wire contract). */
import { DefinitionError } from '@clew/core'
import { type Fields, isObject } from './json.ts'
import type { Profile } from './profile.ts'
import { switchReasoning } from './profile.ts'
import {
  appRules,
  type Check,
  connectionRules,
  everywhere,
  limitRules,
  madeElsewhere,
  ofOpenRouter,
  providerRules,
  type Rule,
  reasoningRules,
} from './rules.ts'
import type { ConnectionSettings, OpenRouterSettings, Reasoning, ServerTool } from './settings.ts'

/** Fields that Clew writes; in `extraBody` they would fight with it. */
const ownFields = ['model', 'messages', 'tools', 'tool_choice', 'stream']

/**
 * The fields of the request that the settings ask for.
 * @throws DefinitionError naming the setting, its value, and what it may be.
 */
export function toWireParameters(settings: OpenRouterSettings, profile: Profile, where: string): Fields {
  const wire: Fields = {}
  const names: { [name: string]: Rule } = profile.openRouterFields ? { ...everywhere, ...ofOpenRouter } : everywhere
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue
    if (name === 'catalogue' && !profile.openRouterFields) throw new DefinitionError(`${where}: ${forOpenRouter(name)}`)
    if (Object.hasOwn(connectionRules, name)) {
      checkConnection(name as keyof ConnectionSettings, value, where)
      continue
    }
    const rule = Object.hasOwn(names, name) ? names[name] : undefined
    if (!rule) throw new DefinitionError(`${where}: ${noSetting(name, names)}`)
    check(rule, value, where, name)
    if (name === 'reasoning') Object.assign(wire, toWireReasoning(value as Reasoning, profile, where))
    else if (name === 'provider') wire.provider = rename(value as object, providerRules, where, 'provider')
    else if (name === 'maxTokens') wire[profile.maxTokens] = value
    else if (!madeElsewhere.includes(name)) wire[rule.wire] = value
  }
  addExtra(wire, settings, where)
  if (profile.openRouterFields) wire.plugins = withoutCompression(settings.plugins ?? wire.plugins)
  if (profile.includeUsage) wire.stream_options ??= { include_usage: true }
  return wire
}

/** Silent loss of history is for those who ask for it (section 4.3). */
function withoutCompression(plugins: unknown): unknown {
  const given = Array.isArray(plugins) ? plugins : []
  if (given.some((plugin) => isObject(plugin) && plugin.id === 'context-compression')) return given
  return [...given, { id: 'context-compression', enabled: false }]
}

function addExtra(wire: Fields, { extraBody = {} }: OpenRouterSettings, where: string): void {
  for (const [field, value] of Object.entries(extraBody)) {
    if (ownFields.includes(field))
      throw new DefinitionError(`${where}: extraBody.${field} would replace what Clew sends; leave it out.`)
    if (Object.hasOwn(wire, field))
      throw new DefinitionError(`${where}: extraBody.${field} is also set by the setting of that name; keep one.`)
    wire[field] = value
  }
}

function toWireReasoning(reasoning: Reasoning, profile: Profile, where: string): Fields {
  if (reasoning.effort !== undefined && reasoning.maxTokens !== undefined) {
    throw new DefinitionError(`${where}: reasoning has effort and maxTokens; a provider takes one of them.`)
  }
  const wire = rename(reasoning, reasoningRules, where, 'reasoning')
  if (profile.reasoningSwitch === 'reasoning') return { reasoning: wire }
  const beyond = Object.keys(wire).find((name) => name !== 'enabled' && name !== 'effort')
  const switched = beyond === undefined ? switchReasoning(profile.reasoningSwitch, reasoning) : undefined
  if (switched) return switched
  const field = beyond ? `reasoning.${beyond}` : 'reasoning'
  throw new DefinitionError(
    `${where}: ${field} cannot be set on ${profile.name} this way. Use extraBody for a field of your server, or its own settings.`,
  )
}

export function checkConnection(name: keyof ConnectionSettings, value: unknown, where: string): void {
  check(connectionRules[name], value, where, name)
  const rules = name === 'app' ? appRules : name === 'streamLimits' ? limitRules : undefined
  if (rules) checkEach(value as object, rules, where, name)
}

function rename(value: object, rules: { [name: string]: Rule }, where: string, parent: string): Fields {
  checkEach(value, rules, where, parent)
  const given = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(given.map(([name, each]) => [rules[name]!.wire, each]))
}

function checkEach(value: object, rules: { [name: string]: Check }, where: string, parent: string): void {
  for (const [name, each] of Object.entries(value)) {
    if (each === undefined) continue
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule) {
      const meant = Object.entries(rules).find(([, each]) => 'wire' in each && each.wire === name)?.[0]
      const hint = meant ? `Write ${parent}.${meant}.` : `Known: ${Object.keys(rules).join(', ')}.`
      throw new DefinitionError(`${where}: there is no setting ${parent}.${name}. ${hint}`)
    }
    check(rule, each, where, `${parent}.${name}`)
  }
}

export function check(rule: Check, value: unknown, where: string, name: string): void {
  if (rule.test(value)) return
  throw new DefinitionError(`${where}: ${name} is ${shown(value)}; it must be ${rule.says}.`)
}

/** As it was written: JSON has no word for NaN, and none at all for a bigint. */
function shown(value: unknown): string {
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value)
}

const forOpenRouter = (name: string) => `${name} is for OpenRouter only; leave it out.`

function noSetting(name: string, rules: { [name: string]: Rule }): string {
  if (Object.hasOwn(ofOpenRouter, name)) return forOpenRouter(name)
  const byWireName = Object.entries(rules).find(([, rule]) => rule.wire === name)?.[0]
  if (byWireName) return `there is no setting "${name}". Write ${byWireName}.`
  const known = [...Object.keys(rules), ...Object.keys(connectionRules)].join(', ')
  return `there is no setting "${name}". Known: ${known}. Any other field of the request goes into extraBody.`
}

/** `web_search` as OpenRouter's own tool of that name. */
export function toWireServerTool(tool: ServerTool): object {
  const { type, parameters } = typeof tool === 'string' ? { type: tool, parameters: undefined } : tool
  return { type: type.includes(':') ? type : `openrouter:${type}`, ...(parameters && { parameters }) }
}

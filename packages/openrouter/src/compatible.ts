/** `compatible({ baseURL, profile })`: models of any other server that speaks Chat Completions. */
import type { Model } from '@clew/core'
import { DefinitionError } from '@clew/core'
import { chatModel } from './chat-model.ts'
import { toWireParameters } from './parameters.ts'
import { base, type Profile, type ProfileName, profiles } from './profile.ts'
import type { CompatibleSettings } from './settings.ts'

export type CompatibleOptions = CompatibleSettings & {
  /** A server that is known by name, or its peculiarities as data. */
  profile: ProfileName | Profile
}

/**
 * A function that makes models of one server: `compatible({ profile: 'ollama' })('qwen3:8b', { temperature: 0 })`.
 * Settings given here hold for all of its models. Fields that only OpenRouter knows are neither taken nor sent.
 * @throws DefinitionError for a profile that is not known, and for a setting that cannot be sent
 */
export function compatible(options: CompatibleOptions): (model: string, settings?: CompatibleSettings) => Model {
  const { profile: given, ...shared } = options
  const profile = profileOf(given, shared.baseURL, 'compatible()')
  // What holds for all models is checked here, not when the first one is made.
  toWireParameters(shared, profile, 'compatible()')
  return (model, settings = {}) =>
    chatModel({
      id: model,
      profile,
      settings: { ...shared, ...settings },
      where: `${profile.name}(${JSON.stringify(model)})`,
    })
}

/** @throws DefinitionError for one that is not known or not right; `where` is told off. */
export function profileOf(given: ProfileName | Profile, baseURL: string | undefined, where: string): Profile {
  const named = typeof given === 'string' ? byName(given, where) : given
  if (typeof named !== 'object' || named === null) throw unknownProfile(given, where)
  const profile: Profile = { ...base, ...named, openRouterFields: false }
  checkProfile(profile, where)
  if (!(baseURL ?? profile.baseURL))
    throw new DefinitionError(`${where}: the profile "${profile.name}" has no address of its own; give a baseURL.`)
  return profile
}

const words: { [field: string]: readonly string[] } = {
  reasoningOut: ['reasoning_details', 'reasoning', 'reasoning_content', 'none'],
  reasoningSwitch: [
    'reasoning',
    'reasoning_effort',
    'enable_thinking',
    'chat_template_kwargs',
    'thinking',
    'none',
  ] satisfies Profile['reasoningSwitch'][],
  output: ['json_schema', 'json_object', 'words'] satisfies Profile['output'][],
  maxTokens: ['max_tokens', 'max_completion_tokens'] satisfies Profile['maxTokens'][],
}
const otherFields = ['name', 'baseURL', 'keyEnv', 'openRouterFields', 'includeUsage', 'namedToolChoice', 'thinkTags']

function checkProfile(profile: Profile, where: string): void {
  for (const [field, value] of Object.entries({
    ...Object.fromEntries(Object.keys(words).map((key) => [key, undefined])),
    ...profile,
  })) {
    const allowed = Object.hasOwn(words, field) ? words[field] : undefined
    if (allowed && !allowed.includes(value as string)) {
      throw new DefinitionError(
        `${where}: profile.${field} is ${JSON.stringify(value)}; it must be one of ${allowed.join(', ')}.`,
      )
    }
    if (!allowed && !otherFields.includes(field)) {
      const known = [...otherFields, ...Object.keys(words)].join(', ')
      throw new DefinitionError(`${where}: there is no field profile.${field}. Known: ${known}.`)
    }
  }
}

function byName(name: string, where: string): Profile {
  if (!Object.hasOwn(profiles, name)) throw unknownProfile(name, where)
  return profiles[name as ProfileName]
}

function unknownProfile(given: unknown, where: string): DefinitionError {
  const known = Object.keys(profiles).join(', ')
  return new DefinitionError(
    `${where}: profile is ${JSON.stringify(given)}; give one of ${known}, or an object such as ` +
      "{ ...profiles.vllm, name: 'mine', reasoningOut: 'none' }.",
  )
}

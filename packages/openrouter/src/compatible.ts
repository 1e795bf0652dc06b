/** `compatible({ baseURL, profile })`: models of any other server that speaks Chat Completions. */
import type { Model } from '@clew/core'
import { DefinitionError } from '@clew/core'
import { chatModel } from './chat-model.ts'
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
  const profile = typeof given === 'string' ? byName(given) : given
  if (typeof profile?.reasoningOut !== 'string') throw unknownProfile(given)
  if (!(shared.baseURL ?? profile.baseURL))
    throw new DefinitionError(`compatible(): the profile "${profile.name}" has no address of its own; give a baseURL.`)
  return (model, settings = {}) =>
    chatModel({
      id: model,
      profile: { ...base, ...profile, openRouterFields: false },
      settings: { ...shared, ...settings },
      where: `${profile.name}(${JSON.stringify(model)})`,
    })
}

function byName(name: string): Profile {
  if (!Object.hasOwn(profiles, name)) throw unknownProfile(name)
  return profiles[name as ProfileName]
}

function unknownProfile(given: unknown): DefinitionError {
  const known = Object.keys(profiles).join(', ')
  return new DefinitionError(
    `compatible(): profile is ${JSON.stringify(given)}; give one of ${known}, or an object such as ` +
      "{ name: 'mine', reasoningOut: 'none', reasoningSwitch: 'none', includeUsage: true, … }.",
  )
}

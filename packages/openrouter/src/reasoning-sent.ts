/** The details that go back with an assistant message (sections 6.4.2, 6.4.3 and 6.4.7 of the wire contract): all of them, or whole entries fewer. */
import type { AssistantMessage, Json } from '@clew/core'
import { familyOf, familyOfFormat } from './family.ts'
import { isObject, isText } from './json.ts'

/**
 * Left out are Claude's text without its signature, which is refused (it is what an answer leaves behind that was cut
 * before its end), and after a switch to a model of another family what that family cannot read. `undefined`: nothing
 * is sent; an empty list that came is sent, some models want it back.
 */
export function sendableDetails(
  { reasoningDetails, source }: AssistantMessage,
  model: string,
  fallbacks: readonly string[] = [],
): readonly Json[] | undefined {
  if (!reasoningDetails || reasoningDetails.length === 0) return reasoningDetails
  const from = source && familyOf(source.model)
  const to = familyOf(model)
  // A model of the fallback list may have answered: that was no switch.
  const readers = [to, ...fallbacks.map(familyOf)]
  const isSwitched = to && !(from && readers.includes(from))
  const kept = reasoningDetails.filter((detail) => {
    if (!isObject(detail)) return !(isSwitched && from)
    const family = familyOfFormat(detail.format) ?? from
    // What does not say where it comes from is told by its format, if at all.
    if (isSwitched && family && !readers.includes(family)) return false
    return detail.type !== 'reasoning.text' || family !== 'claude' || isText(detail.signature)
  })
  return kept.length === 0 ? undefined : kept
}

/** `dropOldest()`: the oldest atoms give way to one line that says how many messages were left out. */
import { type Draft, isEnough, looseSlots, messagesIn, replaceSlot, type Slot } from './draft.ts'
import { estimateMessage } from './tokens.ts'
import { countBehind, isSummary, leftOutNote } from './words.ts'

type Plan = { slots: Set<Slot>; count: number; freed: number }

export function dropOldest(draft: Draft): void {
  if (isEnough(draft)) return
  const loose = looseSlots(draft)
  const summaries = loose.filter(holdsSummary)
  const plan: Plan = { slots: new Set(), count: 0, freed: 0 }
  for (const slot of loose) if (!holdsSummary(slot) && sizeAfter(draft, plan) >= draft.low) take(plan, slot)
  // A summary stands for more than any atom: it goes last, and only where that helps.
  if (sizeAfter(draft, plan) > draft.high || sizeWithout(draft, plan, summaries) < draft.low) {
    for (const slot of summaries) if (sizeAfter(draft, plan) >= draft.low) take(plan, slot)
  }
  if (sizeAfter(draft, plan) >= draft.size) return
  const note = leftOutNote(plan.count)
  // In the place of the oldest: a history that began with a user's message still does.
  const first = loose.find((slot) => plan.slots.has(slot))
  for (const slot of plan.slots) replaceSlot(draft, slot, slot === first ? [note] : [])
}

function holdsSummary(slot: Slot): boolean {
  return isSummary(messagesIn(slot)[0])
}

function take(plan: Plan, slot: Slot): void {
  plan.slots.add(slot)
  plan.freed += slot.tokens
  for (const message of messagesIn(slot)) plan.count += countBehind(message)
}

function sizeAfter(draft: Draft, { count, freed }: Plan): number {
  return draft.size - (freed - estimateMessage(leftOutNote(count))) * draft.rate
}

function sizeWithout(draft: Draft, plan: Plan, slots: readonly Slot[]): number {
  const all = { ...plan, slots: new Set(plan.slots) }
  for (const slot of slots) take(all, slot)
  return sizeAfter(draft, all)
}

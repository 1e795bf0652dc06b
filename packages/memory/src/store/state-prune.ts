/** `pruned()`: what has expired in some places of this process, and how much that is. */
import type { Pruning } from './backend.ts'
import { lapsedArtifact, lapsedBlock, lapsedEntry, lapsedSession } from './expired.ts'
import type { Receipt } from './memory.ts'
import type { Place } from './place.ts'
import type { Removal } from './state.ts'

export function pruned(places: Place[], { expiry, limit, only }: Pruning): { remove: Removal[]; receipt: Receipt } {
  const removals = new Map<Place, Required<Removal>>()
  const receipt = { blocks: 0, blockVersions: 0, entries: 0, vectors: 0, artifacts: 0, sessions: 0 }
  let left = limit
  const take = (place: Place, what: 'entries' | 'blocks' | 'artifacts' | 'sessions', key: string) => {
    const removal = removals.get(place) ?? { in: place.path, entries: [], blocks: [], artifacts: [], sessions: [] }
    removals.set(place, removal)
    removal[what].push(key)
    receipt[what] += 1
    left -= 1
  }

  const entries = only ? [] : places.flatMap((place) => [...place.entries.values()].map((entry) => ({ place, entry })))
  const old = entries.filter(({ entry }) => lapsedEntry(entry, expiry))
  for (const { place, entry } of old.sort((one, two) => one.entry.at - two.entry.at).slice(0, limit)) {
    take(place, 'entries', entry.id)
    if (entry.vector) receipt.vectors += 1
  }
  for (const place of places) {
    for (const [name, values] of place.blocks) {
      if (left === 0 || !lapsedBlock(values, expiry) || !isAsked(only, { block: name })) continue
      take(place, 'blocks', name)
      receipt.blockVersions += values.length
    }
    for (const [id, artifact] of only ? [] : place.artifacts)
      if (left > 0 && lapsedArtifact(artifact, expiry)) take(place, 'artifacts', id)
    for (const [id, log] of place.sessions)
      if (left > 0 && lapsedSession(log, expiry) && isAsked(only, { session: id })) take(place, 'sessions', id)
  }
  return { remove: [...removals.values()], receipt }
}

function isAsked(only: Pruning['only'], { block, session }: { block?: string; session?: string }): boolean {
  if (!only) return true
  return 'block' in only ? only.block === block : only.session === session
}

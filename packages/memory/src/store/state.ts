/** `State`: memories in this process, and the changes by which they come to be. */
import type { Holder } from '../holder.ts'
import type { Artifact, BatchRow, BlockRow, EntryRow, FullShelf } from './backend.ts'
import { chainOf } from './convert.ts'
import { Place, type Renewed } from './place.ts'
import { covers } from './scope.ts'

/** What goes of one scope: entries, artifacts and sessions by id, blocks by name. */
export type Removal = {
  in: readonly string[]
  entries?: string[]
  blocks?: string[]
  artifacts?: string[]
  sessions?: string[]
}

/** One change of the scope `in`. */
export type Change = { in: readonly string[] } & (
  | { block: BlockRow }
  | { add: EntryRow[] }
  | { remove: Removal[] }
  | { artifact: Artifact }
  | { renew: Renewed; written: number }
  | { session: string; batch: BatchRow }
  | { hold: boolean }
  | { erase: true }
  | { load: FullShelf[] }
  /** Only in a file that was written anew. */
  | { epoch: number }
)

export class State {
  /** Of a store that lives in this process alone: who works on which session. */
  readonly leases = new Map<string, Holder>()
  readonly #tenants = new Map<string, Map<string, Place>>()

  find(path: readonly string[]): Place | undefined {
    return this.#tenants.get(path[0] as string)?.get(JSON.stringify(path))
  }

  /** The scope and all below it, as far as anything was ever kept there. */
  covered(path: readonly string[]): Place[] {
    const places = this.#tenants.get(path[0] as string)?.values() ?? []
    return [...places].filter((place) => covers(path, place.path))
  }

  /** The scope and those above it. */
  chain(path: readonly string[]): Place[] {
    return chainOf(path).flatMap((each) => this.find(each) ?? [])
  }

  epoch(path: readonly string[]): string {
    return chainOf(path)
      .map((each) => this.find(each)?.epoch ?? 0)
      .join('.')
  }

  all(): Place[] {
    return [...this.#tenants.values()].flatMap((places) => [...places.values()])
  }

  apply(change: Change): void {
    const place = this.#make(change.in)
    if ('block' in change) place.putBlock(change.block)
    else if ('add' in change) for (const entry of change.add) place.put(entry)
    else if ('remove' in change) for (const removal of change.remove) this.#remove(removal)
    else if ('artifact' in change) place.putArtifact(change.artifact)
    else if ('renew' in change) place.renew(change.renew, change.written)
    else if ('batch' in change) place.putBatch(change.session, change.batch)
    else if ('hold' in change) place.held = change.hold
    else if ('epoch' in change) place.epoch = change.epoch
    else if ('load' in change) for (const shelf of change.load) this.#load(shelf)
    else this.#erase(place)
  }

  #make(path: readonly string[]): Place {
    const places = this.#tenants.get(path[0] as string) ?? new Map<string, Place>()
    this.#tenants.set(path[0] as string, places)
    const key = JSON.stringify(path)
    const place = places.get(key) ?? new Place(path)
    places.set(key, place)
    return place
  }

  #load({ path, blocks, entries, artifacts, sessions }: FullShelf): void {
    const place = this.#make(path)
    for (const name of new Set(blocks.map((block) => block.name))) place.blocks.delete(name)
    for (const block of blocks) place.putBlock(block)
    for (const entry of entries) place.put(entry)
    for (const artifact of artifacts) place.putArtifact(artifact)
    for (const { id, batches } of sessions) for (const batch of batches) place.putBatch(id, batch)
  }

  #remove({ in: path, entries = [], blocks = [], artifacts = [], sessions = [] }: Removal): void {
    const place = this.find(path)
    for (const id of entries) place?.remove(id)
    for (const name of blocks) place?.blocks.delete(name)
    for (const id of artifacts) place?.artifacts.delete(id)
    for (const id of sessions) place?.sessions.delete(id)
  }

  #erase({ path, epoch }: Place): void {
    const places = this.#tenants.get(path[0] as string)
    // What was below needs no epoch of its own any more: whoever opened it remembers this one's too.
    for (const place of this.covered(path)) places?.delete(JSON.stringify(place.path))
    this.#make(path).epoch = epoch + 1
  }
}

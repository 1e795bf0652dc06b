/** `State`: memories in this process, and the changes by which they come to be. */
import type { Artifact, BatchRow, BlockRow, EntryRow, FullShelf } from './backend.ts'
import { chainOf } from './convert.ts'
import { Place } from './place.ts'
import { covers } from './scope.ts'

/** One change of the scope `in`. */
export type Change = { in: readonly string[] } & (
  | { block: BlockRow }
  | { add: EntryRow[] }
  /** By the scopes where they stand. */
  | { remove: { in: readonly string[]; ids: string[] }[] }
  | { artifact: Artifact }
  | { session: string; batch: BatchRow }
  | { hold: boolean }
  | { erase: true }
  | { load: FullShelf[] }
  /** Only in a file that was written anew. */
  | { epoch: number }
)

export class State {
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
    else if ('remove' in change)
      for (const { in: path, ids } of change.remove) for (const id of ids) this.find(path)?.remove(id)
    else if ('artifact' in change) place.artifacts.set(change.artifact.id, change.artifact.text)
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
    for (const { id, text } of artifacts) place.artifacts.set(id, text)
    for (const { id, batches } of sessions) for (const batch of batches) place.putBatch(id, batch)
  }

  #erase({ path, epoch }: Place): void {
    const places = this.#tenants.get(path[0] as string)
    // What was below needs no epoch of its own any more: whoever opened it remembers this one's too.
    for (const place of this.covered(path)) places?.delete(JSON.stringify(place.path))
    this.#make(path).epoch = epoch + 1
  }
}

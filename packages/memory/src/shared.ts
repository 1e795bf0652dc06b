/** `share()`: one resource for all who name the same key, opened by the first and closed behind the last. */

export type Share<Resource> = { resource: Promise<Resource>; leave(): Promise<void> }

type Entry<Resource> = { resource: Promise<Resource>; users: number }

/** An opening that failed is forgotten, so that the next one tries anew. */
export function share<Resource>(
  entries: Map<string, Entry<Resource>>,
  key: string,
  { open, close }: { open: () => Promise<Resource>; close: (resource: Resource) => void | Promise<void> },
): Share<Resource> {
  let entry = entries.get(key)
  if (!entry) {
    entry = { resource: open(), users: 0 }
    entries.set(key, entry)
  }
  const mine = entry
  mine.users += 1
  const forget = () => {
    if (entries.get(key) === mine) entries.delete(key)
  }
  mine.resource.catch(forget)
  let left: Promise<void> | undefined
  return {
    resource: mine.resource,
    leave() {
      left ??= (async () => {
        mine.users -= 1
        if (mine.users > 0) return
        forget()
        const resource = await mine.resource.catch(() => undefined)
        if (resource !== undefined) await close(resource)
      })()
      return left
    },
  }
}

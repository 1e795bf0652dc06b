/**
 * Several sources as one, at most `limit` at a time. Values that are ready together come out together, and a source is
 * pulled again only when its last value was taken: what follows a value cannot happen before the value was handled.
 */
import { closeQuietly } from './leash.ts'

export async function* merge<Value>(
  sources: readonly (() => AsyncGenerator<Value, void>)[],
  limit: number,
): AsyncGenerator<Value[], void> {
  type Source = AsyncGenerator<Value, void>
  type Pulled = { source: Source; result?: IteratorResult<Value, void>; error?: unknown }
  const waiting = [...sources]
  const open = new Set<Source>()
  const ready: Pulled[] = []
  let active = 0
  let wake: (() => void) | undefined
  let failure: { error: unknown } | undefined

  const arrive = (pulled: Pulled) => {
    ready.push(pulled)
    wake?.()
  }
  const pull = (source: Source) => {
    source.next().then(
      (result) => arrive({ source, result }),
      (error) => arrive({ source, error }),
    )
  }
  const start = () => {
    while (active < limit && waiting.length > 0) {
      active++
      const source = waiting.shift()!()
      open.add(source)
      pull(source)
    }
  }

  try {
    start()
    while (active > 0) {
      if (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const batch = ready.splice(0)
      const values: Value[] = []
      const again: Source[] = []
      for (const { source, result, error } of batch) {
        if (result && !result.done) {
          values.push(result.value)
          again.push(source)
          continue
        }
        active--
        open.delete(source)
        if (!result) failure ??= { error }
      }
      if (values.length > 0) yield values
      for (const source of again) pull(source)
      start()
    }
    if (failure) throw failure.error
  } finally {
    // Left in the middle: what runs is told to close.
    for (const source of open) closeQuietly(source)
  }
}

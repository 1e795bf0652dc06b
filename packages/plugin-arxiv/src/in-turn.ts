/** One request at a time, each a while after the one before: arXiv's terms of use, info.arxiv.org/help/api/tou.html. */
import { setTimeout } from 'node:timers/promises'

/** When the request before ended; of the whole process, as the terms count. */
let last: Promise<number> = Promise.resolve(-Infinity)

export function inTurn<Value>(work: () => Promise<Value>, pauseMs: number, signal: AbortSignal): Promise<Value> {
  const mine = last.then(async (ended) => {
    const wait = ended + pauseMs - performance.now()
    if (wait > 0) await setTimeout(wait, undefined, { signal })
    signal.throwIfAborted()
    return work()
  })
  const now = () => performance.now()
  last = mine.then(now, now)
  return mine
}

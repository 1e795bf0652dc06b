/** `enter` waits until fewer sandboxes run than there are processors: a model may ask for many at once. */
import { availableParallelism } from 'node:os'

const places = Math.max(2, availableParallelism())
const waiting: (() => void)[] = []
let inside = 0

/** Call what it returns when the sandbox has ended. */
export async function enter(signal?: AbortSignal): Promise<() => void> {
  if (inside < places) inside += 1
  else await turn(signal)
  return () => {
    const next = waiting.shift()
    if (next) next()
    else inside -= 1
  }
}

function turn(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => {
      signal?.removeEventListener('abort', quit)
      resolve()
    }
    const quit = () => {
      waiting.splice(waiting.indexOf(go), 1)
      reject(signal?.reason)
    }
    waiting.push(go)
    signal?.addEventListener('abort', quit, { once: true })
  })
}

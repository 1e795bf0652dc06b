/** `guardInput` judges user messages before the model reads them, or while it already answers. */
import type { Message, Middleware, ModelDelta, ModelReply, ModelRequest, Usage, UserMessage } from '@clew/core'
import { addUsage, noUsage, textOf } from '@clew/core'
import type { GuardOptions } from './guard-options.ts'
import { judge } from './judge.ts'

/** A changed message, or what became of it. */
type Read = UserMessage | 'unchanged' | 'withheld'

const maxRemembered = 1000
const maxRememberedChars = 10_000

type Next = (request: ModelRequest) => AsyncGenerator<ModelDelta[], ModelReply>

export function guardInput(
  by: { name: string; timeoutMs: number },
  input: NonNullable<GuardOptions['input']>,
  when: 'before' | 'beside',
): Required<Pick<Middleware, 'run' | 'model'>> {
  /** What the model reads for a message; nothing for one that it must not read. By identity: what is copied is judged again. */
  const judged = new WeakMap<Message, Read>()
  /** The same by content: a session that is read again gives equal messages, not the same. */
  const remembered = new Map<string, Read>()
  /** Messages that had their run: they cannot stop this one. */
  const earlier = new WeakSet<Message>()

  return {
    async *run({ messages: [...before] }, next) {
      for (const message of before.slice(0, before.findLastIndex(({ role }) => role === 'assistant') + 1)) {
        earlier.add(message)
      }
      for await (const events of next()) {
        for (const event of events) {
          if (event.type === 'run-start') for (const message of before) earlier.add(message)
          // The repair of an output is core's own word.
          if (event.type === 'output-invalid') judged.set(event.message, 'unchanged')
        }
        yield events
      }
    },
    async *model(request, next) {
      const fresh = request.messages.filter((message) => message.role === 'user' && !judged.has(message))
      if (fresh.length === 0) return yield* next(judgedOf(request))
      const stopping = judgeAll(fresh as UserMessage[], request)
      if (when === 'beside') return yield* beside(request, next, stopping)
      const stop = await stopping
      return stop === undefined ? yield* next(judgedOf(request)) : stopped(stop, noUsage)
    },
  }

  /** The reason to stop, if there is one. */
  async function judgeAll(fresh: UserMessage[], { messages, signal }: ModelRequest): Promise<string | undefined> {
    const stops = await Promise.all(
      fresh.map(async (message) => {
        const key = JSON.stringify(message.content)
        let read = earlier.has(message) ? remembered.get(key) : undefined
        if (!read) {
          const text = textOf(message.content)
          const verdict = await judge(by, signal, (own) => input({ text, message, messages, signal: own }))
          const isStop = verdict !== undefined && !('change' in verdict)
          if (isStop && !earlier.has(message)) return 'stop' in verdict ? verdict.stop : verdict.deny
          read = isStop ? 'withheld' : verdict ? { role: 'user', content: verdict.change } : 'unchanged'
          remember(key, read)
        }
        judged.set(message, read)
        return undefined
      }),
    )
    return stops.find((stop) => stop !== undefined)
  }

  function remember(key: string, read: Read): void {
    if (key.length > maxRememberedChars) return
    remembered.delete(key)
    remembered.set(key, read)
    for (const oldest of remembered.keys()) {
      if (remembered.size <= maxRemembered) break
      remembered.delete(oldest)
    }
  }

  function judgedOf(request: ModelRequest): ModelRequest {
    const messages = request.messages.flatMap((message): Message[] => {
      const read = judged.get(message) ?? 'unchanged'
      if (read === 'withheld') return []
      return [read === 'unchanged' ? message : read]
    })
    return { ...request, messages }
  }

  /** The model answers while the guard still thinks; nothing of it is shown before the verdict. */
  async function* beside(
    request: ModelRequest,
    next: Next,
    stopping: Promise<string | undefined>,
  ): AsyncGenerator<ModelDelta[], ModelReply> {
    const leave = new AbortController()
    const asked = judgedOf(request)
    const answer = next({ ...asked, signal: AbortSignal.any([request.signal, leave.signal]) })
    const verdict = quiet(stopping.then((stop) => ({ stop })))
    const held: ModelDelta[][] = []
    let pulled = quiet(answer.next())
    let reply: ModelReply | undefined
    for (;;) {
      const first = await Promise.race([verdict, pulled])
      if ('stop' in first) break
      if (first.done) {
        reply = first.value
        break
      }
      held.push(first.value)
      pulled = quiet(answer.next())
    }
    const { stop } = await verdict
    if (stop === undefined && isSame(asked.messages, judgedOf(request).messages)) {
      yield* held
      return yield* rest(pulled, answer)
    }
    leave.abort(new Error(`guard "${by.name}" did not let the input pass`))
    void quiet(answer.return(undefined as never))
    const restarts = held.flat().filter(({ type }) => type === 'model-restart')
    if (restarts.length > 0) yield restarts
    const left: Usage = reply?.usage ?? { ...noUsage, requests: 1, unreported: 1 }
    if (stop !== undefined) return stopped(stop, left)
    const second = yield* next(judgedOf(request))
    return { ...second, usage: addUsage(left, second.usage ?? { ...noUsage, requests: 1, unreported: 1 }) }
  }
}

/** What remains of an answer whose next piece is under way. */
async function* rest(
  pulled: Promise<IteratorResult<ModelDelta[], ModelReply>>,
  answer: AsyncGenerator<ModelDelta[], ModelReply>,
): AsyncGenerator<ModelDelta[], ModelReply> {
  const next = await pulled
  if (next.done) return next.value
  yield next.value
  return yield* answer
}

function isSame(a: readonly Message[], b: readonly Message[]): boolean {
  return a.length === b.length && a.every((message, index) => message === b[index])
}

/** Whoever waits for it gets its rejection; when nobody waits any more, nobody is told. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}

/** Nothing of an answer. */
function stopped(reason: string, usage: Usage): ModelReply {
  return { content: '', finishReason: 'other', usage, source: { model: '' }, stop: { by: 'guard', reason } }
}

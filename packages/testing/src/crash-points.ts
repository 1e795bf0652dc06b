/** Where a run can be killed: it stops there for ever, so that the process is killed exactly then, found by counting. */
import type { LoggedEvent, Model, RunEvent, Session } from '@clew/core'

export type CrashPoints = {
  /** What was reached so far, in order. */
  readonly labels: readonly string[]
  /** Resolves when the run stands still at its point. */
  readonly parked: Promise<void>
  /** A point. Once one has been parked at, all that are reached later park too: the process is as good as dead. */
  reach(label: string): Promise<void>
  /** The session with a point before each append, and one behind it, when the batch is durable. */
  session(session: Session): Session
  /** The model with a point before each of its deltas. */
  model(model: Model): Model
}

/** Points of a session in one process: more than these are a circle. */
const maxPoints = 5000

/** Counts from 1 and parks at point `parkAt`; without it, it only counts. */
export function crashPoints(parkAt = Number.POSITIVE_INFINITY): CrashPoints {
  const labels: string[] = []
  const { promise: parked, resolve: park } = Promise.withResolvers<void>()
  let isParked = false

  async function reach(label: string): Promise<void> {
    if (!isParked) {
      if (labels.length === maxPoints) throw new Error(`it passed ${maxPoints} points and does not come to an end`)
      labels.push(label)
      if (labels.length < parkAt) return
      isParked = true
      park()
    }
    await new Promise<never>(() => {})
  }

  return {
    labels,
    parked,
    reach,
    session: (session) => ({
      ...session,
      async append(at, batch) {
        const what = batch.events.map(nameOf).join('+')
        await reach(`append ${what}`)
        // A store takes its time: what must wait for it has every chance to run ahead here. When it runs into the crash,
        // the batch is lost with it.
        await new Promise((resolve) => setImmediate(resolve))
        if (isParked) await new Promise<never>(() => {})
        const end = await session.append(at, batch)
        await reach(`appended ${what}`)
        return end
      },
    }),
    model: (model) => ({
      ...model,
      async *generate(request) {
        const answer = model.generate(request)
        for (;;) {
          const next = await answer.next()
          if (next.done) return next.value
          await reach('delta')
          yield next.value
        }
      },
    }),
  }
}

function nameOf(event: LoggedEvent | RunEvent): string {
  return event.type === 'child' ? `>${nameOf(event.event)}` : event.type
}

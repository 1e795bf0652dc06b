/** `crashChild()`: the process that `crashKit` starts and kills. It does what its first line of stdin orders. */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import {
  type Agent,
  type Answer,
  type Answers,
  approve,
  checkHistory,
  emptyState,
  fold,
  isClewError,
  type Need,
  needsOf,
  type RunState,
  reduce,
  respond,
  retry,
  type Session,
} from '@clew/core'
import { type CrashPoints, crashPoints } from './crash-points.ts'
import { type CrashWorld, crashWorld, readEffects } from './crash-world.ts'

export type CrashScenario = {
  name: string
  /** One run each, one after the other in one session. */
  inputs: readonly string[]
  /**
   * Made anew in every process. Its models answer by what the request holds, not by how often they were asked; its tools
   * and models do their work within microtasks, so that every run reaches the same points.
   */
  agent(world: CrashWorld): Agent
  /** What is said to needs that are no verdicts. Default: `approve()`. */
  answer?(need: Need): Answer
  /** The runs' events are read one by one, with a point to be killed at behind each. */
  isStreamed?: boolean
}

/** What a session came to. */
export type CrashOutcome = { status: string; text: string; roles: string; verdicts: number; problems: string[] }

export type CrashJob = { session: string; scenario: string; parkAt?: number }
export type CrashOrder = { record: string; jobs: CrashJob[] }
/** Of one job: the points that it passed, whether it stands at the last of them, and what it came to if not. */
export type CrashDone = { session: string; labels: string[]; isParked: boolean; outcome?: CrashOutcome }

/**
 * Runs the sessions that are ordered, all at once, each to its point or to its end, says so on stdout and waits for the
 * kill. `open` gives the session of an id; the same log for the same id, also in another process.
 */
export async function crashChild(options: {
  scenarios: readonly CrashScenario[]
  open(id: string): Session | Promise<Session>
}): Promise<void> {
  const lines = createInterface(process.stdin)
  // The order is one line and stdin stays open: its end is that of the parent, however that came.
  lines.once('close', () => process.exit())
  const order = JSON.parse(await new Promise<string>((resolve) => lines.once('line', resolve))) as CrashOrder
  const done = await Promise.all(
    order.jobs.map(async (job): Promise<CrashDone> => {
      const scenario = options.scenarios.find(({ name }) => name === job.scenario)
      if (!scenario) throw new Error(`There is no scenario "${job.scenario}".`)
      const points = crashPoints(job.parkAt)
      const opened = await options.open(job.session)
      const ended = goOn(scenario, points, opened, order.record)
        .catch((error) => failedOutcome(error))
        .then(async (outcome) => {
          await opened.close()
          return outcome
        })
      const outcome = await Promise.race([ended, points.parked.then(() => undefined)])
      return { session: job.session, labels: [...points.labels], isParked: !outcome, ...(outcome && { outcome }) }
    }),
  )
  writeAll(`${JSON.stringify(done)}\n`)
}

/** Runs and answers of one session in one process: more than these are a circle. */
const maxRounds = 50

/** Begins, resumes and answers, whatever the session's log asks for next. */
async function goOn(
  scenario: CrashScenario,
  points: CrashPoints,
  opened: Session,
  record: string,
): Promise<CrashOutcome> {
  const session = points.session(opened)
  const agent = scenario.agent(crashWorld(record, session.id, points))
  let verdicts = 0
  const answerTo = (need: Need): Answer => {
    if (need.for !== 'verdict') return scenario.answer?.(need) ?? approve()
    verdicts += 1
    const happened = readEffects(record).some(({ session: of, key }) => of === session.id && key === need.id)
    return happened ? respond('It was done, says the record.') : retry()
  }
  for (let rounds = 0; ; rounds++) {
    if (rounds === maxRounds) throw new Error(`it was gone on with ${maxRounds} times and does not come to an end`)
    const { events } = await session.read()
    const state = fold(events)
    const begun = events.filter(({ type }) => type === 'run-start').length
    const isOver = state.id === '' || state.status === 'done' || state.status === 'stopped'
    const input = scenario.inputs[begun]
    if (isOver && input === undefined) break
    const needs = needsOf(state)
    if (needs.length > 0) await points.reach('waiting')
    const answers: Answers = Object.fromEntries(needs.map((need) => [need.id, answerTo(need)]))
    const run = isOver && input !== undefined ? agent.run(input, { session }) : agent.resume(session, answers)
    if (scenario.isStreamed) for await (const { type } of run) await points.reach(`read ${type}`)
    await run
  }
  const { state, text } = await agent.resume(opened)
  const { events } = await opened.read()
  return {
    ...summary(state, text),
    verdicts,
    problems: problemsOf(events.reduce<RunState>(reduce, emptyState()), state),
  }
}

const summary = ({ status, messages }: RunState, text: string) => ({
  status,
  text,
  roles: messages.map(({ role }) => role).join(' '),
})

function problemsOf(folded: RunState, state: RunState): string[] {
  const history = checkHistory(state.messages)
  return [
    ...(history === undefined ? [] : [`its history is not valid: ${history}`]),
    ...(isDeepStrictEqual(folded, state) ? [] : ['its log does not fold to its state']),
  ]
}

function failedOutcome(error: unknown): CrashOutcome {
  const text = isClewError(error) ? `${error.name}: ${error.message}` : String((error as Error)?.stack ?? error)
  return { status: 'failed', text: '', roles: '', verdicts: 0, problems: [`going on failed: ${text}`] }
}

/** To a pipe that may be full. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

/**
 * Any run: random agents, killed, left, refused by their store, answered rightly and wrongly, by programs that change. What
 * the log says is what happened, at every step. `CLEW_RUNS` plays more of them, `CLEW_SEED` begins with another one.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import {
  type Answers,
  approve,
  fold,
  isClewError,
  memorySession,
  needsOf,
  type Receipt,
  type Run,
  type RunResult,
  type Session,
  SessionError,
  type Unsaved,
} from '../src/index.ts'
import { readState } from '../src/saved.ts'
import { answerTo, type Dice, diceOf, isSame, Ledger, never, type Process, programOf, type Talk } from './any-run.ts'

const runs = Number(process.env.CLEW_RUNS ?? 200)
const firstSeed = Number(process.env.CLEW_SEED ?? 1)
const batches = Array.from({ length: Math.ceil(runs / 50) }, (_, at) => firstSeed + at * 50)
const mostSteps = 12
/** Far more than a step takes: graces and stores are quick here. */
const hangMs = 30_000

let now = Date.UTC(2026, 0, 1)
beforeEach(() => void vi.useFakeTimers({ now, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

it.each(batches)('any run keeps its log true (seeds from %i on)', { timeout: runs * 1000 }, async (from) => {
  for (let seed = from; seed < Math.min(from + 50, firstSeed + runs); seed++) {
    const { problems, told } = await play(seed)
    expect(problems, `seed ${seed}:\n${told.join('\n')}`).toEqual([])
  }
})

/** One talk through several processes. */
async function play(seed: number): Promise<{ problems: string[]; told: string[] }> {
  const dice = diceOf(seed)
  const ledger = new Ledger()
  const log = memorySession()
  const talk: Talk = {
    changes: dice.chance(0.5),
    hasPolicy: dice.chance(0.4),
    hasFilter: dice.chance(0.3),
    hasLimits: dice.chance(0.4),
    hasFatal: dice.chance(0.2),
  }
  const told: string[] = []
  let unsaved: Unsaved | undefined
  for (let step = 0; step < mostSteps && ledger.problems.length === 0; step++) {
    now += dice.pick([0, 100, 2000])
    vi.setSystemTime(now)
    const ended = await playStep({ dice, ledger, log, talk, unsaved, words: `steered in step ${step}.` })
    told.push(ended.told)
    unsaved = dice.chance(0.8) ? ended.unsaved : undefined
    if (!isSame(fold((await log.read()).events), ledger.state)) ledger.problems.push('fold is not reduce')
  }
  return { problems: ledger.problems, told }
}

type Step = { dice: Dice; ledger: Ledger; log: Session; talk: Talk; unsaved: Unsaved | undefined; words: string }
type StepEnd = { told: string; unsaved?: Unsaved | undefined }

/** One process: it begins or goes on, and comes to an end or dies. */
async function playStep(step: Step): Promise<StepEnd> {
  const { dice, ledger } = step
  const process: Process = { isDead: false }
  const { session, death } = mortal(step, process)
  const { act, run, refusal } = begin(step, process, session)
  const receipts: Promise<Receipt>[] = []
  const reading = read(run, dice, step.words, receipts).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  )
  let timer: ReturnType<typeof setTimeout> | undefined
  const hang = new Promise<'hang'>((resolve) => {
    timer = setTimeout(() => resolve('hang'), hangMs)
  })
  const ended = await Promise.race([reading, death, hang])
  clearTimeout(timer)
  if (ended === 'death') return { told: `${act}: died` }
  if (ended === 'hang') {
    ledger.problems.push(`${act} hangs`)
    return { told: `${act}: hangs` }
  }
  await checkReceipts(step, receipts)
  if ('error' in ended) return checkError(ended.error, act, refusal, ledger)
  checkResult(ended.result, act, refusal, ledger)
  return { told: `${act}: ${ended.result.status} ${ended.result.stop ?? ''}` }
}

/** The log, for a process that dies, or whose disk is full, at some append. */
function mortal({ dice, ledger, log }: Step, process: Process) {
  const { promise: death, resolve: die } = Promise.withResolvers<'death'>()
  const how = dice.pick(['before', 'behind', 'disk full'])
  let left = dice.chance(0.5) ? dice.below(12) : Number.POSITIVE_INFINITY
  const write: Session['append'] = async (at, batch) => {
    const end = await log.append(at, batch)
    ledger.take(batch.events)
    return end
  }
  const append: Session['append'] = async (at, batch) => {
    await dice.pause(1)
    if (process.isDead) await never
    if (left-- > 0) return write(at, batch)
    if (how === 'disk full') throw new SessionError('disk full')
    if (how === 'behind') await write(at, batch)
    process.isDead = true
    die('death')
    return never
  }
  return { session: { id: log.id, read: log.read, close: log.close, append } satisfies Session, death }
}

type Begun = { act: string; run: Run<RunResult>; refusal?: RegExp }

/** What is done with the log as it stands; with a `refusal` where that cannot be. */
function begin({ dice, ledger, talk, unsaved }: Step, process: Process, session: Session): Begun {
  const { state } = ledger
  const agents = programOf(talk, dice, ledger, process)
  const desk = agents.desk!
  const start = (input: string) => desk.run(input, { session })
  if (unsaved) return { act: 'resume with unsaved', run: desk.resume(session, {}, { unsaved }) }
  if (state.id === '' || state.status === 'aborted') return { act: 'run', run: start('Go.') }
  const needs = needsOf(state)
  const isOver = (expiresAt = Number.POSITIVE_INFINITY) => expiresAt <= now
  const open = needs.filter(({ expiresAt }) => !isOver(expiresAt))
  const answers: Answers = {}
  for (const need of open) if (dice.chance(0.7)) answers[need.id] = answerTo(need, ledger, dice)
  const speaker = dice.chance(0.2) && state.agent === 'cashier' ? agents.cashier! : desk

  if (state.status === 'waiting') {
    if (dice.chance(0.1)) return { act: 'run on', run: start('On.'), refusal: /waits for answers to/ }
    const late = needs.find(({ expiresAt }) => isOver(expiresAt))
    if (late && dice.chance(0.3)) {
      return { act: 'late', run: desk.resume(session, { [late.id]: approve() }), refusal: /can no longer be answered/ }
    }
    const [need] = open
    if (need && dice.chance(0.15)) {
      const forged = dice.pick<[Answers, RegExp]>([
        [{ ...answers, forged: approve() }, /No call "forged" waits/],
        [{ [need.id]: { type: 'expire' } as never }, /answer with/],
        [{ [need.id]: { type: 'respond', content: 'x', seen: { tool: 'x', input: 1 } } }, /but the call is/],
      ])
      return { act: 'forged', run: desk.resume(session, forged[0]), refusal: forged[1] }
    }
    return { act: `answer ${Object.keys(answers).length}`, run: speaker.resume(session, answers) }
  }
  if (state.status === 'running') {
    if (dice.chance(0.15)) return { act: 'run over what crashed', run: start('Never mind.') }
    return { act: 'resume', run: speaker.resume(session, dice.chance(0.5) ? answers : {}) }
  }
  if (dice.chance(0.2)) return { act: 'resume what is over', run: desk.resume(session) }
  return { act: 'run', run: start('Next.') }
}

/** Reads to the end; somewhere on the way the run may be left or added to. */
async function read(run: Run<RunResult>, dice: Dice, words: string, receipts: Promise<Receipt>[]): Promise<RunResult> {
  const abortAt = dice.chance(0.2) ? dice.below(30) : -1
  const steerAt = dice.chance(0.3) ? dice.below(15) : -1
  let at = 0
  for await (const _ of run) {
    if (at === abortAt) run.abort(new Error('left'))
    if (at === steerAt) receipts.push(run.steer(words))
    at++
  }
  return run.result()
}

async function checkReceipts({ ledger, log, words }: Step, receipts: Promise<Receipt>[]): Promise<void> {
  const { events } = await log.read()
  const steered = events.find((event) => event.type === 'steer' && JSON.stringify(event).includes(words))
  const expected: Receipt = steered?.type === 'steer' ? { seen: true, turn: steered.turn } : { seen: false }
  for (const receipt of receipts) {
    const got = await receipt
    if (!isSame(got, expected)) ledger.problems.push(`the receipt says ${JSON.stringify(got)}`)
  }
}

/** The end of a run that was left can be among what is unsaved. */
const known = /model down|disk full|fatal|^The run was aborted, so it cannot be resumed/

function checkError(error: unknown, act: string, refusal: RegExp | undefined, ledger: Ledger): StepEnd {
  const { name, message } = error as Error
  const told = `${act}: ${name}: ${message}`
  if (isClewError(error, 'abort')) {
    if (error.state.id && !isSame(error.state, ledger.state)) ledger.problems.push('the error has another state')
    return { told }
  }
  if (!(refusal ?? known).test(message) || !isClewError(error)) ledger.problems.push(told)
  if (!isClewError(error, 'run')) return { told }
  if (!error.unsaved && !isSame(error.state, ledger.state)) ledger.problems.push('the error has another state')
  return { told, unsaved: error.unsaved && JSON.parse(JSON.stringify(error.unsaved)) }
}

function checkResult(result: RunResult, act: string, refusal: RegExp | undefined, ledger: Ledger): void {
  if (refusal) ledger.problems.push(`${act} was let through`)
  if (!isSame(result.state, ledger.state)) ledger.problems.push('the result has another state')
  if (!isSame(readState(JSON.parse(JSON.stringify(result.state))), result.state))
    ledger.problems.push('its state cannot be read')
  if (result.status === 'done' && result.text === '') ledger.problems.push('done without a text')
}

/**
 * `npm run fuzz`: damages the recorded streams of `../shared` and plays them through `openrouter()`. Each must end in a
 * reply that fits or in a `ModelError`, soon, and leave nothing behind. `--runs N` and `--seed N` choose the runs,
 * `--only N` plays a single one of them and shows it.
 */
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Outcome } from '../packages/openrouter/test/mutate.ts'
import { mutant, play, readStreams } from '../packages/openrouter/test/mutate.ts'

type Plan = { runs: number; seed: number; progress: SharedArrayBuffer }
type Failure = { run: number; problem: string }
type Report =
  | { type: 'failure'; failure: Failure }
  | { type: 'heap'; megabytes: number }
  | { type: 'end'; replies: number; errors: number }

/** A run without an end by then hangs. Most take less than a millisecond. */
const hangMs = 20_000
/** How often the heap is looked at, in runs, and what it may grow by over the whole fuzz. */
const heapEvery = 5000
const heapBoundMb = 128
/** More of the same kind say nothing new. */
const shownFailures = 10

if (isMainThread) await main()
else await work(workerData as Plan)

async function main(): Promise<void> {
  const options = { runs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  const runs = wholeNumber('runs', values.runs) ?? 100_000
  const seed = wholeNumber('seed', values.seed) ?? 1
  const only = wholeNumber('only', values.only)
  const streams = readStreams()
  if (streams.length === 0) {
    console.warn('SKIPPED: ../shared is not here, so there are no streams to damage.')
    return
  }
  if (only !== undefined) {
    const { pieces, contentType } = mutant(streams, seed, only)
    for (const piece of pieces) console.log(JSON.stringify(Buffer.from(piece).toString('latin1')))
    console.log(contentType, await play({ pieces, contentType }))
    return
  }
  process.exitCode = await watch(runs, seed)
}

function wholeNumber(name: string, given: string | undefined): number | undefined {
  if (given === undefined || /^\d+$/.test(given)) return given === undefined ? undefined : Number(given)
  throw new Error(`--${name} is ${JSON.stringify(given)}; give a whole number.`)
}

/** The runs are made in a thread of their own, so that one which never ends can be told. */
function watch(runs: number, seed: number): Promise<number> {
  const progress = new SharedArrayBuffer(4)
  const at = new Int32Array(progress)
  const worker = new Worker(new URL(import.meta.url), { workerData: { runs, seed, progress } satisfies Plan })
  const started = performance.now()
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0)
  let failures = 0
  let megabytes = 0
  let isOver = false
  return new Promise((resolve) => {
    let seen = { run: -1, since: performance.now() }
    const timer = setInterval(() => {
      const run = Atomics.load(at, 0)
      if (run !== seen.run) seen = { run, since: performance.now() }
      else if (performance.now() - seen.since > hangMs)
        over({ run, problem: `There was no end within ${hangMs / 1000} s.` })
      if (process.stdout.isTTY) process.stdout.write(`\r${run} of ${runs}, ${failures} failures, ${seconds()} s`)
    }, 500)

    const tell = ({ run, problem }: Failure) => {
      failures += 1
      if (failures <= shownFailures)
        console.log(
          `\nRun ${run} of seed ${seed}: ${problem}\n  See it with: npm run fuzz -- --seed ${seed} --only ${run}`,
        )
    }
    const over = (last?: Failure, counted?: { replies: number; errors: number }) => {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      if (last) tell(last)
      const outcomes = counted ? `${counted.replies} replies, ${counted.errors} errors, ` : ''
      const made = counted ? runs : Atomics.load(at, 0)
      const heap = `heap ${megabytes < 0 ? '' : '+'}${megabytes.toFixed(0)} MB`
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
      console.log(`${made} mutated streams: ${outcomes}${failures} failures, ${seconds()} s, ${heap} (seed ${seed})`)
      void worker.terminate().then(() => resolve(failures > 0 ? 1 : 0))
    }
    worker.on('message', (report: Report) => {
      if (report.type === 'failure') tell(report.failure)
      else if (report.type === 'end') over(undefined, report)
      else {
        megabytes = report.megabytes
        if (megabytes > heapBoundMb)
          over({
            run: Atomics.load(at, 0),
            problem: `The heap grew by ${megabytes.toFixed(0)} MB; the bound is ${heapBoundMb}.`,
          })
      }
    })
    worker.on('error', (error) => over({ run: Atomics.load(at, 0), problem: `It ended the thread: ${error}` }))
    // Nothing left to do, but not at the end: a promise of this run is never settled.
    worker.on('exit', () => over({ run: Atomics.load(at, 0), problem: 'It never settles.' }))
  })
}

async function work({ runs, seed, progress }: Plan): Promise<void> {
  const at = new Int32Array(progress)
  const report = (each: Report) => parentPort?.postMessage(each)
  const streams = readStreams()
  process.on('unhandledRejection', (error) => {
    const problem = `A rejection that nobody handles: ${error instanceof Error ? error.stack : String(error)}`
    report({ type: 'failure', failure: { run: Atomics.load(at, 0), problem } })
  })
  const heap = heapMeter()
  const counted = { reply: 0, error: 0, failure: 0 }
  let before = 0
  for (let run = 0; run < runs; run++) {
    Atomics.store(at, 0, run)
    const outcome: Outcome = await play(mutant(streams, seed, run))
    // Promises alone never let the event loop turn, and only there a lost rejection is noticed.
    await setImmediate()
    counted[outcome.kind] += 1
    if (outcome.kind === 'failure') report({ type: 'failure', failure: { run, problem: outcome.problem } })
    // The first runs load and compile what stays.
    if (run === Math.min(1000, runs - 1)) before = heap()
    else if (run > 1000 && (run % heapEvery === 0 || run === runs - 1))
      report({ type: 'heap', megabytes: heap() - before })
  }
  report({ type: 'end', replies: counted.reply, errors: counted.error })
}

/** Megabytes in use behind a collection. */
function heapMeter(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
}

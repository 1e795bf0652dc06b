/**
 * `crashKit()`: kills an agent's process at every point of its runs, goes on in another process, kills that as well, and
 * looks what became of the effects.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { CrashDone, CrashJob, CrashOrder } from './crash-child.ts'
import { type CrashFigures, judge } from './crash-judge.ts'
import { readEffects } from './crash-world.ts'

export type CrashReport = {
  /** By the scenario's name. */
  scenarios: Record<string, CrashFigures>
  /** What went wrong, each with its scenario and its points. Empty: everything survived. */
  problems: string[]
}

/** A session of the kit: killed at point `first`, then, while it goes on, at point `second` of what is left. */
type Plan = { session: string; scenario: string; first: number; second: number }

/**
 * `script` is a file that calls `crashChild` and is run by this Node; `scenarios` are the names of those to play. One
 * process holds a run at each of its points and is killed once; a second one resumes them all and is killed likewise, a
 * third one brings them to their end.
 */
export async function crashKit(options: {
  script: string
  args?: readonly string[]
  scenarios: readonly string[]
}): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-crash-'))
  const record = join(folder, 'effects.jsonl')
  const play = (jobs: CrashJob[]) => killedChild(options.script, options.args ?? [], { record, jobs })
  try {
    const prefix = `crash-${randomUUID()}`
    const whole = await play(options.scenarios.map((scenario, at) => ({ session: `${prefix}-${at}`, scenario })))
    const plans = options.scenarios.flatMap((scenario, at) =>
      plansOf(whole[at]!.labels, (first, second) => `${prefix}-${at}-${first}-${second}`, scenario),
    )
    const firsts = await play(plans.map(({ session, scenario, first }) => ({ session, scenario, parkAt: first })))
    const seconds = await play(plans.map(({ session, scenario, second }) => ({ session, scenario, parkAt: second })))
    const ends = await play(plans.map(({ session, scenario }) => ({ session, scenario })))
    const effects = Map.groupBy(readEffects(record), ({ session }) => session)
    const of = (session: string) => effects.get(session) ?? []
    const report: CrashReport = { scenarios: {}, problems: [] }
    for (const [at, scenario] of options.scenarios.entries()) {
      const sessions = plans.flatMap((plan, index) =>
        plan.scenario === scenario
          ? [{ ...plan, runs: [firsts[index]!, seconds[index]!, ends[index]!] as const, effects: of(plan.session) }]
          : [],
      )
      const { figures, problems } = judge(whole[at]!, of(`${prefix}-${at}`), sessions)
      report.scenarios[scenario] = figures
      report.problems.push(...problems.map((problem) => `${scenario}, ${problem}`))
    }
    return report
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every point once, with some point of what is left; where a run waits, every point of what is left. */
function plansOf(labels: readonly string[], idOf: (first: number, second: number) => string, scenario: string): Plan[] {
  const pairs = labels.flatMap((label, index) => {
    const first = index + 1
    const left = labels.length - first
    // A prime step, so that over the points all distances come.
    if (label !== 'waiting') return [[first, ((first * 7) % Math.max(left, 1)) + 1] as const]
    // Whoever finds the run waiting comes by this point again.
    return Array.from({ length: left + 1 }, (_, distance) => [first, distance + 1] as const)
  })
  return pairs.map(([first, second]) => ({ session: idOf(first, second), scenario, first, second }))
}

/** Milliseconds for one child: a run that neither stops nor ends is a finding, not a reason to wait. */
const patienceMs = 60_000

/** What the child says when all its runs stand still or are through; by then it has been killed. */
async function killedChild(script: string, args: readonly string[], order: CrashOrder): Promise<CrashDone[]> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  // A child that could not begin is told by its stderr, not by the pipe that it left.
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(order)}\n`)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, patienceMs)
  const { value, done } = await lines.next()
  clearTimeout(deadline)
  child.kill('SIGKILL')
  await ended
  if (isLate)
    throw new Error(
      `The child did not come to a standstill in ${patienceMs / 1000} s: a run hangs or runs in a circle. ${errors}`,
    )
  if (done || child.signalCode !== 'SIGKILL') throw new Error(`The child ended by itself: ${errors}`)
  return JSON.parse(value) as CrashDone[]
}

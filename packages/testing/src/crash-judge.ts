/** What became of the runs that were killed, beside the one that was not. */
import type { CrashDone } from './crash-child.ts'
import type { CrashEffect } from './crash-world.ts'

export type CrashFigures = {
  /** Points of the run, at each of which it was killed. */
  points: number
  /** Times that it was killed once more while it went on, each elsewhere. */
  again: number
  /** What happened to the world in all sessions, once each. */
  effects: number
  /** Effects of idempotent and pure tools that came again. */
  repeated: number
  /** Calls that a person was asked about. */
  verdicts: number
  lost: number
  doubled: number
}

export type KilledSession = {
  first: number
  second: number
  /** In the process that was killed first, in the second, and in the last, which came to the end. */
  runs: readonly [CrashDone, CrashDone, CrashDone]
  effects: CrashEffect[]
}

/** `whole` and `expected` are of the run that was not killed. */
export function judge(
  whole: CrashDone,
  expected: CrashEffect[],
  sessions: KilledSession[],
): { figures: CrashFigures; problems: string[] } {
  const figures = { points: 0, again: 0, effects: 0, repeated: 0, verdicts: 0, lost: 0, doubled: 0 }
  const problems = wholeProblems(whole)
  const firsts = new Set<number>()
  for (const { first, second, runs, effects } of sessions) {
    const tell = (problem: string) =>
      problems.push(
        `killed at ${first} (${runs[0].labels.at(-1)}), then at ${second} (${runs[1].labels.at(-1)}): ${problem}`,
      )
    if (runs[0].isParked) firsts.add(first)
    else tell('the first run did not come to its point')
    if (runs[1].isParked) figures.again += 1
    for (const run of runs) figures.verdicts += run.outcome?.verdicts ?? 0
    for (const problem of runs.flatMap((run) => run.outcome?.problems ?? [])) tell(problem)
    const end = runs[2].outcome
    for (const what of ['status', 'text', 'roles'] as const) {
      if (end?.[what] !== whole.outcome?.[what])
        tell(`its ${what} is ${JSON.stringify(end?.[what])}, not ${JSON.stringify(whole.outcome?.[what])}`)
    }
    const counted = count(effects)
    for (const [name, { times, wanted, keys, mayRepeat }] of merged(counted, count(expected))) {
      figures.effects += Math.min(times, wanted)
      if (times < wanted) tell(`"${name}" was lost`)
      figures.lost += Math.max(0, wanted - times)
      if (mayRepeat) figures.repeated += Math.max(0, times - wanted)
      else {
        if (times > wanted || keys < times) tell(`"${name}" happened ${times} times`)
        figures.doubled += Math.max(times - wanted, times - keys, 0)
      }
    }
  }
  figures.points = firsts.size
  return { figures, problems }
}

function wholeProblems({ outcome, isParked }: CrashDone): string[] {
  return [...(isParked ? ['parked'] : []), ...(outcome?.problems ?? [])].map((problem) => `not killed: ${problem}`)
}

type Count = { times: number; keys: number; mayRepeat: boolean }

function count(effects: CrashEffect[]): Map<string, Count> {
  const byName = Map.groupBy(effects, ({ name }) => name)
  return new Map(
    [...byName].map(([name, all]) => [
      name,
      { times: all.length, keys: new Set(all.map(({ key }) => key)).size, mayRepeat: all.some((one) => one.mayRepeat) },
    ]),
  )
}

function merged(counted: Map<string, Count>, expected: Map<string, Count>): Map<string, Count & { wanted: number }> {
  const none: Count = { times: 0, keys: 0, mayRepeat: false }
  return new Map(
    [...new Set([...counted.keys(), ...expected.keys()])].map((name) => {
      const wanted = expected.get(name) ?? none
      return [name, { ...(counted.get(name) ?? { ...none, mayRepeat: wanted.mayRepeat }), wanted: wanted.times }]
    }),
  )
}

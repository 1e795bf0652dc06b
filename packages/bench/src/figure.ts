/** `figure()` prints a figure: a ratio beside its goal. */

export type Figure = {
  name: string
  /** Of two things measured in one run, so that the machine cancels out. */
  ratio: number
  /** The most that it may be; without one it is only told. */
  goal?: number
}

/** How much is measured: all of it, less than a minute of it, or just enough to see that it runs. */
export type Size = 'full' | 'quick' | 'tiny'

export type Measure = (size: Size) => AsyncGenerator<Figure>

export function figure({ name, ratio, goal }: Figure): void {
  const verdict = goal === undefined ? '' : `goal ${goal.toFixed(2)}  ${ratio <= goal ? 'met' : 'MISSED'}`
  console.log(`  ${name.padEnd(64)} ${ratio.toFixed(2).padStart(6)}  ${verdict}`.trimEnd())
}

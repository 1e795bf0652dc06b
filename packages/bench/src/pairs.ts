/** `pairs()`: two things measured in turns, so that whatever else the machine does is shared. */

export type Pair = { one: number; other: number }

export type Pairing = {
  count: number
  /** Given the number of the pair, from 0. */
  one: (index: number) => unknown
  other: (index: number) => unknown
  /** What is read before and after each. Default: the clock, in milliseconds. */
  meter?: () => number | Promise<number>
  /** Done before each, outside of what is measured. */
  settle?: () => void
}

/** Who goes first changes from pair to pair. */
export async function pairs({ count, one, other, meter = () => performance.now(), settle }: Pairing): Promise<Pair[]> {
  const measured: Pair[] = []
  for (let index = 0; index < count; index += 1) {
    const spent = async (work: (index: number) => unknown) => {
      settle?.()
      const before = await meter()
      await work(index)
      return (await meter()) - before
    }
    const before = index % 2 === 0 ? undefined : await spent(other)
    measured.push({ one: await spent(one), other: before ?? (await spent(other)) })
  }
  return measured
}

/** Of `one` to `other`, pair by pair. */
export function medianRatio(measured: readonly Pair[]): number {
  return quantile(
    measured.map(({ one, other }) => one / other),
    0.5,
  )
}

export function quantile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)] as number
}

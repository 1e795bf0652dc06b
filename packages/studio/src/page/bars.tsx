/** A bar for each day, with a table of the same numbers for those who do not see it. */
import type { Day } from '../wire.ts'

export type Measure = { name: string; of: (day: Day) => number; show: (value: number) => string }

export function Bars({ days, measure }: { days: Day[]; measure: Measure }) {
  const values = days.map(measure.of)
  const top = rounded(Math.max(...values, 0))
  return (
    <figure class="bars">
      <div class="scale" aria-hidden="true">
        <span>{measure.show(top)}</span>
        <span>{measure.show(top / 2)}</span>
        <span>0</span>
      </div>
      <div
        class="columns"
        role="img"
        aria-label={`${measure.name} by day, at most ${measure.show(Math.max(...values))}`}
      >
        {days.map((day, index) => (
          <div key={day.day} class="column" title={`${named(day.day)}: ${measure.show(values[index] ?? 0)}`}>
            <i style={{ height: `${((values[index] ?? 0) / top) * 100}%` }} />
          </div>
        ))}
      </div>
      <div class="days" aria-hidden="true">
        {days.map(({ day }, index) => (
          <span key={day} class={isNamed(index, days.length) ? 'named' : undefined}>
            {isNamed(index, days.length) ? named(day) : ''}
          </span>
        ))}
      </div>
      <table class="unseen">
        <caption>{measure.name} by day</caption>
        <tbody>
          {days.map((day, index) => (
            <tr key={day.day}>
              <th scope="row">{day.day}</th>
              <td>{measure.show(values[index] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

/** A plain number that is not much more. */
export function rounded(most: number): number {
  if (most <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 2, 3, 4, 6, 8].find((step) => step * power >= most) ?? 10) * power
}

/** As many names as a small screen has room for. */
function isNamed(index: number, length: number): boolean {
  const every = Math.ceil(length / 7)
  return (length - 1 - index) % every === 0
}

function named(day: string): string {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
}

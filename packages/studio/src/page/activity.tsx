/** What all runs cost, took and failed at: by day, model, agent, tool and provider. */
import { useState } from 'preact/hooks'
import type { Activity, Day, Group } from '../wire.ts'
import { Bars, type Measure } from './bars.tsx'
import { useData } from './data.ts'
import { count, dollars, duration, inert, percent, short } from './format.ts'
import { go, link } from './route.ts'
import { Empty, Loaded } from './state.tsx'

const ranges = [
  ['1', 'Today'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
] as const

const measures: Measure[] = [
  { name: 'Cost', of: ({ usd = 0 }) => usd, show: dollars },
  { name: 'Tokens', of: ({ inputTokens, outputTokens }) => inputTokens + outputTokens, show: short },
  { name: 'Runs', of: ({ runs }) => runs, show: count },
  { name: 'Errors', of: ({ errors }) => errors, show: count },
]

export function ActivityPage({ query }: { query: URLSearchParams }) {
  const days = query.get('days') ?? '7'
  const data = useData<Activity>(`api/activity?days=${encodeURIComponent(days)}`, () => true)
  return (
    <>
      <div class="title-row">
        <h1>Activity</h1>
        <Segments
          name="Range"
          options={ranges}
          chosen={days}
          choose={(value) => go(link(['activity'], { days: value }), { replace: true })}
        />
      </div>
      <Loaded data={data}>
        {(activity) =>
          activity.days.every(({ runs }) => runs === 0) ? (
            <Empty title="Nothing ran in this time">
              <p>
                Take a longer range, or look at <a href={link(['runs'])}>all runs</a>.
              </p>
            </Empty>
          ) : (
            <Charts activity={activity} />
          )
        }
      </Loaded>
    </>
  )
}

function Charts({ activity: { days, by } }: { activity: Activity }) {
  const [chosen, setChosen] = useState('Cost')
  const measure = measures.find(({ name }) => name === chosen) ?? (measures[0] as Measure)
  return (
    <>
      <Sums days={days} />
      <section class="card">
        <div class="title-row">
          <h2>By day</h2>
          <Segments
            name="Measure"
            options={measures.map(({ name }) => [name, name] as const)}
            chosen={chosen}
            choose={setChosen}
          />
        </div>
        <Bars days={days} measure={measure} />
      </section>
      <div class="cards">
        <Groups
          title="Models"
          groups={by.model}
          columns={['calls', 'tokens', 'usd', 'p50', 'p90', 'p99', 'first', 'speed']}
        />
        <Groups title="Agents" groups={by.agent} columns={['calls', 'errors', 'tokens', 'usd', 'p50', 'p90']} />
        <Groups title="Tools" groups={by.tool} columns={['calls', 'errors', 'p50', 'p90', 'p99']} />
        <Groups
          title="Providers"
          groups={by.provider}
          columns={['calls', 'errors', 'retries', 'uptime', 'p50', 'p90']}
        />
      </div>
    </>
  )
}

function Sums({ days }: { days: Day[] }) {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0)
  const [runs, input, cached] = [sum((day) => day.runs), sum((day) => day.inputTokens), sum((day) => day.cachedTokens)]
  const errors = sum((day) => day.errors)
  const facts = [
    ['Runs', count(runs), `${count(sum(({ calls }) => calls))} model calls`],
    ['Cost', dollars(sum(({ usd = 0 }) => usd)), `${dollars(sum(({ usd = 0 }) => usd) / (runs || 1))} a run`],
    ['Tokens in', short(input), `${percent(cached, input)} cached`],
    ['Tokens out', short(sum(({ outputTokens }) => outputTokens)), ''],
    [
      'Errors',
      count(errors),
      `${percent(
        errors,
        sum(({ calls }) => calls),
      )} of model calls`,
    ],
  ]
  return (
    <dl class="sums">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          <dd class="quiet">{note}</dd>
        </div>
      ))}
    </dl>
  )
}

type Column = 'calls' | 'errors' | 'retries' | 'uptime' | 'tokens' | 'usd' | 'p50' | 'p90' | 'p99' | 'first' | 'speed'

const columns: { [Name in Column]: { title: string; explain?: string; show: (group: Group) => string } } = {
  calls: { title: 'Calls', show: (group) => short(group.calls) },
  errors: { title: 'Errors', show: (group) => count(group.errors) },
  retries: { title: 'Retries', show: (group) => count(group.retries) },
  uptime: {
    title: 'Uptime',
    explain: 'Calls that did not fail',
    show: (group) => percent(group.calls - group.errors, group.calls),
  },
  tokens: { title: 'Tokens', show: (group) => short(group.inputTokens + group.outputTokens) },
  usd: { title: 'Cost', show: (group) => dollars(group.usd) },
  p50: { title: 'p50', explain: 'Half of the calls took no longer', show: (group) => duration(group.ms?.p50) },
  p90: { title: 'p90', explain: '9 of 10 calls took no longer', show: (group) => duration(group.ms?.p90) },
  p99: { title: 'p99', explain: '99 of 100 calls took no longer', show: (group) => duration(group.ms?.p99) },
  first: {
    title: 'First',
    explain: 'Half of the answers began within',
    show: (group) => duration(group.firstMs?.p50),
  },
  speed: {
    title: 'Tokens/s',
    explain: 'Output tokens a second, at the median',
    show: (group) => group.speed?.p50.toFixed(0) ?? '–',
  },
}

function Groups({ title, groups, columns: names }: { title: string; groups: Group[]; columns: Column[] }) {
  const largest = Math.max(...groups.map(({ calls }) => calls), 1)
  return (
    <section class="card">
      <h2>{title}</h2>
      {groups.length === 0 ? (
        <p class="quiet">None in this time.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
        <section class="scroll" tabIndex={0} aria-label={title}>
          <table class="groups">
            <thead>
              <tr>
                <th scope="col">Name</th>
                {names.map((name) => (
                  <th key={name} scope="col" class="number" title={columns[name].explain}>
                    {columns[name].title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {groups.slice(0, 20).map((group) => (
                <tr key={group.name}>
                  <th scope="row">
                    <bdi>{inert(group.name)}</bdi>
                    <i class="share" aria-hidden="true">
                      <i style={{ width: `${(group.calls / largest) * 100}%` }} />
                    </i>
                  </th>
                  {names.map((name) => (
                    <td key={name} class={name === 'errors' && group.errors > 0 ? 'number bad' : 'number'}>
                      {columns[name].show(group)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {groups.length > 20 && <p class="quiet">The 20 with the most calls, of {count(groups.length)}.</p>}
    </section>
  )
}

type SegmentsProps = {
  name: string
  options: readonly (readonly [string, string])[]
  chosen: string
  choose: (value: string) => void
}

function Segments({ name, options, chosen, choose }: SegmentsProps) {
  return (
    <fieldset class="segments">
      <legend>{name}</legend>
      {options.map(([value, title]) => (
        <label key={value}>
          <input type="radio" name={name} value={value} checked={value === chosen} onChange={() => choose(value)} />
          {title}
        </label>
      ))}
    </fieldset>
  )
}

/** The list of runs, newest first, with its search and filters. */
import { useRef, useState } from 'preact/hooks'
import type { RunsPage as Page, RunRow } from '../wire.ts'
import { useData } from './data.ts'
import { count, dollars, duration, inert, moment, short } from './format.ts'
import { moveFocus, useKey } from './keys.ts'
import { go, link } from './route.ts'
import { Empty, Loaded } from './state.tsx'
import { Elapsed, Status, statusWords } from './status.tsx'

const step = 100
const most = 300

export function RunsPage({ query }: { query: URLSearchParams }) {
  const [limit, setLimit] = useState(step)
  const filter = Object.fromEntries(query)
  const data = useData<Page>(`api/runs?${new URLSearchParams({ ...filter, limit: String(limit) })}`, () => true)
  const set = (name: string, value: string) => go(link(['runs'], { ...filter, [name]: value }), { replace: true })
  const isFiltered = query.size > 0
  return (
    <>
      <h1>Runs</h1>
      <Filters query={query} set={set} page={data.value} />
      <Loaded data={data}>
        {({ runs, hasMore }) =>
          runs.length === 0 ? (
            isFiltered ? (
              <NothingFound />
            ) : (
              <NothingYet />
            )
          ) : (
            <>
              <List runs={runs} />
              {hasMore && <More limit={limit} more={() => setLimit(limit + step)} />}
            </>
          )
        }
      </Loaded>
    </>
  )
}

type FilterProps = { query: URLSearchParams; set: (name: string, value: string) => void; page: Page | undefined }

function Filters({ query, set, page }: FilterProps) {
  const search = useRef<HTMLInputElement>(null)
  useKey('/', () => search.current?.focus())
  const agents = useSeen(page?.runs.map(({ agent }) => agent))
  const models = useSeen(page?.runs.flatMap((run) => run.models))
  return (
    <search class="filters">
      <input
        ref={search}
        type="search"
        placeholder="Search what was said"
        aria-label="Search what was said"
        aria-keyshortcuts="/"
        value={query.get('text') ?? ''}
        onInput={({ currentTarget }) => set('text', currentTarget.value)}
      />
      <Choice name="status" all="Any status" query={query} set={set} options={Object.entries(statusWords)} />
      <Choice name="agent" all="Any agent" query={query} set={set} options={pairs(agents)} />
      <Choice name="model" all="Any model" query={query} set={set} options={pairs(models)} />
    </search>
  )
}

/** A filter leaves few names in the list; those that were seen before can still be chosen. */
function useSeen(names: string[] = []): string[] {
  const seen = useRef(new Set<string>())
  for (const name of names) seen.current.add(name)
  return [...seen.current].sort()
}

const pairs = (names: string[]) => names.map((name) => [name, name] as [string, string])

type ChoiceProps = Omit<FilterProps, 'page'> & { name: string; all: string; options: [string, string][] }

function Choice({ name, all, query, set, options }: ChoiceProps) {
  const chosen = query.get(name) ?? ''
  const isListed = chosen === '' || options.some(([value]) => value === chosen)
  return (
    <select aria-label={name} value={chosen} onChange={({ currentTarget }) => set(name, currentTarget.value)}>
      <option value="">{all}</option>
      {[...options, ...(isListed ? [] : [[chosen, chosen]])].map(([value, title]) => (
        <option key={value} value={value}>
          {inert(title ?? '')}
        </option>
      ))}
    </select>
  )
}

function List({ runs }: { runs: RunRow[] }) {
  const now = Date.now()
  return (
    <table class="runs" onKeyDown={(event) => moveFocus(event, 'tbody a')}>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Asked</th>
          <th scope="col">Model</th>
          <th scope="col" class="number">
            Tokens in
          </th>
          <th scope="col" class="number">
            Out
          </th>
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col" class="number">
            Began
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Run key={`${run.id} ${run.span}`} run={run} now={now} />
        ))}
      </tbody>
    </table>
  )
}

function Run({ run, now }: { run: RunRow; now: number }) {
  const title = inert(run.title ?? '').trim()
  return (
    <tr>
      <td class="status-cell">
        <Status status={run.status} />
      </td>
      <td class="asked">
        <a href={link(['runs', run.id])}>
          <bdi>{title || inert(run.agent)}</bdi>
        </a>
        <small>
          <bdi>{title ? inert(run.agent) : 'What was said was not kept'}</bdi>
          {run.reason !== undefined && (
            <>
              {' · '}
              <bdi>{inert(run.reason)}</bdi>
            </>
          )}
        </small>
      </td>
      <td class="model">{run.models.map(inert).join(', ')}</td>
      <td class="number in" title={`${count(run.inputTokens)} tokens, ${count(run.cachedTokens)} of them cached`}>
        {short(run.inputTokens)}
      </td>
      <td class="number out" title={`${count(run.outputTokens)} tokens`}>
        {short(run.outputTokens)}
      </td>
      <td class="number cost">{dollars(run.usd)}</td>
      <td class="number took">{run.ms === undefined ? <Elapsed since={run.start} /> : duration(run.ms)}</td>
      <td class="number began">
        <time dateTime={new Date(run.start).toISOString()}>{moment(run.start, now)}</time>
      </td>
    </tr>
  )
}

function More({ limit, more }: { limit: number; more: () => void }) {
  if (limit >= most) return <p class="quiet center">Older runs are there. Search or filter to reach them.</p>
  return (
    <p class="center">
      <button type="button" onClick={more}>
        Show older runs
      </button>
    </p>
  )
}

function NothingFound() {
  return (
    <Empty title="No run fits">
      <p>
        Take fewer words or filters, or <a href={link(['runs'])}>show all runs</a>.
      </p>
    </Empty>
  )
}

function NothingYet() {
  return (
    <Empty title="No runs yet">
      <p>Give an agent the tracing middleware and run it. Its run shows up here while it works.</p>
      <pre>
        <code>{`import { localTraces, trace } from '@clew/tracing'

new Agent({
  …
  use: [trace({ tracerProvider: localTraces(), content: true })],
})`}</code>
      </pre>
    </Empty>
  )
}

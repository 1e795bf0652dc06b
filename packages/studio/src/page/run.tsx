/** One run: its waterfall, and the chosen span beside it. */
import { useState } from 'preact/hooks'
import type { RunRow, Trace } from '../wire.ts'
import { ask, useData } from './data.ts'
import { Detail } from './detail.tsx'
import { count, dollars, duration, inert, moment } from './format.ts'
import { useKey } from './keys.ts'
import { go, link } from './route.ts'
import { Loaded } from './state.tsx'
import { Elapsed, Status } from './status.tsx'
import { Waterfall } from './waterfall.tsx'

export function RunPage({ id, query }: { id: string; query: URLSearchParams }) {
  const data = useData<Trace>(
    `api/runs/${encodeURIComponent(id)}`,
    (traces) => traces.length === 0 || traces.includes(id),
  )
  const asked = query.get('span') ?? undefined
  const choose = (span?: string) => go(link(['runs', id], { span }), { replace: true })
  useKey('Escape', () => (asked === undefined ? go(link(['runs'])) : choose()))
  return (
    <Loaded data={data}>
      {({ run, spans }) => {
        // A wide page has room for a span from the beginning: that of the whole run.
        const chosen = spans.find((span) => span.id === asked) ?? spans.find(({ parent }) => parent === undefined)
        return (
          <div class={asked === undefined ? 'run' : 'run has-choice'}>
            <Head run={run} />
            <Waterfall spans={spans} chosen={chosen?.id} choose={choose} />
            {chosen && <Detail key={chosen.id} run={id} span={chosen} close={() => choose()} />}
          </div>
        )
      }}
    </Loaded>
  )
}

function Head({ run }: { run: RunRow }) {
  const title = inert(run.title ?? '').trim()
  return (
    <header class="head">
      <p class="crumb">
        <a href={link(['runs'])}>Runs</a> / <bdi>{inert(run.agent)}</bdi>
      </p>
      <h1>
        <bdi>{title || inert(run.agent)}</bdi>
      </h1>
      <dl class="facts">
        <div>
          <dt>Status</dt>
          <dd>
            <Status status={run.status} />
          </dd>
        </div>
        <div>
          <dt>Took</dt>
          <dd>{run.ms === undefined ? <Elapsed since={run.start} /> : duration(run.ms)}</dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd>{dollars(run.usd)}</dd>
        </div>
        <div>
          <dt>Tokens in</dt>
          <dd>{count(run.inputTokens)}</dd>
        </div>
        <div>
          <dt>Cached</dt>
          <dd>{count(run.cachedTokens)}</dd>
        </div>
        <div>
          <dt>Out</dt>
          <dd>{count(run.outputTokens)}</dd>
        </div>
        <div>
          <dt>Began</dt>
          <dd>{moment(run.start, Date.now())}</dd>
        </div>
      </dl>
      {run.reason !== undefined && <p class="why">{inert(run.reason)}</p>}
      <Actions id={run.id} />
    </header>
  )
}

function Actions({ id }: { id: string }) {
  const [note, setNote] = useState('')
  const path = `api/runs/${encodeURIComponent(id)}`
  const copy = async () => {
    try {
      const text = await (await ask(`${path}/test`)).text()
      await navigator.clipboard.writeText(text)
      setNote('Copied. Paste it into a test file.')
    } catch (error) {
      setNote(`Not copied: ${(error as Error).message}`)
    }
  }
  return (
    <p class="actions">
      <button type="button" onClick={copy}>
        Copy as test
      </button>
      <a class="button" href={`${path}/download`} download={`${id}.json`}>
        Download
      </a>
      <span role="status">{note}</span>
    </p>
  )
}

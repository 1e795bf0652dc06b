/** One span: what went in, what came out, what it cost, what changed. */
import type { ComponentChildren } from 'preact'
import type { SpanPage, SpanRow } from '../wire.ts'
import { Changes } from './changes.tsx'
import { useData } from './data.ts'
import { count, dollars, duration, inert } from './format.ts'
import { Fold, Messages } from './messages.tsx'
import { Loaded } from './state.tsx'
import { Text, Value } from './text.tsx'

type DetailProps = { run: string; span: SpanRow; close: () => void }

export function Detail({ run, span, close }: DetailProps) {
  const data = useData<SpanPage>(
    `api/runs/${encodeURIComponent(run)}/spans/${encodeURIComponent(span.id)}`,
    (traces) => traces.length === 0 || (span.status === 'running' && traces.includes(run)),
  )
  return (
    <aside class="detail" aria-label="The chosen span">
      <header>
        <button type="button" class="back" onClick={close}>
          ← Waterfall
        </button>
        <h2>
          <i class={`dot ${span.kind}`} aria-hidden="true" />
          <bdi>{inert(span.name)}</bdi>
        </h2>
        <Facts span={span} />
      </header>
      <Loaded data={data}>{(page) => <Content key={page.span.id} page={page} />}</Loaded>
    </aside>
  )
}

function Facts({ span }: { span: SpanRow }) {
  const facts: [string, string | undefined][] = [
    ['Took', span.status === 'running' ? 'running' : duration(span.ms)],
    ['Cost', span.usd === undefined ? undefined : dollars(span.usd)],
    ['Tokens in', optional(span.inputTokens)],
    ['Cached', optional(span.cachedTokens)],
    ['Out', optional(span.outputTokens)],
    ['Reasoning', optional(span.reasoningTokens)],
    ['Provider', span.kind === 'model' ? span.provider : undefined],
  ]
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{inert(value)}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

const optional = (value: number | undefined) => (value === undefined ? undefined : count(value))

function Content({ page: { span, content, comparison } }: { page: SpanPage }) {
  const { request, answer, error, attributes, events } = content
  const hasContent = request || answer || content.arguments !== undefined || content.result !== undefined
  return (
    <>
      {error !== undefined && (
        <section class="notice bad">
          <h3>Error</h3>
          <Text text={error} />
        </section>
      )}
      {content.arguments !== undefined && (
        <Section title="Arguments">
          <Value value={content.arguments} />
        </Section>
      )}
      {content.result !== undefined && (
        <Section title="Result">
          <Value value={content.result} />
        </Section>
      )}
      {answer && (
        <Section title="Answer" note={answer[0]?.finish_reason}>
          <Messages messages={answer} open="all" />
        </Section>
      )}
      {comparison && (
        <Section title="Against the request before">
          <Changes comparison={comparison} span={span} />
        </Section>
      )}
      {request && (
        <Section title={span.kind === 'agent' ? 'Asked' : 'Request'}>
          {request.tools.length > 0 && (
            <Fold
              isOpen={false}
              title={<Titled title="Tools" note={request.tools.map(({ name }) => name).join(', ')} />}
            >
              {() => <Text text={JSON.stringify(request.tools, null, 2)} isCode />}
            </Fold>
          )}
          {request.instructions !== undefined && (
            <Fold isOpen={false} title={<Titled title="Instructions" note={request.instructions.slice(0, 120)} />}>
              {() => <Text text={request.instructions ?? ''} />}
            </Fold>
          )}
          <Messages messages={request.messages} open="last" />
        </Section>
      )}
      {!hasContent && span.status !== 'running' && (
        <p class="quiet">
          What was said was not kept. To see it here, trace with <code>{'trace({ content: true })'}</code>.
        </p>
      )}
      <Section title="Attributes">
        <Fold isOpen={false} title={<Titled title={`${Object.keys(attributes).length} of the span`} note="" />}>
          {() => <Attributes attributes={attributes} />}
        </Fold>
        {events.map((event) => (
          <p class="quiet" key={`${event.at} ${event.name}`}>
            <code>{inert(event.name)}</code> after {duration(event.at - span.start)}
          </p>
        ))}
      </Section>
    </>
  )
}

function Attributes({ attributes }: { attributes: SpanPage['content']['attributes'] }) {
  return (
    <dl class="attributes">
      {Object.entries(attributes)
        .slice(0, 200)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{inert(name)}</dt>
            <dd>
              <bdi>
                {inert(typeof value === 'string' ? value.slice(0, 1000) : JSON.stringify(value).slice(0, 1000))}
              </bdi>
            </dd>
          </div>
        ))}
    </dl>
  )
}

type SectionProps = { title: string; note?: string | undefined; children: ComponentChildren }

function Section({ title, note, children }: SectionProps) {
  return (
    <section>
      <h3>
        {title}
        {note !== undefined && note !== 'stop' && <small>{inert(note)}</small>}
      </h3>
      {children}
    </section>
  )
}

function Titled({ title, note }: { title: string; note: string }) {
  return (
    <>
      <b>{title}</b>
      <span class="preview">
        <bdi>{inert(note)}</bdi>
      </span>
    </>
  )
}

/** What changed in a request against the one before it, and whether a provider's cache could serve its beginning. */
import type { Comparison, PartChange, SpanRow } from '../wire.ts'
import { count, inert, percent } from './format.ts'
import { Fold } from './messages.tsx'
import { Text } from './text.tsx'

const marks = { same: '=', changed: '~', added: '+', removed: '−' }

export function Changes({ comparison, span }: { comparison: Comparison; span: SpanRow }) {
  const { parts, settings, prefix, isPartial } = comparison
  const same = parts.filter(({ change }) => change === 'same').length
  return (
    <>
      <p class={prefix.isWhole ? 'verdict good' : 'verdict bad'}>
        {prefix.isWhole ? 'The cached prefix holds.' : `The cached prefix broke at ${quoted(prefix.label)}.`}
        <span>{explain(comparison, span)}</span>
      </p>
      {isPartial && (
        <p class="quiet">Some of these requests was too long to be kept; only what was kept is compared.</p>
      )}
      {settings.length > 0 && (
        <dl class="value">
          {settings.map(({ name, before, after }) => (
            <div key={name}>
              <dt>{inert(name)}</dt>
              <dd class="was-is">
                <del>{inert(JSON.stringify(before) ?? 'not set')}</del>{' '}
                <ins>{inert(JSON.stringify(after) ?? 'not set')}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <p class="quiet">
        {count(same)} {same === 1 ? 'part' : 'parts'} unchanged{same === parts.length ? ', none added.' : '.'}
      </p>
      {parts
        .filter(({ change }) => change !== 'same')
        .slice(0, 100)
        .map((part) => (
          <Change key={`${part.change} ${part.label}`} part={part} />
        ))}
    </>
  )
}

const quoted = (label: string) => label.toLowerCase().replace(',', ' from')

function explain({ prefix }: Comparison, { cachedTokens, inputTokens }: SpanRow): string {
  const cached =
    inputTokens === undefined || cachedTokens === undefined
      ? 'The provider did not say what it read from its cache.'
      : `The provider read ${count(cachedTokens)} of ${count(inputTokens)} input tokens from its cache (${percent(cachedTokens, inputTokens)}).`
  if (!prefix.isWhole) {
    return ` From character ${count(prefix.at + 1)} of it on, everything is paid in full. ${cached}`
  }
  if (cachedTokens === 0) return ` ${cached} Its cache may have run out, or it keeps none for prompts this short.`
  return ` ${cached}`
}

function Change({ part }: { part: PartChange }) {
  return (
    <Fold
      isOpen={part.change === 'changed'}
      title={
        <>
          <span class={`mark ${part.change}`}>{marks[part.change]}</span>
          <b>{inert(part.label)}</b>
          <span class="preview">{part.change}</span>
        </>
      }
    >
      {() => <Difference part={part} />}
    </Fold>
  )
}

/** Characters of what is the same, shown around what is not. */
const around = 200

function Difference({ part: { change, before = '', after = '' } }: { part: PartChange }) {
  if (change === 'added') return <Text text={after} />
  if (change === 'removed') return <Text text={before} />
  const { head, tail } = ends(before, after)
  const end = before.length - tail
  return (
    <div class="difference">
      {head > 0 && <Kept text={before.slice(Math.max(0, head - around), head)} left={Math.max(0, head - around)} />}
      {end > head && (
        <del>
          <Text text={before.slice(head, end)} />
        </del>
      )}
      {after.length - tail > head && (
        <ins>
          <Text text={after.slice(head, after.length - tail)} />
        </ins>
      )}
      {tail > 0 && <Kept text={before.slice(end, end + around)} left={Math.max(0, tail - around)} isEnd />}
    </div>
  )
}

function Kept({ text, left, isEnd }: { text: string; left: number; isEnd?: boolean }) {
  const note = left > 0 && <p class="quiet">… {count(left)} characters unchanged …</p>
  return (
    <>
      {!isEnd && note}
      <Text text={text} />
      {isEnd && note}
    </>
  )
}

/** How much is the same at the beginning and at the end. Linear: texts may have millions of characters. */
export function ends(before: string, after: string): { head: number; tail: number } {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head += 1
  let tail = 0
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1
  return { head, tail }
}

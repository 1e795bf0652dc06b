/** `Text` shows what somebody said: as it is, unable to act, and never more of it at once than a page can take. */
import type { Json } from '@clew/core'
import { useState } from 'preact/hooks'
import { count, inert } from './format.ts'

const atFirst = 4_000
const step = 100_000
/** More than this in one page helps nobody; the download has all of it. */
const most = 1_000_000

export function Text({ text, isCode = false }: { text: string; isCode?: boolean }) {
  const [shown, setShown] = useState(atFirst)
  const left = text.length - shown
  return (
    <>
      <pre class={isCode ? 'said code' : 'said'} dir="auto">
        {inert(text.slice(0, shown))}
      </pre>
      {left > 0 && (
        <p class="rest">
          {shown < most ? (
            <button type="button" onClick={() => setShown(shown + step)}>
              Show {count(Math.min(step, left))} more
            </button>
          ) : (
            'The rest is in the download. '
          )}
          <span>
            {count(shown)} of {count(text.length)} characters
          </span>
        </p>
      )}
    </>
  )
}

/** Records by their keys, texts with their lines; all else as JSON. */
export function Value({ value }: { value: Json }) {
  if (typeof value === 'string') return <Text text={value} />
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length > 50) {
    return <Text text={JSON.stringify(value, null, 2)} isCode />
  }
  const entries = Object.entries(value)
  if (entries.length === 0) return <p class="quiet">Nothing.</p>
  return (
    <dl class="value">
      {entries.map(([key, item]) => (
        <div key={key}>
          <dt>
            <bdi>{inert(key)}</bdi>
          </dt>
          <dd>
            {typeof item === 'string' ? <Text text={item} /> : <Text text={JSON.stringify(item, null, 2)} isCode />}
          </dd>
        </div>
      ))}
    </dl>
  )
}

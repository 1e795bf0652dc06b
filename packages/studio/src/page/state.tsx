/** What stands in the place of a page that has nothing to show: it says why, and what to do next. */
import type { ComponentChildren } from 'preact'
import type { Data } from './data.ts'

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {children}
    </section>
  )
}

/** The value when it is there; an error stands above what was read before it. */
export function Loaded<Value>({
  data,
  children,
}: {
  data: Data<Value>
  children: (value: Value) => ComponentChildren
}) {
  return (
    <>
      {data.error !== undefined && (
        <div class="notice bad" role="alert">
          <p>{data.error}</p>
          <button type="button" onClick={data.again}>
            Try again
          </button>
        </div>
      )}
      {data.value !== undefined ? children(data.value) : data.error === undefined && <p class="loading">Reading …</p>}
    </>
  )
}

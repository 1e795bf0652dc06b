/** The messages of a request or an answer, each with its parts. */
import type { Json } from '@clew/core'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Part, Said } from '../wire.ts'
import { count, inert } from './format.ts'
import { Text, Value } from './text.tsx'

/** A conversation can have thousands; the last ones are those that were answered. */
const step = 50

export function Messages({ messages, open }: { messages: Said[]; open: 'all' | 'last' }) {
  const [shown, setShown] = useState(step)
  const hidden = Math.max(0, messages.length - shown)
  return (
    <div class="messages">
      {hidden > 0 && (
        <p class="rest">
          <button type="button" onClick={() => setShown(shown + step)}>
            Show {count(Math.min(step, hidden))} earlier messages
          </button>
          <span>of {count(messages.length)}</span>
        </p>
      )}
      {messages.slice(hidden).map((message, index) => {
        const place = hidden + index
        const isOpen = open === 'all' || place === messages.length - 1
        return <Message key={place} message={message} place={open === 'all' ? undefined : place + 1} isOpen={isOpen} />
      })}
    </div>
  )
}

function Message({ message, place, isOpen }: { message: Said; place: number | undefined; isOpen: boolean }) {
  if (place === undefined) return <Parts parts={message.parts} />
  return (
    <Fold
      isOpen={isOpen}
      title={
        <>
          <span class="place">{place}</span>
          <b>{inert(message.role)}</b>
          <span class="preview">
            <bdi>{preview(message)}</bdi>
          </span>
        </>
      }
    >
      {() => <Parts parts={message.parts} />}
    </Fold>
  )
}

type FoldProps = { title: ComponentChildren; isOpen: boolean; children: () => ComponentChildren }

/** What is folded is not in the document. */
export function Fold({ title, isOpen: isOpenAtFirst, children }: FoldProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && <div class="folded">{children()}</div>}
    </details>
  )
}

function Parts({ parts }: { parts: Part[] }) {
  if (parts.length === 0) return <p class="quiet">Nothing was said.</p>
  return (
    <>
      {parts.map((part, index) => (
        <PartOf key={index} part={part} />
      ))}
    </>
  )
}

function PartOf({ part }: { part: Part }) {
  switch (part.type) {
    case 'text':
      return <Text text={String(part.content ?? '')} />
    case 'reasoning':
      return (
        <div class="part reasoning">
          <h4>Reasoning</h4>
          <Text text={String(part.content ?? '')} />
        </div>
      )
    case 'tool_call':
      return (
        <div class="part call">
          <h4>
            Calls <code>{inert(String(part.name ?? ''))}</code>
          </h4>
          <Value value={part.arguments ?? {}} />
        </div>
      )
    case 'tool_call_response':
      return <Value value={(part.response ?? part.result ?? '') as Json} />
    case 'cut':
      return <p class="quiet">{inert(String(part.content ?? ''))}</p>
    default:
      return (
        <div class="part">
          <h4>{inert(part.type)}</h4>
          <Value value={Object.fromEntries(Object.entries(part).filter(([key]) => key !== 'type'))} />
        </div>
      )
  }
}

function preview({ parts }: Said): string {
  const words = parts.map((part) => {
    if (part.type === 'tool_call') return `calls ${String(part.name)}`
    const said = part.content ?? part.response ?? part.type
    return (typeof said === 'string' ? said : JSON.stringify(said)).slice(0, 120)
  })
  return inert(words.join(' · ').slice(0, 120).replaceAll(/\s+/g, ' '))
}

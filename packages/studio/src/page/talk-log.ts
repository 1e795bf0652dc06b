/** `follow()` makes what is shown of a talk out of its lines, one after the other. Pure. */
import type { AnswerGiven, Content, Json, Need, RunEvent } from '@clew/core'
import type { TalkLine } from '../wire.ts'

export type Entry =
  | { type: 'asked'; text: string; images: string[] }
  | { type: 'answer'; text: string; reasoning: string; isOpen: boolean }
  | {
      type: 'call'
      id: string
      name: string
      agents: string[]
      input?: Json
      result?: string
      isError: boolean
      isOpen: boolean
    }
  | { type: 'need'; need: Need }
  | { type: 'problem'; text: string }

export function follow(entries: readonly Entry[], line: TalkLine): Entry[] {
  switch (line.type) {
    case 'talk-end':
      // All that are still open, also those that were shown before.
      return [
        ...closed(entries).filter(({ type }) => type !== 'need'),
        ...line.needs.map((need): Entry => ({ type: 'need', need })),
        ...ended(line.status),
      ]
    case 'talk-failed':
      return [...closed(entries), { type: 'problem', text: line.error }]
    case 'text-delta':
    case 'reasoning-delta': {
      const [rest, last] = open(entries)
      const [key, text] = [line.type === 'text-delta' ? 'text' : 'reasoning', line.text] as const
      return [...rest, { ...last, [key]: last[key] + text }]
    }
    // What was shown of this answer is void.
    case 'model-restart':
      return open(entries)[0]
    case 'model-end':
      return closed(entries)
    default:
      return followCall(entries, line, [])
  }
}

/** Calls of the agents below come with the way to them. */
function followCall(entries: readonly Entry[], event: RunEvent, agents: string[]): Entry[] {
  switch (event.type) {
    case 'child':
      return followCall(entries, event.event, [...(event.event.path ?? agents)])
    case 'answer':
      return entries.flatMap((entry) =>
        entry.type === 'need' && entry.need.id === event.id ? answered(entry.need, event.answer, agents) : [entry],
      )
    case 'tool-start': {
      const { id, name, input } = event
      return [...entries, { type: 'call', id, name, agents, input, isError: false, isOpen: true }]
    }
    case 'tool-end': {
      const done = { result: text(event.content), isError: event.isError === true, isOpen: false }
      const at = entries.findIndex((entry) => entry.type === 'call' && entry.id === event.id)
      // One that never ran has its end only.
      if (at < 0) return [...entries, { type: 'call', id: event.id, name: event.name, agents, ...done }]
      return entries.map((entry, index) => (index === at && entry.type === 'call' ? { ...entry, ...done } : entry))
    }
    default:
      return [...entries]
  }
}

/** What was approved begins after it; what was not is at its end. */
function answered({ id, tool, input }: Need, answer: AnswerGiven['answer'], agents: string[]): Entry[] {
  const call = { type: 'call', id, name: tool, agents, input, isOpen: false } as const
  switch (answer.type) {
    case 'deny':
      return [{ ...call, result: answer.reason, isError: true }]
    case 'respond':
      return [{ ...call, result: text(answer.content), isError: false }]
    default:
      return []
  }
}

const text = (content: Content) => (typeof content === 'string' ? content : JSON.stringify(content))

type Answer = Extract<Entry, { type: 'answer' }>

function open(entries: readonly Entry[]): [Entry[], Answer] {
  const last = entries.at(-1)
  if (last?.type === 'answer' && last.isOpen) return [entries.slice(0, -1), last]
  return [[...entries], { type: 'answer', text: '', reasoning: '', isOpen: true }]
}

function closed(entries: readonly Entry[]): Entry[] {
  return entries.map((entry) =>
    'isOpen' in entry && entry.isOpen && entry.type === 'answer' ? { ...entry, isOpen: false } : entry,
  )
}

function ended(status: string): Entry[] {
  return status === 'stopped' ? [{ type: 'problem', text: 'The run was stopped by one of its limits.' }] : []
}

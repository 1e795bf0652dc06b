/** `useTalk()`: what was said with an agent so far, and the ways to go on. */
import type { Answer, Content, Need } from '@clew/core'
import { useState } from 'preact/hooks'
import type { TalkLine } from '../wire.ts'
import { type Entry, follow } from './talk-log.ts'

export function useTalk(agent: string) {
  const [talk, setTalk] = useState<string>(() => crypto.randomUUID())
  const [entries, setEntries] = useState<Entry[]>([])
  const [run, setRun] = useState<AbortController>()
  const go = async (body: object) => {
    const leaving = new AbortController()
    setRun(leaving)
    try {
      for await (const line of lines({ agent, talk, ...body }, leaving.signal))
        setEntries((known) => follow(known, line))
    } catch (error) {
      const text = leaving.signal.aborted ? 'You stopped it.' : (error as Error).message
      setEntries((known) => follow(known, { type: 'talk-failed', error: text }))
    }
    setRun(undefined)
  }
  return {
    entries,
    isBusy: run !== undefined,
    stop: () => run?.abort(),
    restart: () => {
      run?.abort()
      setTalk(crypto.randomUUID())
      setEntries([])
    },
    say: (text: string, images: string[]) => {
      setEntries((known) => [...known, { type: 'asked', text, images }])
      const parts: Content = [
        ...(text ? [{ type: 'text' as const, text }] : []),
        ...images.map((url) => ({ type: 'image' as const, url })),
      ]
      return go({ input: images.length > 0 ? parts : text })
    },
    answer: (need: Need, given: Answer) => go({ answers: { [need.id]: given } }),
  }
}

async function* lines(body: object, signal: AbortSignal): AsyncGenerator<TalkLine> {
  const response = await fetch('api/talk', { method: 'POST', body: JSON.stringify(body), signal })
  if (!response.ok || !response.body)
    throw new Error('The studio does not answer. Is it still running in the terminal?')
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const found = (rest + piece.value).split('\n')
    rest = found.pop() ?? ''
    for (const line of found) yield JSON.parse(line) as TalkLine
  }
}

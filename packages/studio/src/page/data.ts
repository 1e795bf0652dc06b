/** `useData()` reads from the server, and again when something changed; what was read stays until the new is there. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

export type Data<Value> = { value?: Value; error?: string; again: () => void }

/** `fresh` tells which changes matter: the ids of traces that changed. */
export function useData<Value>(path: string | undefined, fresh?: (traces: string[]) => boolean): Data<Value> {
  const [state, setState] = useState<{ path?: string; value?: Value; error?: string }>({})
  const [round, setRound] = useState(0)
  const again = useCallback(() => setRound((count) => count + 1), [])
  const matters = useRef(fresh)
  matters.current = fresh
  useEffect(() => onChange((traces) => matters.current?.(traces) && again()), [again])
  useEffect(() => {
    if (path === undefined) return
    const leaving = new AbortController()
    read<Value>(path, leaving.signal).then(
      (value) => setState({ path, value }),
      (error: Error) => {
        if (!leaving.signal.aborted) setState((last) => ({ ...last, path, error: error.message }))
      },
    )
    return () => leaving.abort()
  }, [path, round])
  return { ...state, again }
}

export async function read<Value>(path: string, signal?: AbortSignal): Promise<Value> {
  const response = await ask(path, signal)
  return (await response.json()) as Value
}

export async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal: signal ?? null }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error
    throw new Error('The studio does not answer. Is it still running in the terminal?')
  })
  if (response.ok) return response
  const { error } = (await response.json().catch(() => ({}))) as { error?: string }
  throw new Error(
    error ?? (response.status === 404 ? 'This is not in the store.' : `The studio answered ${response.status}.`),
  )
}

type Listener = (traces: string[]) => void
const listeners = new Set<Listener>()
const connection = { isLive: false, listeners: new Set<(isLive: boolean) => void>() }
let isOpen = false

function onChange(listener: Listener): () => void {
  listeners.add(listener)
  if (!isOpen) open()
  return () => listeners.delete(listener)
}

function open(): void {
  isOpen = true
  const stream = new EventSource('api/changes')
  const live = (isLive: boolean) => {
    connection.isLive = isLive
    for (const listener of connection.listeners) listener(isLive)
  }
  stream.addEventListener('open', () => {
    live(true)
    // What is shown may be from before this moment, the first time as well as after a break.
    for (const listener of listeners) listener([])
  })
  stream.addEventListener('error', () => live(false))
  stream.addEventListener('change', ({ data }) => {
    const { traces } = JSON.parse(data as string) as { traces: string[] }
    for (const listener of listeners) listener(traces)
  })
}

/** Whether changes arrive. */
export function useLive(): boolean {
  const [isLive, setLive] = useState(connection.isLive)
  useEffect(() => {
    setLive(connection.isLive)
    connection.listeners.add(setLive)
    return () => void connection.listeners.delete(setLive)
  }, [])
  return isLive
}

/** The state of a run, in a word and a colour. */
import { useEffect, useState } from 'preact/hooks'
import { duration, inert } from './format.ts'

export const statusWords: { [status: string]: string } = {
  running: 'Running',
  waiting: 'Waiting',
  done: 'Done',
  stopped: 'Stopped',
  aborted: 'Aborted',
  failed: 'Failed',
  lost: 'Lost',
  resumed: 'Resumed',
}

/** What it says, where the word alone does not. */
const explained: { [status: string]: string } = {
  lost: 'Its process died before it ended',
  waiting: 'It waits for an answer',
  resumed: 'It waited, was answered and went on as a run of its own',
}

export function Status({ status }: { status: string }) {
  const isKnown = Object.hasOwn(statusWords, status)
  return (
    <span class={`status ${isKnown ? status : 'other'}`} title={explained[status]}>
      {isKnown ? statusWords[status] : inert(status)}
    </span>
  )
}

/** How long it has been running. */
export function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.floor((now - since) / 1000))
  return <>{seconds === 0 ? '0 s' : duration(seconds * 1000)}</>
}

/** `Needed` asks for what a waiting call needs: whether it may run, or what its result is. */
import type { Answer, Json, Need } from '@clew/core'
import { useState } from 'preact/hooks'
import { inert, inertJson } from './format.ts'
import { submitted } from './keys.ts'
import { Value } from './text.tsx'

type NeededProps = { need: Need; isBusy: boolean; answer: (need: Need, given: Answer) => void }

/** A tool that may run or not; or one that this program does not run, and that gives what a person says. */
export function Needed(props: NeededProps) {
  return props.need.for === 'approval' ? <Approval {...props} /> : <Result {...props} />
}

function Approval({ need, isBusy, answer }: NeededProps) {
  const original = inertJson(need.input)
  const [input, setInput] = useState(original)
  const [reason, setReason] = useState('')
  const changed = parsed(input)
  const seen = { tool: need.tool, input: need.input }
  const approve = () => answer(need, { type: 'approve', seen, ...(input !== original && { input: changed as Json }) })
  const deny = () => answer(need, { type: 'deny', seen, reason: reason || 'The user denied it.' })
  return (
    <form class="card need" onSubmit={(event) => submitted(event, approve)}>
      <h2>
        May <code>{inert(need.tool)}</code> run?
      </h2>
      <Area label="Its input; change it if it is to run with another" value={input} change={setInput} />
      {changed === undefined && <p class="bad">This is no JSON.</p>}
      <label>
        Why not, for the model
        <input value={reason} onInput={({ currentTarget }) => setReason(currentTarget.value)} />
      </label>
      <p class="actions">
        <button type="button" disabled={isBusy} onClick={deny}>
          Deny
        </button>
        <button type="submit" class="primary" disabled={isBusy || changed === undefined}>
          Approve
        </button>
      </p>
    </form>
  )
}

function Result({ need, isBusy, answer }: NeededProps) {
  const [result, setResult] = useState('')
  const respond = () => answer(need, { type: 'respond', content: result })
  return (
    <form class="card need" onSubmit={(event) => submitted(event, respond)}>
      <h2>
        What is the result of <code>{inert(need.tool)}</code>?
      </h2>
      <Value value={need.input} />
      <Area label="The model reads it as it stands" value={result} change={setResult} />
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          Answer
        </button>
      </p>
    </form>
  )
}

function Area({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
  const rows = Math.max(2, Math.min(12, value.split('\n').length))
  return (
    <label>
      {label}
      <textarea class="code" rows={rows} value={value} onInput={({ currentTarget }) => change(currentTarget.value)} />
    </label>
  )
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

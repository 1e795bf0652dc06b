/** A talk with an agent: its words as they come, its tools as they run, and what it needs answered. */
import type { Answer, Need } from '@clew/core'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Agents } from '../wire.ts'
import { Ask } from './ask.tsx'
import { useData } from './data.ts'
import { inert } from './format.ts'
import { Fold } from './messages.tsx'
import { Needed } from './needed.tsx'
import { Empty, Loaded } from './state.tsx'
import type { Entry } from './talk-log.ts'
import { Text, Value } from './text.tsx'
import { useTalk } from './use-talk.ts'

export function ChatPage() {
  const data = useData<Agents>('api/agents')
  return (
    <Loaded data={data}>
      {({ names }) =>
        names.length === 0 ? (
          <Empty title="No agent to talk to">
            <p>Start the studio with a file that exports one, or several:</p>
            <pre>
              <code>clew studio agent.ts</code>
            </pre>
          </Empty>
        ) : (
          <Chat names={names} />
        )
      }
    </Loaded>
  )
}

function Chat({ names }: { names: string[] }) {
  const [agent, setAgent] = useState(names[0] ?? '')
  const { entries, isBusy, say, answer, stop, restart } = useTalk(agent)
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => end.current?.scrollIntoView({ block: 'end' }), [entries])
  return (
    <div class="chat">
      <div class="title-row">
        <h1>Chat</h1>
        <p class="actions">
          <select
            aria-label="agent"
            value={agent}
            onChange={({ currentTarget }) => {
              setAgent(currentTarget.value)
              restart()
            }}
          >
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <button type="button" onClick={restart}>
            New talk
          </button>
        </p>
      </div>
      <div class="talk" role="log" aria-label="Talk">
        {entries.length === 0 && (
          <p class="quiet">Ask {inert(agent)} something. Its model and its tools are the real ones.</p>
        )}
        {entries.map((entry, index) => (
          <Said key={index} entry={entry} answer={answer} isBusy={isBusy} />
        ))}
        <div ref={end} />
      </div>
      <Ask isBusy={isBusy} isWaiting={entries.some(({ type }) => type === 'need')} say={say} stop={stop} />
    </div>
  )
}

type SaidProps = { entry: Entry; isBusy: boolean; answer: (need: Need, given: Answer) => void }

function Said({ entry, isBusy, answer }: SaidProps) {
  switch (entry.type) {
    case 'asked':
      return (
        <div class="asked-words">
          {entry.images.map((url) => (
            <img key={url} src={url} alt="Sent along" />
          ))}
          <Text text={entry.text} />
        </div>
      )
    case 'answer':
      return (
        <div class="answer-words">
          {entry.reasoning !== '' && (
            <Fold
              key={entry.text === '' ? 'thinks' : 'speaks'}
              isOpen={entry.isOpen && entry.text === ''}
              title={<b>Reasoning</b>}
            >
              {() => <Text text={entry.reasoning} />}
            </Fold>
          )}
          <Text text={entry.text} />
        </div>
      )
    case 'call':
      return <Call entry={entry} />
    case 'need':
      return <Needed need={entry.need} isBusy={isBusy} answer={answer} />
    case 'problem':
      return (
        <div class="notice" role="alert">
          <Text text={entry.text} />
        </div>
      )
  }
}

function Call({
  entry: { name, agents, input, result, isError, isOpen },
}: {
  entry: Extract<Entry, { type: 'call' }>
}) {
  const state = isOpen ? 'running' : isError ? 'failed' : 'done'
  return (
    <Fold
      isOpen={false}
      title={
        <>
          <b>
            {agents.length > 1 && `${inert(agents.at(-1) ?? '')} · `}
            {inert(name)}
          </b>
          <span class={`status ${state}`}>{isOpen ? 'Runs' : isError ? 'Failed' : 'Done'}</span>
          <span class="preview">
            <bdi>{inert((result ?? JSON.stringify(input) ?? '').slice(0, 120))}</bdi>
          </span>
        </>
      }
    >
      {() => (
        <>
          {input !== undefined && <Value value={input} />}
          {result !== undefined && (
            <div class="part">
              <h4>Result</h4>
              <Text text={result} />
            </div>
          )}
        </>
      )}
    </Fold>
  )
}

/** A talk with an agent: its words as they come, its tools as they run, and what it needs answered. */
import type { Answer, Content, Json, Need } from '@clew/core'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Agents, TalkLine } from '../wire.ts'
import { useData } from './data.ts'
import { inert, inertJson } from './format.ts'
import { Fold } from './messages.tsx'
import { Empty, Loaded } from './state.tsx'
import { type Entry, follow } from './talk-log.ts'
import { Text, Value } from './text.tsx'

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

function useTalk(agent: string) {
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

type NeededProps = { need: Need; isBusy: boolean; answer: (need: Need, given: Answer) => void }

/** A tool that may run or not; or one that this program does not run, and that gives what a person says. */
function Needed(props: NeededProps) {
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

function submitted(event: Event, act: () => void): void {
  event.preventDefault()
  act()
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

type AskProps = { isBusy: boolean; isWaiting: boolean; say: (text: string, images: string[]) => void; stop: () => void }

function Ask({ isBusy, isWaiting, say, stop }: AskProps) {
  const [text, setText] = useState('')
  const [images, setImages] = useState<string[]>([])
  const send = () => {
    if (isBusy || isWaiting || (text.trim() === '' && images.length === 0)) return
    say(text, images)
    setText('')
    setImages([])
  }
  return (
    <form class="ask" onSubmit={(event) => submitted(event, send)}>
      {images.length > 0 && (
        <p class="quiet">{images.length === 1 ? '1 image' : `${images.length} images`} to be sent along.</p>
      )}
      <textarea
        aria-label="Message"
        placeholder={
          isWaiting ? 'Answer what is needed first' : 'Ask something. Enter sends, Shift and Enter begin a line.'
        }
        rows={2}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      <p class="actions">
        <label class="button">
          Add image
          <input
            type="file"
            accept="image/*"
            multiple
            class="unseen"
            onChange={async ({ currentTarget }) =>
              setImages(await Promise.all([...(currentTarget.files ?? [])].map(dataUrl)))
            }
          />
        </label>
        {isBusy ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={isWaiting}>
            Send
          </button>
        )}
      </p>
    </form>
  )
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
}

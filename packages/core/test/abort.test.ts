/** Wherever a run waits, an abort ends it within the grace, by a clock of the test's own, and nothing of it is left. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Agent,
  type AgentOptions,
  checkHistory,
  fold,
  isClewError,
  type LoggedEvent,
  type Middleware,
  memorySession,
  type Run,
  type RunResult,
  type Session,
  type Tool,
  tool,
} from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

/** Fires once the run has come to the place where it hangs. */
type Hang = () => Promise<never>
type Place = { options?: Partial<AgentOptions<unknown, string>>; session?: Partial<Session> }

const never = new Promise<never>(() => {})
const calls = [{ name: 'work' }]
const work = (execute: () => unknown, more: object = {}) => tool({ name: 'work', execute, ...more }) as Tool
const layer = (kind: 'run' | 'model' | 'tool', hang: Hang): Middleware => ({
  name: 'hangs',
  async *[kind]() {
    return (await hang()) as never
  },
})
const stuck = (hang: Hang) => ({
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: () => hang(),
    jsonSchema: { input: () => ({ type: 'object' }) },
  },
})

const places: { [name: string]: (hang: Hang, log: Session) => Place } = {
  'the session is acquired': (hang) => ({ session: { acquire: hang } }),
  'the session is read': (hang) => ({ session: { read: hang } }),
  'the first events are appended': (hang) => ({ session: { append: hang } }),
  'an outcome is appended': (hang, log) => ({ session: { append: hangAt('tool-end', hang, log) } }),
  'the end is appended': (hang, log) => ({
    options: { model: scriptedModel(['Hi.']) },
    session: { append: hangAt('run-end', hang, log) },
  }),
  'the instructions are made': (hang) => ({ options: { instructions: hang } }),
  'the tools are made': (hang) => ({ options: { tools: hang } }),
  'the handoffs are made': (hang) => ({ options: { handoffs: hang } }),
  'the model is asked': (hang) => ({ options: { model: scriptedModel([async () => await hang()]) } }),
  'a tool works': (hang) => ({ options: { tools: [work(hang)] } }),
  'a tool works beside another': (hang) => ({
    options: { model: scriptedModel([{ calls: [...calls, ...calls] }]), tools: [work(hang)] },
  }),
  'a tool that yields works': (hang) => ({
    options: {
      tools: [
        work(async function* () {
          yield 1
          await hang()
        } as never),
      ],
    },
  }),
  'a tool with a deadline works': (hang) => ({ options: { tools: [work(hang, { timeoutMs: 60_000 })] } }),
  'an approval is asked of a predicate': (hang) => ({ options: { tools: [work(() => 1, { needsApproval: hang })] } }),
  'an approval is asked of the policy': (hang) => ({
    options: { tools: [work(() => 1, { needsApproval: true })], policy: hang },
  }),
  'an input is validated': (hang) => ({ options: { tools: [work(() => 1, { input: stuck(hang) })] } }),
  'an output is validated': (hang) => ({ options: { model: scriptedModel(['{}']), output: stuck(hang) as never } }),
  'a layer around the run waits': (hang) => ({ options: { use: [layer('run', hang)] } }),
  'a layer around the model waits': (hang) => ({ options: { use: [layer('model', hang)] } }),
  'a layer around a tool waits': (hang) => ({ options: { use: [layer('tool', hang)] } }),
  'the history is made shorter': (hang) => ({ options: { use: [{ name: 'hangs', compact: hang }] } }),
  'a handoff is filtered': (hang) => handoffTo({}, hang),
  'the next agent’s instructions are made': (hang) => handoffTo({ instructions: hang }),
  'the next agent’s tools are made': (hang) => handoffTo({ tools: hang }),
  'a sub-agent’s instructions are made': (hang) => below({ instructions: hang }),
  'a sub-agent’s tools are made': (hang) => below({ tools: hang }),
  'a sub-agent’s handoffs are made': (hang) => below({ handoffs: hang }),
  'a layer around a sub-agent’s run waits': (hang) => below({ use: [layer('run', hang)] }),
  'a layer around a sub-agent’s call waits': (hang) => {
    const { options } = below({ model: scriptedModel(['Hm.']) })
    return { options: { ...options, use: [layer('tool', hang)] } }
  },
  'the model of a sub-agent is asked': (hang) => below({ model: scriptedModel([async () => await hang()]) }),
  'a tool of a sub-agent works': (hang) => below({ model: scriptedModel([{ calls }]), tools: [work(hang)] }),
}

function handoffTo(options: Partial<AgentOptions<unknown, string>>, filter?: Hang): Place {
  const next = new Agent({ name: 'next', model: scriptedModel(['Hm.']), ...options })
  const model = scriptedModel([{ calls: [{ name: 'transfer_to_next' }] }])
  return { options: { model, handoffs: [next.asHandoff(filter ? { filter } : {})] } }
}

function below(options: Partial<AgentOptions<unknown, string>>): Place {
  const agent = new Agent({ name: 'below', model: scriptedModel([]), ...options })
  const model = scriptedModel([{ calls: [{ name: 'below', arguments: { task: 'go' } }] }])
  return { options: { model, tools: [agent.asTool()] } }
}

function hangAt(type: LoggedEvent['type'], hang: Hang, log: Session): Session['append'] {
  return (at, batch) => (batch.events.some((event) => event.type === type) ? hang() : log.append(at, batch))
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve))

/** Everything that is ready happens; no time passes. */
async function settle() {
  for (let round = 0; round < 30; round++) await turnOfLoop()
}

function watch(run: Run<RunResult>) {
  const ended: { with?: unknown } = {}
  run.result().then(
    (result) => (ended.with = result),
    (error) => (ended.with = error),
  )
  return ended
}

/** The first tool of a process loads a module, and that takes more than turns of the loop. */
beforeAll(async () => {
  await new Agent({ name: 'a', model: scriptedModel([{ calls }, 'Done.']), tools: [work(() => 1)] }).run('go')
})
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => void vi.useRealTimers())

describe('an abort while', () => {
  it.each(Object.entries(places))('%s: the run is over after the grace, with nothing left behind', async (_, make) => {
    const log = memorySession()
    let hangs = 0
    const hang: Hang = () => {
      hangs++
      return new Promise<never>(() => {})
    }
    const { options, session } = make(hang, log)
    const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }]), tools: [work(() => 'ok')], ...options })
    const controller = new AbortController()
    const listeners = counted(controller.signal)
    const ended = watch(agent.run('go', { session: { ...log, ...session }, signal: controller.signal }))
    await settle()
    expect(hangs).toBeGreaterThan(0)
    expect(ended).toEqual({})

    controller.abort(new Error('enough'))
    await settle()
    await vi.advanceTimersByTimeAsync(499)
    await settle()
    // Two levels settle one after the other; what stands in the way at each has the same grace.
    for (let graces = 0; !ended.with && graces < 3; graces++) {
      await vi.advanceTimersByTimeAsync(500)
      await settle()
    }
    expect(isClewError(ended.with)).toBe(true)
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])

    const { events } = await log.read()
    expect(events.map(({ type }) => type)).not.toContain('tool-wait')
    // What could be written says how the run ended.
    if (!session && events.length > 0) expect(events.at(-1)).toMatchObject({ type: 'run-end', status: 'aborted' })
    const closed: LoggedEvent[] =
      fold(events).status === 'running' ? [...events, { type: 'run-end', status: 'aborted' }] : events
    expect(checkHistory(fold(closed).messages)).toBeUndefined()
    const next = scriptedModel(['Good morning.'])
    const later = await new Agent({ name: 'a', model: next }).run('Still there?', { session: log })
    expect(later.text).toBe('Good morning.')
  })

  it('the next agent is made ready: no model is asked any more', async () => {
    const model = scriptedModel([{ calls: [{ name: 'transfer_to_next' }] }])
    const next = new Agent({ name: 'next', model: scriptedModel([]), tools: () => new Promise<never>(() => {}) })
    const run = new Agent({ name: 'a', model, handoffs: [next] }).run('go')
    const ended = watch(run)
    await settle()
    run.abort()
    await vi.advanceTimersByTimeAsync(500)
    await settle()
    expect(isClewError(ended.with, 'abort')).toBe(true)
    expect(model.requests).toHaveLength(1)
  })

  it('a handoff: the next agent is not made ready any more', async () => {
    let made = 0
    const tools = () => {
      made++
      return []
    }
    const model = scriptedModel([{ calls: [{ name: 'transfer_to_next' }] }])
    const next = new Agent({ name: 'next', model: scriptedModel([]), tools })
    const run = new Agent({ name: 'a', model, handoffs: [next] }).run('go')
    for await (const { type } of run) if (type === 'handoff') break
    expect(made).toBe(0)
  })

  it('the end is in the log already changes nothing', async () => {
    const session = memorySession()
    const run = new Agent({ name: 'a', model: scriptedModel(['x']) }).run('go', { session })
    const events: string[] = []
    for await (const { type } of run) {
      events.push(type)
      if (type === 'run-end') run.abort()
    }
    expect(events.filter((type) => type === 'run-end')).toHaveLength(1)
    expect((await session.read()).events.filter(({ type }) => type === 'run-end')).toHaveLength(1)
    expect((await run).text).toBe('x')
  })

  it('the log hangs: what it was to hold is in the error', async () => {
    const log = memorySession()
    const session = { ...log, append: hangAt('tool-end', () => new Promise(() => {}), log) }
    const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }, 'Done.']), tools: [work(() => 'sent')] })
    const run = agent.run('go', { session })
    const ended = watch(run)
    await settle()
    run.abort()
    await settle()
    await vi.advanceTimersByTimeAsync(500)
    await settle()
    const error = ended.with
    if (!isClewError(error, 'run')) throw new Error('No RunError came.')
    expect(error.unsaved?.events).toMatchObject([{ type: 'tool-end', content: 'sent' }])
    vi.useRealTimers()
    const result = await agent.resume(log, {}, { unsaved: error.unsaved! })
    expect(result.state.messages.at(-2)).toMatchObject({ role: 'tool', content: 'sent' })
  })

  it('the lease is given back: the result stands, without waiting for the store', async () => {
    const session = { ...memorySession(), acquire: async () => ({ release: () => new Promise<void>(() => {}) }) }
    const run = new Agent({ name: 'a', model: scriptedModel(['Hi.']) }).run('go', { session })
    const ended = watch(run)
    await settle()
    expect(ended).toEqual({})
    run.abort()
    await vi.advanceTimersByTimeAsync(500)
    await settle()
    expect(ended.with).toMatchObject({ status: 'done', text: 'Hi.' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('nothing hangs: the run is over at once', async () => {
    const controller = new AbortController()
    const obedient = work(() => new Promise((_, reject) => controller.signal.addEventListener('abort', reject)))
    const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }]), tools: [obedient] })
    const ended = watch(agent.run('go', { signal: controller.signal }))
    await settle()
    controller.abort()
    await settle()
    expect(isClewError(ended.with, 'abort')).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('limits.ms met while', () => {
  // Time runs from the start of the run on, and a log that hangs has its own end.
  const isOutside = (name: string, make: (typeof places)[string]) =>
    /^the (instructions|tools|handoffs) are made/.test(name) || make(async () => await never, memorySession()).session
  const inside = Object.entries(places).filter(([name, make]) => !isOutside(name, make))

  it.each(inside)('%s: the run is over after the grace, and says so', async (name, make) => {
    const log = memorySession()
    const { options } = make(() => never, log)
    const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }]), tools: [work(() => 'ok')], ...options })
    const ended = watch(agent.run('go', { session: log, limits: { ms: 10_000 } }))
    await settle()
    expect(ended).toEqual({})
    await vi.advanceTimersByTimeAsync(10_000)
    for (let graces = 0; !ended.with && graces < 4; graces++) {
      await settle()
      await vi.advanceTimersByTimeAsync(500)
    }
    await settle()
    if (name === 'a layer around the run waits') expect(isClewError(ended.with, 'abort')).toBe(true)
    else expect(ended.with).toMatchObject({ status: 'stopped', stop: 'ms' })
    expect(checkHistory(fold((await log.read()).events).messages)).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a thousand runs on one signal', () => {
  it('at once, of one agent, at every place: aborted together they leave no listener and no timer', async () => {
    const made = Object.values(places)
    const controller = new AbortController()
    const listeners = counted(controller.signal)
    const hang: Hang = () => new Promise<never>(() => {})
    const ends = Array.from({ length: 1000 }, (_, at) => {
      const log = memorySession()
      const { options, session } = made[at % made.length]!(hang, log)
      const agent = new Agent({ name: 'a', model: scriptedModel([{ calls }]), tools: [work(() => 'ok')], ...options })
      return watch(agent.run('go', { session: { ...log, ...session }, signal: controller.signal }))
    })
    await settle()
    expect(listeners()).toBe(1000)
    controller.abort()
    for (let graces = 0; graces < 4; graces++) {
      await settle()
      await vi.advanceTimersByTimeAsync(500)
    }
    await settle()
    expect(ends.filter((ended) => !isClewError(ended.with))).toEqual([])
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])
  })
})

/** How many listeners the signal has. */
function counted(signal: AbortSignal): () => number {
  const held = new Set<unknown>()
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (type: string, listener: never, options?: AddEventListenerOptions) => {
    held.add(listener)
    addEventListener.call(signal, type, listener, options)
    if (options?.once) addEventListener.call(signal, type, () => held.delete(listener), { once: true })
  }
  signal.removeEventListener = (type: string, listener: never) => {
    held.delete(listener)
    removeEventListener.call(signal, type, listener)
  }
  return () => held.size
}

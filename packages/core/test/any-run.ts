/** Random agents in a random world, and a ledger that holds their log against what really happened. */
import { isDeepStrictEqual } from 'node:util'
import {
  Agent,
  type Answer,
  approve,
  checkHistory,
  deny,
  type Effect,
  emptyState,
  failed,
  fatal,
  type HandoffTarget,
  type LoggedEvent,
  type Message,
  type Middleware,
  type ModelRequest,
  type Need,
  type RunEvent,
  type RunState,
  reduce,
  respond,
  retry,
  type Tool,
  type ToolExecution,
  tool,
} from '../src/index.ts'
import { readLog } from '../src/saved.ts'
import { scriptedModel } from '../src/testing/index.ts'

export type Dice = ReturnType<typeof diceOf>
/** A process that died does nothing any more: whoever waits for it waits for ever. */
export type Process = { isDead: boolean }

export const never = new Promise<never>(() => {})
const expiresMs = 1000

/** The same throws for the same seed. */
export function diceOf(seed: number) {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    below,
    chance: (share: number) => next() < share,
    pick: <Value>(list: readonly Value[]): Value => list[below(list.length)] as Value,
    /** Lets others go first, up to so many times. */
    pause: async (most: number) => {
      for (let rounds = below(most + 1); rounds > 0; rounds--) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const innermost = (event: RunEvent): RunEvent => (event.type === 'child' ? innermost(event.event) : event)
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
export const isSame = (a: unknown, b: unknown) => isDeepStrictEqual(plain(a), plain(b))

/** Tools by name: what they do to the world, and whether a person is asked. */
const kinds: { [name: string]: { effect: Effect; asks?: boolean } } = {
  once: { effect: 'once' },
  idempotent: { effect: 'idempotent' },
  pure: { effect: 'pure' },
  ask: { effect: 'once', asks: true },
  askIdempotent: { effect: 'idempotent', asks: true },
  broken: { effect: 'once' },
  fatal: { effect: 'once' },
}

/** What the log says, what the world saw, and where the two differ. */
export class Ledger {
  readonly problems: string[] = []
  /** The state that the events made one by one. */
  state: RunState = emptyState()
  readonly #events: LoggedEvent[] = []
  readonly #paths = new Map<string, string>()
  readonly #started = new Set<string>()
  readonly #approved = new Set<string>()
  readonly #standing = new Set<string>()
  readonly #edits = new Map<string, unknown>()
  readonly #retried = new Set<string>()
  readonly #effects = new Map<string, number>()

  /** Events that are in the log now. */
  take(events: readonly LoggedEvent[]): void {
    for (const event of plain(events) as LoggedEvent[]) {
      this.#events.push(event)
      this.#learn(innermost(event))
      this.state = reduce(this.state, event)
    }
    try {
      if (!isSame(readLog('any', this.#events), this.state)) this.problems.push('the log makes another state')
    } catch (error) {
      this.problems.push(`the log does not load: ${(error as Error).message}`)
    }
    this.#checkResults(this.state)
  }

  #learn(event: RunEvent): void {
    if (event.type === 'model-end')
      for (const { id } of event.message.toolCalls ?? []) this.#paths.set(id, String(event.path))
    if (event.type === 'tool-start') {
      const isAllowed = this.#approved.has(event.id) || this.#standing.has(`${event.path}/${event.name}`)
      if (kinds[event.name]?.asks && !isAllowed) this.problems.push(`${event.name} started without approval`)
      this.#started.add(event.id)
    }
    if (event.type !== 'answer') return
    const { answer, id } = event
    if (answer.type === 'retry') this.#retried.add(id)
    if (answer.type !== 'approve') return
    this.#approved.add(id)
    if (answer.input !== undefined) this.#edits.set(id, answer.input)
    const name = this.#nameOf(this.state, id)
    if (answer.always) this.#standing.add(`${this.#paths.get(id)}/${name}`)
  }

  #nameOf({ pending }: RunState, id: string): string | undefined {
    for (const each of pending) {
      const inner = 'child' in each && each.child ? this.#nameOf(each.child, id) : undefined
      if (each.call.id === id || inner) return inner ?? each.call.name
    }
    return undefined
  }

  /** What the model is told has to be what was. */
  #checkResults({ messages, pending }: RunState): void {
    for (const message of messages) if (message.role === 'tool') this.#checkResult(message.callId, message.content)
    for (const each of pending) {
      if (each.status === 'answered') this.#checkResult(each.call.id, each.content)
      if ('child' in each && each.child) this.#checkResults(each.child)
    }
  }

  #checkResult(id: string, content: unknown): void {
    const isUnrun = /^(Not run|Denied|There is no tool|Tool "\w+" was not run)/.test(String(content))
    if (isUnrun && this.#effects.has(id) && !this.#retried.has(id))
      this.problems.push(`an effect happened, but the model is told: ${content}`)
    if (String(content).endsWith(`did ${id}`) && !this.#effects.has(id)) this.problems.push('a result without effect')
  }

  has(id: string): boolean {
    return this.#effects.has(id)
  }

  /** The effect of a call happens now. */
  happen(name: string, given: unknown, id: string): void {
    const times = (this.#effects.get(id) ?? 0) + 1
    this.#effects.set(id, times)
    if (!this.#started.has(id)) this.problems.push(`${name} ran before its start was in the log`)
    if (kinds[name]?.effect === 'once' && times > 1 && !this.#retried.has(id)) this.problems.push(`${name} ran twice`)
    if (this.#edits.has(id) && !isSame(this.#edits.get(id), given))
      this.problems.push(`${name} ran with another input than was approved`)
  }

  /** What is sent to a model. */
  request(agent: string, { instructions, messages }: ModelRequest): void {
    const problem = checkHistory(messages)
    if (problem) this.problems.push(`a history that no provider takes: ${problem}`)
    if (instructions !== `I am ${agent}.`) this.problems.push(`${agent} is told: ${instructions}`)
    const last = messages.at(-1)
    if (last?.role === 'assistant' && !last.aborted) this.problems.push(`${agent} is asked for its own answer`)
  }
}

/** What somebody says who looks where the effect went. */
export function answerTo(need: Need, ledger: Ledger, dice: Dice): Answer {
  if (need.for === 'result') return dice.chance(0.8) ? respond('from elsewhere') : failed('no')
  if (need.for === 'verdict') {
    if (!ledger.has(need.id) || dice.chance(0.1)) return retry()
    return dice.chance(0.5) ? respond('it is done') : failed('it went wrong')
  }
  const seen = { tool: need.tool, input: need.input }
  return dice.pick([
    approve(),
    approve({ seen }),
    approve({ always: 'tool' }),
    approve({ input: { task: `edited ${need.id}` } }),
    deny('no'),
    respond('done by hand'),
  ])
}

/** Who can hand over to whom, and who works on whose calls. */
const handsTo: { [name: string]: string[] } = {
  desk: ['clerk', 'cashier'],
  clerk: ['desk'],
  cashier: ['clerk', 'desk'],
  helper: ['aide'],
  aide: [],
  deep: [],
}
const asks: { [name: string]: string[] } = { desk: ['helper'], clerk: ['helper', 'deep'], helper: ['deep'] }

/** What stays the same in all processes of one talk. */
export type Talk = { changes: boolean; hasPolicy: boolean; hasFilter: boolean; hasLimits: boolean; hasFatal: boolean }

/** The program as this process has it, by the names of its agents. */
export function programOf(talk: Talk, dice: Dice, ledger: Ledger, process: Process): { [name: string]: Agent } {
  const gone = talk.changes && dice.chance(0.3) ? dice.pick(['once', 'ask', 'idempotent', 'client', 'ask_helper']) : ''
  const isClerkGone = talk.changes && dice.chance(0.2)
  const isDeepReplaced = talk.changes && dice.chance(0.2)
  const alive = async () => void (process.isDead && (await never))

  const work =
    (name: string) =>
    async (given: unknown, { idempotencyKey }: ToolExecution) => {
      await dice.pause(3)
      await alive()
      ledger.happen(name, given, idempotencyKey)
      await dice.pause(3)
      await alive()
      if (name === 'broken') throw new Error('broken')
      if (name === 'fatal') throw fatal('fatal')
      return `did ${idempotencyKey}`
    }
  const own = Object.entries(kinds)
    .filter(([name]) => name !== 'fatal' || talk.hasFatal)
    .map(([name, { effect, asks: needsApproval = false }]) => {
      const expires = needsApproval && dice.chance(0.3) ? { expiresMs } : {}
      return tool({ name, effect, needsApproval, execute: work(name), input: { type: 'object' }, ...expires })
    })
  const agents: { [name: string]: Agent } = {}

  const filter = (messages: readonly Message[]): Message[] => {
    const choice = dice.below(3)
    if (choice === 0) return messages.filter(({ role }) => role !== 'tool')
    const last = messages.slice(-3)
    return choice === 1 && last.some(({ role }) => role === 'user') ? last : [...messages]
  }
  const policy = async (need: Need) => {
    await alive()
    if (dice.chance(0.2)) throw new Error('no rules today')
    if (dice.chance(0.1)) return 'nonsense' as never
    return dice.chance(0.6) ? answerTo(need, ledger, dice) : undefined
  }
  const watch: Middleware = {
    name: 'watch',
    async *run(state, next) {
      for await (const events of next()) {
        if (!isSame(state, ledger.state)) ledger.problems.push('the state is not that of the log')
        yield events
      }
    },
  }
  const asked = (name: string): Tool => {
    const replaced = tool({ name: 'ask_deep', effect: 'pure', input: { type: 'object' }, execute: () => 'a tool now' })
    return name === 'deep' && isDeepReplaced ? (replaced as Tool) : agents[name]!.asTool({ name: `ask_${name}` })
  }
  const handoffs = (names: string[]): HandoffTarget<unknown, string>[] =>
    names
      .filter((name) => !isClerkGone || name !== 'clerk')
      .map((name) => (talk.hasFilter ? agents[name]!.asHandoff({ filter }) : agents[name]!))

  for (const name of Object.keys(handsTo).reverse()) {
    const subAgents = (asks[name] ?? []).map(asked)
    const tools = [...own, tool({ name: 'client' }), ...subAgents].filter((each) => each.name !== gone) as Tool[]
    const callable = [...tools.map((each) => each.name), ...handsTo[name]!.map((to) => `transfer_to_${to}`)]
    const model = scriptedModel(async (request) => {
      await alive()
      ledger.request(name, request)
      await dice.pause(2)
      if (dice.chance(0.04)) return new Error('model down')
      if (dice.chance(0.35)) return { text: `answer of ${name}`, chunks: 3, usage: { usd: 0.01 } }
      const calls = Array.from({ length: 1 + dice.below(3) }, () => ({
        name: dice.chance(0.03) ? 'nonsense' : dice.pick(callable),
        arguments: dice.chance(0.03) ? '{bad' : { task: dice.pick(['a', 'b', 'c']) },
      }))
      return { text: dice.pick(['', 'calling']), calls, ...(dice.chance(0.03) && { finishReason: 'length' as const }) }
    })
    const isBelow = name === 'helper' || name === 'aide' || name === 'deep'
    const most = {
      turns: dice.pick([2, 4, 8]),
      ...dice.pick([{}, {}, { toolCalls: 4 }, { tokens: 150 }, { usd: 0.02 }]),
    }
    agents[name] = new Agent({
      name,
      model,
      instructions: () => `I am ${name}.`,
      concurrency: dice.pick([1, 2, 64]),
      tools,
      handoffs: () => handoffs(handsTo[name]!),
      limits: talk.hasLimits ? most : { turns: isBelow ? 3 : 8 },
      use: isBelow ? [] : [watch],
      ...(talk.hasPolicy && { policy }),
    })
  }
  return agents
}

/** Conversations that are left at some point and saved: what `saved.test.ts` goes on with, whatever version wrote them. */
import {
  Agent,
  type Answer,
  approve,
  deny,
  fold,
  type LoggedEvent,
  memorySession,
  type Need,
  type RunState,
  respond,
  retry,
  tool,
} from '../../src/index.ts'
import { type ScriptedReply, scriptedModel } from '../../src/testing/index.ts'

export type Saved = { events: LoggedEvent[]; state: RunState }

export type SavedScenario = {
  agent(paid: string[]): Agent
  inputs: string[]
  /** The process died behind the last event of this type. */
  diedBehind?: LoggedEvent['type']
  answer(need: Need): Answer
  /** What comes of it when it is gone on with, and who is paid then. */
  text: string
  paid: string[]
}

/** Answers by how often the conversation was answered, so that a new process goes on where the old one was. */
const script = (replies: ScriptedReply[]) =>
  scriptedModel(
    ({ messages }) => replies[messages.filter(({ role }) => role === 'assistant').length] ?? 'And a good day.',
  )
const pays = (...people: string[]) => people.map((to) => ({ name: 'pay', arguments: { to } }))
const to = { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] }
const pay = (paid: string[], needsApproval = false) =>
  tool({
    name: 'pay',
    input: to,
    needsApproval,
    execute: (input) => {
      paid.push(String(input.to))
      return `paid ${input.to}`
    },
  })
const clerk = (paid: string[], replies: ScriptedReply[], needsApproval = false) =>
  new Agent({
    name: 'clerk',
    model: script(replies),
    instructions: 'Pay who is owed.',
    tools: [pay(paid, needsApproval)],
  })
const task = (name: string) => ({ name, arguments: { task: 'See that they are paid.' } })

export const scenarios: { [name: string]: SavedScenario } = {
  'a talk with reasoning and a result': {
    agent: (paid) =>
      clerk(paid, [
        { reasoningDetails: [{ type: 'reasoning.text', text: 'Hm.', signature: 'a+b/c' }], calls: pays('ann') },
        'Ann is paid.',
      ]),
    inputs: ['Pay Ann.'],
    answer: () => approve(),
    text: 'And a good day.',
    paid: [],
  },
  'an approval is waited for, beside a call that ran': {
    agent: (paid) => {
      const look = tool({ name: 'look', effect: 'pure', execute: () => 'Ann is owed 5.' })
      const { options } = clerk(paid, [{ calls: [{ name: 'look' }, ...pays('ann', 'bob')] }, 'Done.'], true)
      return new Agent({ ...options, tools: [look, pay(paid, true)] })
    },
    inputs: ['Pay both.'],
    answer: ({ input }) =>
      JSON.stringify(input).includes('ann') ? approve({ input: { to: 'eve' }, always: 'tool' }) : deny('not owed'),
    text: 'Done.',
    paid: ['eve'],
  },
  'an approval is waited for, two agents deep': {
    agent: (paid) => {
      const cashier = new Agent({
        ...clerk(paid, [{ calls: pays('ann', 'bob') }, 'Both are paid.'], true).options,
        name: 'cashier',
      })
      const { options } = clerk(paid, [{ calls: [task('cashier')] }, 'The cashier did it.'])
      const middle = new Agent({ ...options, tools: [cashier.asTool()] })
      const desk = clerk(paid, [{ calls: [task('clerk'), ...pays('eve')] }, 'All done.'])
      return new Agent({ ...desk.options, name: 'desk', tools: [middle.asTool(), pay(paid)] })
    },
    inputs: ['Pay them.'],
    answer: () => approve(),
    text: 'All done.',
    paid: ['ann', 'bob'],
  },
  'a result is waited for': {
    agent: () =>
      new Agent({
        name: 'clerk',
        model: script([{ text: 'Where?', calls: [{ name: 'place' }] }, 'You are in Oslo.']),
        tools: [tool({ name: 'place' })],
      }),
    inputs: ['Where am I?'],
    answer: () => respond('Oslo'),
    text: 'You are in Oslo.',
    paid: [],
  },
  'the process died while a call ran': {
    agent: (paid) => clerk(paid, [{ calls: pays('ann') }, 'Ann is paid.']),
    inputs: ['Pay Ann.'],
    diedBehind: 'tool-start',
    answer: () => retry(),
    text: 'Ann is paid.',
    paid: ['ann'],
  },
  'the process died while the model was asked': {
    agent: (paid) => clerk(paid, [{ calls: pays('ann') }, 'Ann is paid.']),
    inputs: ['Pay Ann.'],
    diedBehind: 'turn-start',
    answer: () => approve(),
    text: 'Ann is paid.',
    paid: [],
  },
  'the process died while an agent worked for it': {
    agent: (paid) => {
      const { options } = clerk(paid, [{ calls: pays('ann') }, 'Ann is paid.'])
      const desk = clerk(paid, [{ calls: [task('clerk')] }, 'All done.'])
      return new Agent({ ...desk.options, name: 'desk', tools: [new Agent(options).asTool()] })
    },
    inputs: ['Pay Ann.'],
    diedBehind: 'child',
    answer: () => retry(),
    text: 'All done.',
    paid: [],
  },
  'it was stopped by its limit': {
    agent: (paid) =>
      new Agent({
        ...clerk(paid, [{ calls: pays('ann') }, { text: 'That is all.', calls: pays('bob') }]).options,
        limits: { turns: 1 },
      }),
    inputs: ['Pay both.'],
    answer: () => approve(),
    text: 'And a good day.',
    paid: [],
  },
  'two runs in one session, the second one waits': {
    agent: (paid) =>
      clerk(paid, ['Good morning.', { calls: pays('ann') }, { calls: pays('bob') }, 'Both are paid.'], true),
    inputs: ['Hello.', 'Pay both.'],
    answer: () => approve({ always: 'tool' }),
    text: 'Both are paid.',
    paid: ['ann', 'bob'],
  },
}

/** The conversation up to where it is left. */
export async function save({ agent, inputs, diedBehind }: SavedScenario): Promise<Saved> {
  const session = memorySession('saved')
  for (const input of inputs) await agent([]).run(input, { session })
  let { events } = await session.read()
  if (diedBehind) events = events.slice(0, events.findLastIndex(({ type }) => type === diedBehind) + 1)
  return normalised({ events, state: fold(events) })
}

/** Ids in the order of their coming, and no time: what is left is the same in every run. */
function normalised(saved: Saved): Saved {
  const ids = new Map<string, string>()
  const text = JSON.stringify(saved)
    .replace(/"(call_)?([\w-]{21})"/g, (_, prefix: string | undefined, id: string) => {
      if (!ids.has(id)) ids.set(id, `id-${ids.size + 1}`)
      return `"${prefix ?? ''}${ids.get(id)}"`
    })
    .replace(/,"(ms|since)":\d+/g, ',"$1":0')
  return JSON.parse(text) as Saved
}

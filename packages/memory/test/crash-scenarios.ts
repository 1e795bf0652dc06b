/** Agents that are killed: what the crash kit plays on every store. */
import { Agent, type AgentOptions, approve, type Tool, tool } from '@clew/core'
import { type ScriptedReply, scriptedModel } from '@clew/core/testing'
import type { CrashScenario, CrashWorld } from '@clew/testing'

/** Answers by how often the conversation was answered, so that a new process goes on where the dead one was. */
const script = (world: CrashWorld, replies: ScriptedReply[]) =>
  world.model(
    scriptedModel(({ messages }) => replies[messages.filter(({ role }) => role === 'assistant').length] ?? 'Too late.'),
  )

const pays = (...people: string[]) => people.map((to) => ({ name: 'pay', arguments: { to } }))
const to = { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] }

const pay = (world: CrashWorld, needsApproval = false) =>
  tool({
    name: 'pay',
    input: to,
    needsApproval,
    async execute(input, { idempotencyKey }) {
      await world.effect(`pay ${input.to}`, idempotencyKey)
      return `paid ${input.to}`
    },
  })

const payer = (world: CrashWorld, replies: ScriptedReply[], options: Partial<AgentOptions<unknown, string>> = {}) =>
  new Agent({ name: 'payer', model: script(world, replies), tools: [pay(world)], ...options })

/** A desk that asks a clerk, who asks a cashier, who pays two at once. */
function desk(world: CrashWorld, needsApproval: boolean): Agent {
  const cashier = payer(world, [{ calls: pays('ann', 'bob') }, 'Both are paid.'], {
    name: 'cashier',
    tools: [pay(world, needsApproval)],
  })
  const clerk = payer(world, [{ calls: [ask('cashier')] }, 'The cashier did it.'], {
    name: 'clerk',
    tools: [cashier.asTool()],
  })
  return payer(world, [{ calls: [ask('clerk'), ...pays('eve')] }, 'All done.'], {
    name: 'desk',
    tools: [clerk.asTool(), pay(world)],
  })
}

const ask = (name: string) => ({ name, arguments: { task: 'See that they are paid.' } })

/** A tool that may run again. */
const harmless = (world: CrashWorld, name: string, effect: 'idempotent' | 'pure'): Tool =>
  tool({
    name,
    effect,
    async execute(_, { idempotencyKey }) {
      await world.effect(name, idempotencyKey, { mayRepeat: true })
      return `${name}: ok`
    },
  }) as Tool

export const scenarios: CrashScenario[] = [
  {
    name: 'parallel calls',
    inputs: ['Pay a, b and c.'],
    agent: (world) => payer(world, [{ text: 'I pay.', calls: pays('a', 'b', 'c') }, 'All three are paid.']),
  },
  {
    name: 'one call after the other',
    inputs: ['Pay a, b and c.'],
    agent: (world) =>
      payer(world, [{ calls: pays('a', 'b') }, { calls: pays('c') }, 'All three are paid.'], { concurrency: 1 }),
  },
  { name: 'a sub-agent two levels deep', inputs: ['Pay them.'], agent: (world) => desk(world, false) },
  {
    name: 'waiting approval',
    inputs: ['Pay a and b.'],
    agent: (world) => payer(world, [{ calls: pays('a', 'b') }, 'Both are paid.'], { tools: [pay(world, true)] }),
  },
  { name: 'waiting approval two levels deep', inputs: ['Pay them.'], agent: (world) => desk(world, true) },
  {
    name: 'streaming',
    inputs: ['Pay a, and tell me.'],
    isStreamed: true,
    agent: (world) =>
      payer(world, [
        { reasoning: 'Hm.', text: 'I pay, piece by piece.', chunks: 6, calls: pays('a') },
        { text: 'Paid, and told.', chunks: 6 },
      ]),
  },
  {
    name: 'last-turn limit',
    inputs: ['Pay a and b.'],
    agent: (world) =>
      payer(world, [{ calls: pays('a', 'b') }, { text: 'That is all I can do.', calls: pays('c') }], {
        limits: { turns: 1 },
      }),
  },
  {
    name: 'tools that may run again',
    inputs: ['Look, note and pay.'],
    agent: (world) =>
      payer(world, [{ calls: [{ name: 'look' }, { name: 'note' }, ...pays('a')] }, 'Done.'], {
        tools: [harmless(world, 'look', 'pure'), harmless(world, 'note', 'idempotent'), pay(world)],
      }),
  },
  {
    name: 'a handoff, and a policy',
    inputs: ['Pay a, b and c.'],
    agent: (world) => {
      // Both count the answers of the talk that they share.
      const clerk = payer(world, ['', { calls: pays('b', 'c') }, 'All three are paid.'], {
        name: 'clerk',
        tools: [pay(world, true)],
      })
      return payer(world, [{ calls: [...pays('a'), { name: 'transfer_to_clerk' }] }], {
        handoffs: [clerk],
        policy: ({ input }) => ((input as { to: string }).to === 'b' ? approve() : undefined),
      })
    },
  },
  {
    name: 'several runs in a session',
    inputs: ['Pay a.', 'And b.'],
    agent: (world) => payer(world, [{ calls: pays('a') }, 'a is paid.', { calls: pays('b') }, 'b is paid, too.']),
  },
]

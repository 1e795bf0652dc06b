/** A store as after two weeks of work: for looking at the pages, and for the picture in the docs. */
import type { SpanData } from '@clew/tracing'
import { calls, chat, gave, type Sketch, says, traceOf } from './spans.ts'

const tools = [
  {
    type: 'function',
    name: 'search',
    description: 'Searches the library.',
    parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
  },
  {
    type: 'function',
    name: 'read_page',
    description: 'Reads a page of the library.',
    parameters: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] },
  },
]
const instructions = 'You are a librarian. Answer from the library, name the page, and say when it is not there.'
const question = 'Who gave Theseus the thread, and what became of her on Naxos?'

/** A run with two tools at once, a sub-agent, a failed tool and a request whose beginning was changed. */
export function story(start: number): SpanData[] {
  const asked = says('user', question)
  const search = calls(
    { id: 'c1', name: 'search', arguments: { query: 'thread of the labyrinth' } },
    { id: 'c2', name: 'search', arguments: { query: 'Naxos' } },
  )
  const found = [
    gave('c1', 'Ariadne, daughter of Minos, gave Theseus a clew of thread.'),
    gave('c2', 'An island of the Cyclades. See: Ariadne on Naxos.'),
  ]
  const read = calls({ id: 'c3', name: 'read_page', arguments: { title: 'Ariadne on Naxos' } })
  const check = calls({ id: 'c4', name: 'fact_checker', arguments: { claim: 'Dionysus wed Ariadne on Naxos.' } })
  const answer = says(
    'assistant',
    'Ariadne, the daughter of King Minos, gave Theseus the thread.\n\nOn Naxos he left her sleeping on the shore. Dionysus found her there, wed her, and set her crown among the stars.\n\nPages: Thread of the labyrinth; Ariadne on Naxos.',
  )
  const compacted = `${instructions}\nToday is 23 November 2026, 10:41.`
  const usage = {
    'clew.usage.input_tokens': 9_412,
    'clew.usage.output_tokens': 1_206,
    'clew.usage.cache_read.input_tokens': 3_584,
    'clew.usage.cost.usd': 0.0031,
  }
  const sketches: Sketch[] = [
    {
      id: 'librarian',
      op: 'invoke_agent',
      at: 0,
      ms: 9_870,
      attributes: {
        'gen_ai.agent.name': 'librarian',
        'clew.status': 'done',
        'gen_ai.request.model': 'qwen/qwen3.5-9b',
        ...usage,
        'gen_ai.input.messages': JSON.stringify([asked]),
        'gen_ai.output.messages': JSON.stringify([answer]),
      },
    },
    {
      id: 'turn 1',
      parent: 'librarian',
      op: 'chat',
      at: 12,
      ms: 1_640,
      attributes: {
        ...chat({
          instructions,
          tools,
          messages: [asked],
          usage: [1_204, 212, 0],
          usd: 0.0004,
          answer: {
            role: 'assistant',
            parts: [
              {
                type: 'reasoning',
                content: 'Two things are asked: who gave the thread, and Naxos. I can look for both at once.',
              },
              ...search.parts,
            ],
            finish_reason: 'tool_call',
          },
        }),
        'gen_ai.usage.reasoning.output_tokens': 96,
      },
    },
    {
      id: 's1',
      parent: 'librarian',
      op: 'execute_tool',
      at: 1_660,
      ms: 420,
      attributes: {
        'gen_ai.tool.name': 'search',
        'gen_ai.tool.call.arguments': '{"query":"thread of the labyrinth"}',
        'gen_ai.tool.call.result': 'Ariadne, daughter of Minos, gave Theseus a clew of thread.',
      },
    },
    {
      id: 's2',
      parent: 'librarian',
      op: 'execute_tool',
      at: 1_662,
      ms: 610,
      attributes: {
        'gen_ai.tool.name': 'search',
        'gen_ai.tool.call.arguments': '{"query":"Naxos"}',
        'gen_ai.tool.call.result': 'An island of the Cyclades. See: Ariadne on Naxos.',
      },
    },
    {
      id: 'turn 2',
      parent: 'librarian',
      op: 'chat',
      at: 2_290,
      ms: 1_120,
      attributes: chat({
        instructions,
        tools,
        messages: [asked, search, ...found],
        answer: { ...read, finish_reason: 'tool_call' },
        usage: [1_530, 88, 1_152],
        usd: 0.0002,
      }),
    },
    {
      id: 'r1',
      parent: 'librarian',
      op: 'execute_tool',
      at: 3_420,
      ms: 1_010,
      error: 'The library did not answer within 1,000 ms.',
      attributes: {
        'gen_ai.tool.name': 'read_page',
        'gen_ai.tool.call.arguments': '{"title":"Ariadne on Naxos"}',
        'gen_ai.tool.call.result': 'The library did not answer within 1,000 ms.',
        'error.type': 'TimeoutError',
      },
    },
    {
      id: 'turn 3',
      parent: 'librarian',
      op: 'chat',
      at: 4_440,
      ms: 1_310,
      attributes: chat({
        instructions: compacted,
        tools,
        messages: [asked, search, ...found, read, gave('c3', 'The library did not answer within 1,000 ms.')],
        answer: { ...check, finish_reason: 'tool_call' },
        usage: [1_702, 90, 0],
        usd: 0.0006,
      }),
    },
    {
      id: 'f1',
      parent: 'librarian',
      op: 'execute_tool',
      at: 5_760,
      ms: 2_480,
      attributes: {
        'gen_ai.tool.name': 'fact_checker',
        'gen_ai.tool.call.arguments': '{"claim":"Dionysus wed Ariadne on Naxos."}',
        'gen_ai.tool.call.result': 'True, by Hesiod and Ovid.',
      },
    },
    {
      id: 'fact_checker',
      parent: 'f1',
      op: 'invoke_agent',
      at: 5_764,
      ms: 2_470,
      attributes: {
        'gen_ai.agent.name': 'fact_checker',
        'clew.status': 'done',
        'clew.usage.input_tokens': 2_480,
        'clew.usage.output_tokens': 310,
        'clew.usage.cost.usd': 0.0012,
        'gen_ai.input.messages': JSON.stringify([says('user', 'Dionysus wed Ariadne on Naxos.')]),
        'gen_ai.output.messages': JSON.stringify([says('assistant', 'True, by Hesiod and Ovid.')]),
      },
    },
    {
      id: 'check 1',
      parent: 'fact_checker',
      op: 'chat',
      at: 5_770,
      ms: 980,
      attributes: chat({
        model: 'deepseek/deepseek-v3.2',
        messages: [says('user', 'Dionysus wed Ariadne on Naxos.')],
        answer: calls({ id: 'd1', name: 'search', arguments: { query: 'Dionysus Ariadne' } }),
        usage: [1_100, 60, 0],
        usd: 0.0005,
      }),
    },
    {
      id: 'd1',
      parent: 'fact_checker',
      op: 'execute_tool',
      at: 6_760,
      ms: 330,
      attributes: {
        'gen_ai.tool.name': 'search',
        'gen_ai.tool.call.arguments': '{"query":"Dionysus Ariadne"}',
        'gen_ai.tool.call.result': 'Hesiod, Theogony 947; Ovid, Heroides 10.',
      },
    },
    {
      id: 'check 2',
      parent: 'fact_checker',
      op: 'chat',
      at: 7_100,
      ms: 1_120,
      attributes: chat({
        model: 'deepseek/deepseek-v3.2',
        messages: [
          says('user', 'Dionysus wed Ariadne on Naxos.'),
          calls({ id: 'd1', name: 'search', arguments: { query: 'Dionysus Ariadne' } }),
          gave('d1', 'Hesiod, Theogony 947; Ovid, Heroides 10.'),
        ],
        answer: says('assistant', 'True, by Hesiod and Ovid.'),
        usage: [1_380, 250, 1_088],
        usd: 0.0007,
      }),
    },
    {
      id: 'turn 4',
      parent: 'librarian',
      op: 'chat',
      at: 8_260,
      ms: 1_600,
      attributes: chat({
        instructions: compacted,
        tools,
        messages: [
          asked,
          search,
          ...found,
          read,
          gave('c3', 'The library did not answer within 1,000 ms.'),
          check,
          gave('c4', 'True, by Hesiod and Ovid.'),
        ],
        answer: { ...answer, finish_reason: 'stop' },
        usage: [1_896, 506, 1_664],
        usd: 0.0007,
      }),
    },
  ]
  return traceOf('story', start, sketches)
}

const kinds = [
  {
    agent: 'refund-desk',
    tool: 'refund',
    model: 'qwen/qwen3.5-9b',
    asked: 'Refund order 17, 80 euros. The lamp came broken.',
  },
  { agent: 'librarian', tool: 'search', model: 'qwen/qwen3.5-9b', asked: 'Which thread led out of the labyrinth?' },
  {
    agent: 'extractor',
    tool: 'read_page',
    model: 'deepseek/deepseek-v3.2',
    asked: 'Title and year of the attached report, please.',
  },
  { agent: 'guide', tool: 'weather', model: 'google/gemini-3-flash', asked: 'Is it a day for a walk in Lisbon?' },
]

/** Runs of the days before `now`; the same ones for the same `now`. */
export function weeks(now: number, days: number): SpanData[] {
  const random = dice(7)
  return Array.from({ length: days }, (_, day) => day).flatMap((day) =>
    Array.from({ length: 2 + Math.floor(random() * 5) }, (_, index) => {
      const kind = kinds[Math.floor(random() * kinds.length)] ?? (kinds[0] as (typeof kinds)[number])
      return run(`day ${day} run ${index}`, now - day * 86_400_000 - (index + 1) * 1_500_000, kind, random)
    }).flat(),
  )
}

function run(
  name: string,
  start: number,
  { agent, tool, model, asked }: (typeof kinds)[number],
  random: () => number,
): SpanData[] {
  const ms = 800 + random() * 4_000
  const [input, output] = [900 + Math.floor(random() * 4_000), 60 + Math.floor(random() * 700)]
  const usd = input * 1e-7 + output * 9e-7
  const end = random()
  const status = end < 0.08 ? 'failed' : end < 0.14 ? 'waiting' : end < 0.2 ? 'stopped' : 'done'
  const failed = status === 'failed' ? { error: 'The provider is overloaded (503). Three tries failed.' } : {}
  return traceOf(name, start, [
    {
      id: agent,
      op: 'invoke_agent',
      ms: ms * 2,
      ...failed,
      attributes: {
        'gen_ai.agent.name': agent,
        'clew.status': status,
        ...(status === 'stopped' && { 'clew.stop': 'turns' }),
        'clew.usage.input_tokens': input,
        'clew.usage.output_tokens': output,
        'clew.usage.cache_read.input_tokens': Math.floor(input / 3),
        'clew.usage.cost.usd': usd,
        'gen_ai.input.messages': JSON.stringify([says('user', asked)]),
      },
    },
    {
      id: 'turn 1',
      parent: agent,
      op: 'chat',
      at: 5,
      ms,
      ...failed,
      attributes: {
        ...chat({
          model,
          messages: [says('user', asked)],
          answer: says('assistant', 'Yes.'),
          usage: [input, output, Math.floor(input / 3)],
          usd,
        }),
        'clew.retries': status === 'failed' ? 2 : 0,
        'gen_ai.response.time_to_first_chunk': ms / 4000,
        'clew.upstream.provider': model.startsWith('qwen')
          ? 'Alibaba'
          : model.startsWith('deepseek')
            ? 'DeepInfra'
            : 'Google',
      },
    },
    {
      id: 'tool',
      parent: agent,
      op: 'execute_tool',
      at: ms + 10,
      ms: ms * random(),
      attributes: { 'gen_ai.tool.name': tool, 'gen_ai.tool.call.arguments': '{}', 'gen_ai.tool.call.result': 'ok' },
    },
  ])
}

/** The same numbers again and again. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

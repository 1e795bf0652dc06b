/** The commands that show traces, and that what strangers wrote is only ever shown. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { localTraces, openTraces, type SpanData } from '../src/index.ts'
import type { Command } from '../src/terminal/command.ts'
import { duration, money } from '../src/terminal/format.ts'
import { cost, runs, show, tail } from '../src/terminal/index.ts'
import { cut, inert, inertJson, pad, widthOf } from '../src/terminal/inert.ts'
import { hex, made, run } from './made.ts'
import { temporary } from './temporary.ts'

process.env.TZ = 'UTC'
const folder = temporary()
let count = 0
function store(...spans: SpanData[]) {
  const path = join(folder, `${++count}.db`)
  const traces = openTraces(path, { create: true })
  traces.add(spans)
  traces.close()
  return path
}
async function shown(command: Command, path: string, ...args: string[]) {
  let text = ''
  const code = await command([...args, '--file', path], {
    out: (more) => {
      text += more
    },
    isColoured: false,
    columns: 120,
    signal: AbortSignal.abort(),
  })
  expect(code).toBe(0)
  return text
}

describe('runs', () => {
  it('one a line, the newest first', async () => {
    const path = store(...run('a'), ...run('b', 60_000, 'clerk', 'gpt'))
    expect(await shown(runs, path)).toBe(
      [
        'trace     began                status  agent  model  calls    tokens     cost   time  error',
        'ffffffff  2026-11-20 12:01:00  done    clerk  gpt        3  200 → 60  $0.0030  3.0 s  No such city',
        'ffffffff  2026-11-20 12:00:00  done    guide  qwen       3  200 → 60  $0.0030  3.0 s  No such city',
        '',
      ].join('\n'),
    )
    expect((await shown(runs, path, '--agent', 'guide')).split('\n')).toHaveLength(3)
    expect((await shown(runs, path, '--limit', '1')).split('\n')).toHaveLength(3)
    expect(await shown(runs, path, '--text', 'nothing like it')).toBe('No such runs.\n')
    expect(await shown(runs, path, '--since', '2026-11-21')).toBe('No such runs.\n')
    expect(JSON.parse(await shown(runs, path, '--json', '--status', 'done'))).toHaveLength(2)
  })

  it.each([['--limit', '0'], ['--limit', 'many'], ['--since', 'yesterday'], ['--nonsense'], ['word']])(
    'does not take %s %s, and says how it goes',
    async (...args) => {
      await expect(shown(runs, store(), ...args)).rejects.toThrow(/It goes like this: clew runs/)
    },
  )
})

describe('show', () => {
  it('a run is a tree with times, tokens, cost and errors', async () => {
    const path = store(...run('a'))
    const expected = [
      'guide  done  3.0 s  200 → 60 tokens  $0.0030  2 model calls  1 tool call  1 error',
      `trace ${hex('a', 32)}  run run a  2026-11-20 12:00:00  test`,
      '',
      'invoke_agent guide          3.0 s  ████████████████████████',
      '├ chat qwen                 1.0 s  ████████                  100 → 50  $0.0010',
      '├ execute_tool weather     500 ms          ████              ✗ No such city',
      '└ chat qwen                 1.0 s                  ████████  100 → 10  $0.0020',
      '',
    ].join('\n')
    for (const name of ['last', 'ffff', 'run a']) expect(await shown(show, path, name)).toBe(expected)
  })

  it('with content, a piece of each; as JSON all of it', async () => {
    const long = 'x'.repeat(5_000_000)
    const path = store(made('one', { ms: 1, attributes: { 'gen_ai.input.messages': 'Where?', long } }))
    const text = await shown(show, path, 'last', '--content')
    expect(text).toContain('gen_ai.input.messages Where?\n')
    expect(text).toContain(`long ${'x'.repeat(2000)}… (5,000,000 characters; all of them with --json)`)
    expect(text.length).toBeLessThan(5000)
    expect(JSON.parse(await shown(show, path, 'last', '--json'))[0].attributes.long).toBe(long)
  })

  it('one that waited is shown with what came after; digits that are not enough are told', async () => {
    const attributes = { 'gen_ai.operation.name': 'invoke_agent', 'clew.run.id': 'r' }
    const path = store(
      made('one', { ms: 1, attributes: { ...attributes, 'clew.status': 'waiting' } }),
      made('two', {
        trace: 'b',
        at: 5,
        ms: 1,
        attributes: { ...attributes, 'clew.status': 'stopped', 'clew.stop': 'usd' },
      }),
    )
    expect((await shown(show, path, 'r')).match(/^.*\b(resumed|stopped: usd) .*$/gm)).toHaveLength(2)
    await expect(shown(show, path, 'ffff')).rejects.toThrow(/"ffff" may be .* Give more digits/)
    await expect(shown(show, path, 'no such')).rejects.toThrow(/There is no run "no such".*clew runs/)
    await expect(shown(show, path)).rejects.toThrow(/Which run\?/)
    await expect(shown(show, path, 'a', 'b')).rejects.toThrow(/One run at a time/)
  })

  it('shows a tree deeper than a stack, spans in a circle, and spans whose parent is not here', async () => {
    const deep = Array.from({ length: 12_000 }, (_, at) =>
      made(`d${at}`, { ms: 1, ...(at > 0 && { parentSpanId: hex(`d${at - 1}`, 16) }) }),
    )
    const path = store(
      ...deep,
      made('x', { parentSpanId: hex('y', 16), ms: 1 }),
      made('y', { parentSpanId: hex('x', 16), ms: 1 }),
      made('orphan', { parentSpanId: hex('gone', 16), ms: 1 }),
      made('open'),
    )
    const text = await shown(show, path, 'ffff')
    expect(text).toMatch(/^ *└ d11999? /m)
    for (const name of ['x', 'y', 'orphan', 'open'])
      expect(text.match(new RegExp(`^(└ )?${name} .*[█░]`, 'gm'))).toHaveLength(1)
    expect(text).toMatch(/^open +lost +░/m)
  })
})

describe('cost', () => {
  it('is summed by what is asked', async () => {
    const path = store(...run('a'), ...run('b', 60_000, 'clerk', 'gpt'))
    expect(await shown(cost, path, '--by', 'model')).toBe(
      [
        'model  runs  calls   in  out     cost  half in  90 % in  first in  tokens/s',
        'gpt       1      2  200   60  $0.0030    1.0 s    1.0 s    500 ms        20',
        'qwen      1      2  200   60  $0.0030    1.0 s    1.0 s    500 ms        20',
        'all              4  400  120  $0.0060        -        -         -         -',
        '',
      ].join('\n'),
    )
    expect(await shown(cost, path, '--by', 'tool')).toMatch(/^weather +2 +2 +2 +500 ms/m)
    expect(await shown(cost, path)).toMatch(/^2026-11-20 +2 +4 /m)
    expect(JSON.parse(await shown(cost, path, '--by', 'agent', '--json'))).toHaveLength(2)
    expect(await shown(cost, store())).toBe('Nothing was spent.\n')
    await expect(shown(cost, path, '--by', 'moon')).rejects.toThrow(/"moon" is none of day, model/)
  })
})

describe('tail', () => {
  it('tells what begins and what ends, while it does', async () => {
    const path = store()
    const traces = localTraces({ path })
    const tracer = traces.getTracer('lib')
    const controller = new AbortController()
    const lines: string[] = []
    const span = () => tracer.startSpan('chat qwen', { attributes: { 'gen_ai.operation.name': 'chat' } })
    let chat: ReturnType<typeof span> | undefined
    const steps = [
      async () => {
        chat = span()
        await traces.forceFlush()
      },
      // A change in between is told by no line; what comes behind it is.
      async () => {
        chat?.setAttribute('step', 1)
        await traces.forceFlush()
        tracer.startSpan('other')
        await traces.forceFlush()
      },
      async () => {
        chat?.setAttributes({ 'gen_ai.usage.input_tokens': 7, 'clew.cost.usd': 0.5 }).end()
        tracer.startSpan('failed').setStatus({ code: 2, message: 'no\u001b[2J' }).end()
        await traces.forceFlush()
      },
    ]
    // Each thing that is told is followed by the next thing that happens.
    const ended = tail(['--file', path], {
      out: (text) => {
        if (text === '') return
        lines.push(...text.split('\n').filter(Boolean))
        if (lines.length === 5) controller.abort()
        else void steps[lines.length - 1]?.()
      },
      isColoured: false,
      columns: 80,
      signal: controller.signal,
    })
    expect(await ended).toBe(0)
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d [\da-f]{8} ▸ chat qwen$/),
      expect.stringMatching(/ ▸ other$/),
      expect.stringMatching(/ ✓ chat qwen {2}.* ms {2}7 → 0 {2}\$0\.5000$/),
      expect.stringMatching(/ ✗ failed {2}.* ms {2}no<U\+001B>\[2J$/),
    ])
    await traces.shutdown()
  })
})

describe('what strangers wrote', () => {
  const evil =
    'a\u001b[31mred\u001b]0;title\u0007\r\nb\u202edcba\u2066x\u200f\u009b1m<script>alert(1)</script>\u{e0041}\u200b\u2028\u2029\ud800'
  const marks = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

  it('is inert in every command, and comes back whole as JSON', async () => {
    const path = store(
      made('evil', {
        name: evil,
        ms: 1,
        status: 'error',
        message: evil,
        attributes: {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.agent.name': evil,
          'gen_ai.request.model': evil,
          'clew.status': evil,
          'clew.stop': evil,
          'clew.run.id': evil,
          'gen_ai.input.messages': evil,
          [evil]: `${evil}${'x'.repeat(5000)}`,
        },
        origin: { resource: { 'service.name': evil }, scope: { name: evil } },
      }),
      made('tool', {
        name: evil,
        at: 1,
        ms: 1,
        parentSpanId: hex('evil', 16),
        attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': evil },
      }),
    )
    for (const [command, ...args] of [
      [runs],
      [runs, '--json'],
      [show, 'last', '--content'],
      [show, 'last', '--json'],
      [cost, '--by', 'tool'],
    ] as [Command, ...string[]][]) {
      const text = await shown(command, path, ...args)
      expect(text).toContain('red')
      expect(text).not.toMatch(marks)
    }
    await expect(shown(show, path, evil.slice(0, 8))).rejects.toThrow(/^\P{Cc}*$/u)
    const [row] = JSON.parse(await shown(runs, path, '--json'))
    // SQLite keeps no halves of characters.
    expect(row.agent).toBe(evil.replace('\ud800', '\ufffd'))
  })

  it('is made harmless mark by mark; languages and emoji stay', () => {
    expect(inert('a\u001b\n\t\u202e')).toBe('a<U+001B>⏎ <U+202E>')
    const fine = 'Grüße, नमस्ते, 東京, שלום, 👨‍👩‍👧 ❤️'
    expect(inert(fine)).toBe(fine)
    expect(inertJson({ a: '\u202e\u009b"' })).toBe('{"a":"\\u202e\\u009b\\""}')
    expect(JSON.parse(inertJson([evil], 2))).toEqual([evil])
  })

  it('takes the columns that it takes', () => {
    expect(['abc', '東京', 'e\u0301', '👨‍👩‍👧'].map(widthOf)).toEqual([3, 4, 1, 2])
    expect(cut('東京都', 5)).toBe('東京…')
    expect(cut('abc', 3)).toBe('abc')
    expect(cut('x'.repeat(5_000_000), 4)).toBe('xxx…')
    expect(pad('東', 4)).toBe('東  ')
    expect(pad('7', 3, 'right')).toBe('  7')
  })
})

describe('figures', () => {
  it.each([
    [undefined, '…'],
    [0.4, '<1 ms'],
    [999, '999 ms'],
    [1500, '1.5 s'],
    [61_000, '1 min 1 s'],
    [3_660_000, '1 h 1 min'],
  ])('%s ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

  it.each([
    [undefined, '-'],
    [0, '$0'],
    [12.345, '$12.35'],
    [0.5, '$0.5000'],
    [0.00002, '$0.000020'],
  ])('%s USD are %s', (usd, text) => expect(money(usd)).toBe(text))
})

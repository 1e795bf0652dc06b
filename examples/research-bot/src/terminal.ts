/** What a person sees while the bot works: lines that stay, and on a terminal one live line at the bottom. */
import type { RunEvent, Usage } from 'clew'
import { addUsage, noUsage } from 'clew'
import { counted, fit } from './words.ts'

export type Screen = {
  line(text?: string): void
  show(event: RunEvent): void
  /** Tokens, cost and time so far. */
  totals(): string
  close(): void
}

type Output = { write(text: string): unknown; isTTY?: boolean; columns?: number }

export function openScreen(output: Output = process.stdout, env: NodeJS.ProcessEnv = process.env): Screen {
  const isLive = output.isTTY === true && env.TERM !== 'dumb'
  const hasColour = isLive && !env.NO_COLOR
  const paint = (code: number, text: string) => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const started = performance.now()
  const inputs = new Map<string, string>()
  let usage: Usage = noUsage
  let turn = 0
  let calls = 0
  let doing = ''
  let thought = ''
  let drawn = ''

  const width = () => (isLive ? (output.columns ?? 80) - 1 : Number.POSITIVE_INFINITY)
  const clear = () => {
    drawn = ''
    if (isLive) output.write('\r\u001b[K')
  }
  const draw = () => {
    if (!isLive) return
    const status = [`turn ${turn}`, doing, `${counted(calls, 'call')} so far`, totals()]
      .filter((part) => part !== '')
      .join(' · ')
    const text = paint(36, fit(status, width()))
    if (text === drawn) return
    drawn = text
    output.write(`\r\u001b[K${text}`)
  }
  const timer = isLive ? setInterval(draw, 200) : undefined
  timer?.unref()

  const line = (text = '') => {
    clear()
    output.write(`${text}\n`)
    draw()
  }

  function totals(): string {
    const { inputTokens, cachedTokens, outputTokens, usd } = usage
    const count = (n: number) => n.toLocaleString('en-US')
    const cost = usage.requests === 0 ? '$0' : usd === undefined ? 'cost unknown' : `$${usd.toFixed(4)}`
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    return `${count(inputTokens + outputTokens)} tokens (${count(cachedTokens)} cached) · ${cost} · ${seconds} s`
  }

  function show(event: RunEvent): void {
    switch (event.type) {
      case 'turn-start':
        turn = event.turn
        thought = ''
        doing = 'waiting for the model'
        if (event.last) line(`turn ${turn} · the limit of ${event.last} is reached: the last answer`)
        break
      case 'reasoning-delta':
        thought = (thought + event.text).replace(/\s+/g, ' ').slice(-200)
        doing = `thinking: …${printable(thought.slice(-24))}`
        return // drawn by the clock: an answer has thousands of these
      case 'text-delta':
        doing = 'answering'
        return
      case 'model-restart':
        if (event.usage) usage = addUsage(usage, event.usage)
        thought = ''
        doing = 'waiting to try again'
        line(paint(33, fit(`turn ${turn} · ${printable(event.reason)}`, width())))
        return
      case 'model-end': {
        usage = addUsage(usage, event.usage)
        const count = event.message.toolCalls?.length ?? 0
        line(paint(1, `turn ${turn}`) + (count > 0 ? ` · ${counted(count, 'call')}` : ' · answer'))
        return
      }
      case 'tool-start':
        calls += 1
        inputs.set(event.id, describe(event.input))
        doing = `running ${event.name}`
        break
      case 'tool-end': {
        const [first = '', ...more] = (
          event.isError ? `✗ ${firstLines(event.content)}` : `✓ ${event.view ?? ''}`
        ).split('\n')
        line(paint(event.isError ? 31 : 32, fit(`  ${event.name} ${inputs.get(event.id) ?? ''} ${first}`, width())))
        for (const text of more) line(paint(31, fit(text, width())))
        return
      }
      default:
        return
    }
    draw()
  }

  return {
    line,
    show,
    totals,
    close() {
      clearInterval(timer)
      clear()
    },
  }
}

/** The first text of a call's input: what it is about. */
function describe(input: unknown): string {
  const first = Object.values(input ?? {}).find((value) => typeof value === 'string')
  return first === undefined ? '' : `"${fit(printable(String(first)), 60)}"`
}

function firstLines(content: unknown): string {
  const lines = printable(String(content)).split('\n').slice(0, 4)
  return lines.map((text) => fit(text, 200)).join('\n      ')
}

/** Without control characters: what a page or a model says must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, ' ')
}

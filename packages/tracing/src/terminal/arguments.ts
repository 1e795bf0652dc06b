/** `readArguments()`: the options of a command; `--help` is told from them. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { InputError } from '@clew/core'
import { defaultPath } from '../store/local-traces.ts'
import { openTraces, type Traces } from '../store/open-traces.ts'

export type Option = { value?: string; about: string }

export type Usage = {
  /** The first line: `clew show RUN`. */
  line: string
  about: string
  options: { [name: string]: Option }
}

export type Given = { [name: string]: string | boolean | undefined }

const common: Usage['options'] = {
  file: { value: 'PATH', about: `the store of traces; default ${defaultPath}` },
  json: { about: 'as JSON, for programs' },
  help: { about: 'this' },
}

/** What is to be said instead, for `--help`; or what was given. @throws InputError */
export function readArguments(
  usage: Usage,
  args: readonly string[],
): { help: string } | { given: Given; names: string[] } {
  const options = { ...usage.options, ...common }
  const config: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: config, allowPositionals: true })
    if (values.help) return { help: helpOf(usage, options) }
    return { given: values as Given, names: positionals }
  } catch (cause) {
    throw wrong(usage, (cause as Error).message)
  }
}

export function wrong({ line }: Usage, reason: string): InputError {
  const command = line.split(' ').slice(0, 2).join(' ')
  return new InputError(`${reason.replace(/[^.?!]$/, '$&.')} It goes like this: ${line}. More: ${command} --help`)
}

/** Nothing may stand behind the options. @throws InputError */
export function noNames(usage: Usage, names: readonly string[]): void {
  if (names.length > 0) throw wrong(usage, `${JSON.stringify(names[0])} means nothing here`)
}

/** The store that was named. Closed behind `work`. */
export async function withTraces<Result>(
  { file }: Given,
  work: (traces: Traces) => Result | Promise<Result>,
): Promise<Result> {
  const traces = openTraces(typeof file === 'string' ? file : undefined)
  try {
    return await work(traces)
  } finally {
    traces.close()
  }
}

const units: { [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export const sinceOption: Option = { value: 'WHEN', about: '30m, 12h, 7d, 2w ago, or a date such as 2026-11-23' }

/** Milliseconds since 1970. @throws InputError */
export function readSince(usage: Usage, { since }: Given): number | undefined {
  if (typeof since !== 'string') return undefined
  const [, number, unit] = /^(\d+)([mhdw])$/.exec(since) ?? []
  if (number !== undefined && unit !== undefined) return Date.now() - Number(number) * units[unit]!
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(since) ? `${since}T00:00` : since)
  if (Number.isNaN(at)) throw wrong(usage, `--since ${JSON.stringify(since)} is no time`)
  return at
}

/** @throws InputError */
export function readCount(usage: Usage, { limit }: Given, fallback: number): number {
  if (typeof limit !== 'string') return fallback
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw wrong(usage, `--limit ${JSON.stringify(limit)} is no number of runs`)
  return Number(limit)
}

function helpOf({ line, about }: Usage, options: Usage['options']): string {
  const names = Object.entries(options).map(([name, { value }]) => `--${name}${value ? ` ${value}` : ''}`)
  const width = Math.max(...names.map((name) => name.length))
  const lines = Object.values(options).map((option, index) => `  ${names[index]!.padEnd(width)}  ${option.about}`)
  return `${line}\n\n${about}\n\n${lines.join('\n')}\n`
}

/** The end of a run. A structured answer is read and checked here, and asked for once more when it does not fit. */
import type { Step } from './decide.ts'
import type { RunEvent } from './event.ts'
import type { Json } from './json.ts'
import { isTooDeep } from './json.ts'
import type { CompiledSchema } from './schema.ts'
import type { RunState } from './state.ts'
import type { World } from './world.ts'
import { settleAfterAbort } from './world.ts'

type FinishStep = Extract<Step, { type: 'finish' }>

/** An agent asks this often for an output that fits its schema before it stops with `output-invalid`. */
const maxRepairs = 1

export async function* finish(step: FinishStep, state: RunState, world: World): AsyncGenerator<RunEvent[]> {
  const { type: _, ...ending } = step
  if (!world.output || step.status === 'waiting') {
    yield [{ type: 'run-end', ...ending }]
    return
  }
  let read: ReadOutput
  try {
    read = await settleAfterAbort(readOutput(world.output.schema, state.lastWords?.text ?? ''), world.signal)
  } catch (error) {
    if (!world.signal.aborted) throw error
    // Left while the schema was still checking. An abort is closed by the loop.
    if (world.timedOut()) yield [{ type: 'run-end', status: 'stopped', stop: 'ms' }]
    return
  }
  if (read.ok) {
    world.output.value = read.value
    yield [{ type: 'run-end', ...ending, output: read.json }]
  } else if (step.status === 'stopped') {
    yield [{ type: 'run-end', ...ending }]
  } else if (state.repairs >= maxRepairs) {
    yield [{ type: 'run-end', status: 'stopped', stop: 'output-invalid' }]
  } else {
    const content = `Your answer does not have the form that is needed:\n${read.problems}\nAnswer again with nothing but one JSON object that fits this JSON Schema:\n${JSON.stringify(world.output.json)}`
    yield [{ type: 'output-invalid', problems: read.problems, message: { role: 'user', content } }]
  }
}

type ReadOutput = { ok: true; json: Json; value: unknown } | { ok: false; problems: string }

/** `json` as the model wrote it, `value` as the schema made it. Models like to put JSON into a fence; that is taken off. */
async function readOutput(schema: CompiledSchema, text: string): Promise<ReadOutput> {
  const json = parseLoosely(text)
  if (json === undefined) {
    return { ok: false, problems: text.trim() === '' ? 'the answer is empty' : 'the answer is not JSON' }
  }
  const checked = await schema.validate(json)
  return checked.ok ? { ok: true, json, value: checked.value } : checked
}

function parseLoosely(text: string): Json | undefined {
  for (const candidate of [text, fencedPart(text)]) {
    if (candidate === undefined) continue
    try {
      const json = JSON.parse(candidate) as Json
      if (!isTooDeep(json)) return json
    } catch {
      // The next candidate, or undefined.
    }
  }
  return undefined
}

/** What stands in the first code fence. */
function fencedPart(text: string): string | undefined {
  const open = text.indexOf('```')
  const close = text.indexOf('```', open + 3)
  return open < 0 || close < 0 ? undefined : text.slice(open + 3, close).replace(/^json/i, '')
}

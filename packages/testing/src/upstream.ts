/** What stands behind the server: checks a request as providers do, plays the script, remembers what it signed. */
import type {
  Envelope,
  LocalAnswer,
  LocalError,
  LocalRaw,
  LocalReply,
  LocalStream,
  ReceivedRequest,
  Respond,
  WireCallOut,
} from './reply.ts'
import { toChunks, toJsonBody } from './reply.ts'
import { callIds, type Given, isSigned, refusal } from './strict.ts'
import { countUsage } from './usage.ts'

export class Upstream {
  readonly #respond: readonly (LocalReply | Respond)[] | Respond
  /** Details by the ids of the calls that they came with, with the model that was asked. */
  readonly #signed = new Map<string, Given[]>()
  #turns = 0
  #textBefore = ''

  constructor(respond: readonly (LocalReply | Respond)[] | Respond) {
    this.#respond = respond
  }

  async answer(received: ReceivedRequest): Promise<LocalError | LocalRaw | LocalStream> {
    const problem = refusal(received.body, (ids) => this.#signed.get(ids))
    if (problem) {
      return { status: 400, error: { message: problem, code: 400, metadata: { provider_name: 'Localhost' } } }
    }
    // Its own number: others come in while an answer is awaited.
    const turn = ++this.#turns
    const reply = await this.#play(received, turn)
    if (typeof reply === 'string') return this.#toWire({ text: reply }, received, turn)
    if ('error' in reply || 'body' in reply || 'chunks' in reply) return reply
    checkAnswer(reply)
    return this.#toWire(reply, received, turn)
  }

  async #play(received: ReceivedRequest, turn: number): Promise<LocalReply> {
    const respond = this.#respond
    const entry = typeof respond === 'function' ? respond : respond[turn - 1]
    if (entry === undefined) {
      const few = `it has ${respond.length} answers, but was asked for answer ${turn}`
      throw new Error(`${few}. Add one to respond, or give a function`)
    }
    return typeof entry === 'function' ? entry(received.body, { turn, received }) : entry
  }

  #toWire(answer: LocalAnswer, received: ReceivedRequest, turn: number): LocalRaw | LocalStream {
    const calls = wireCalls(answer, turn)
    this.#remember(answer, calls, received.body.model)
    const counted = { ...countUsage(received.text, this.#textBefore, answer, calls), ...answer.usage }
    this.#textBefore = received.text
    const envelope: Envelope = {
      id: `gen-${turn}`,
      provider: answer.provider ?? 'Localhost',
      model: received.body.model ?? 'local',
      created: Math.floor(Date.now() / 1000),
      usage: answer.usage === null ? null : counted,
    }
    const headers = { 'x-generation-id': envelope.id }
    if (received.body.stream) {
      const chunks = [': OPENROUTER PROCESSING', ...toChunks(answer, calls, envelope)]
      return { chunks, headers, ...(answer.pace !== undefined && { pace: answer.pace }) }
    }
    // Lines of spaces keep the connection alive before the JSON text.
    return { body: `\n         \n${JSON.stringify(toJsonBody(answer, calls, envelope))}`, headers }
  }

  #remember({ reasoningDetails }: LocalAnswer, calls: WireCallOut[], model: string | undefined): void {
    if (calls.length === 0 || !reasoningDetails || !isSigned(reasoningDetails)) return
    const ids = callIds(calls)
    // A copy as it goes over the wire: the script may go on to change its own.
    const details = JSON.parse(JSON.stringify(reasoningDetails)) as unknown[]
    this.#signed.set(ids, [...(this.#signed.get(ids) ?? []), { model, details }])
  }
}

const answerKeys = [
  'text',
  'reasoningDetails',
  'calls',
  'finishReason',
  'nativeFinishReason',
  'refusal',
  'annotations',
  'usage',
  'provider',
  'pace',
] as const satisfies (keyof LocalAnswer)[]

/** A misspelt answer would be an empty one, and a test that passes. */
function checkAnswer(answer: LocalAnswer): void {
  const unknown = Object.keys(answer).find((key) => !(answerKeys as readonly string[]).includes(key))
  if (unknown)
    throw new Error(`its answer has the unknown key "${unknown}"; known: ${answerKeys.join(', ')}, error, chunks, body`)
}

function wireCalls({ calls = [] }: LocalAnswer, turn: number): WireCallOut[] {
  return calls.map((call, index) => {
    const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {})
    return { id: call.id ?? `call_${turn}_${index}`, type: 'function', function: { name: call.name, arguments: text } }
  })
}

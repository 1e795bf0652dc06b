/**
 * A process of its own, started by `tracing()`: a model that streams. It asks for the tool `look` in each of the first
 * turns, with reasoning, and then answers in 20 pieces. `node stream-server.ts TURNS`; its port is told by message.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const turns = Number(process.argv[2])
const usage = { prompt_tokens: 500, completion_tokens: 40, total_tokens: 540, cost: 0.00012 }

function streamOf(turn: number): Buffer {
  const chunk = (delta: object, finish_reason: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason }]
    return `data: ${JSON.stringify({ id: `gen-${turn}`, provider: 'Bench', model: 'bench/model', object: 'chat.completion.chunk', created: 1, choices })}\n\n`
  }
  const call = (fields: object) => chunk({ tool_calls: [{ index: 0, ...fields }] })
  const details = [{ type: 'reasoning.text', text: 'I should look. '.repeat(10), id: `r${turn}`, index: 0 }]
  const said =
    turn < turns
      ? [
          chunk({ role: 'assistant', content: '', reasoning: details[0]?.text, reasoning_details: details }),
          call({ id: `call-${turn}`, type: 'function', function: { name: 'look', arguments: '' } }),
          ...[`{"id":${turn},`, '"query":"record of', ' the main', ' table"}'].map((text) =>
            call({ function: { arguments: text } }),
          ),
          chunk({}, 'tool_calls'),
        ]
      : [...Array.from({ length: 20 }, (_, at) => chunk({ content: `word ${at} ` })), chunk({}, 'stop')]
  const last = {
    id: `gen-${turn}`,
    model: 'bench/model',
    object: 'chat.completion.chunk',
    created: 1,
    choices: [],
    usage,
  }
  return Buffer.from(`${said.join('')}data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`)
}

const streams = Array.from({ length: turns + 1 }, (_, turn) => streamOf(turn))
const server = createServer(async (request, response) => {
  let body = ''
  for await (const piece of request) body += piece
  const turn = body.split('"role":"tool"').length - 1
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streams[Math.min(turn, turns)])
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())

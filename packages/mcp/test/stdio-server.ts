/** An MCP server on stdio without the SDK, started as a child: misbehaves as its arguments say. */
import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [, , way = 'honest', file = ''] = process.argv
const write = (text: string) => process.stdout.write(text)
const send = (message: object) => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
let hasChanged = false
const said = (text: string) => ({ content: [{ type: 'text', text }] })
if (file) appendFileSync(file, `${process.pid}\n`)
if (way === 'crash-at-start') {
  console.error('No key was given.')
  process.exit(3)
}
if (way === 'garbage') write('Server is starting …\n{"half": \n[]\n{"jsonrpc":"1.0","id":0}\n\u0000\u0001\n')
if (way === 'early') send({ method: 'notifications/tools/list_changed' })
if (way === 'deaf') process.on('SIGTERM', () => {})

createInterface(process.stdin).on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as {
    id?: number
    method?: string
    params?: { _meta?: { progressToken?: number } }
  }
  // It comes back, and does not say a word.
  if (way === 'mute-later' && readFileSync(file, 'utf8').split('\n').length > 2) return
  if (method === 'initialize') {
    const about = { capabilities: { tools: {} }, serverInfo: { name: 'child', version: '1' } }
    send({ id, result: { protocolVersion: '2025-11-25', ...about } })
  } else if (method === 'tools/list') {
    const names = hasChanged ? ['act', 'new'] : ['act']
    send({ id, result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) } })
    if (way === 'changes-and-dies') {
      send({ method: 'notifications/tools/list_changed' })
      process.exit(0)
    }
  } else if (method === 'tools/call') act(id, params)
})
// Whoever stays when nobody listens any more has to be ended.
if (way === 'deaf') setInterval(() => {}, 1000)

function act(id: number | undefined, params: { _meta?: { progressToken?: number } } | undefined): void {
  switch (way) {
    case 'mute-later':
    case 'dies':
      console.error('Something is on fire.')
      process.exit(7)
      break
    case 'dies-once':
      // The second child finds the line of the first.
      send({ id, result: said(`pid ${process.pid}`) })
      process.exit(0)
      break
    case 'never':
      break
    case 'twice':
      send({ id, result: said('first') })
      send({ id, result: said('second') })
      break
    case 'garbage':
      write('\u001b[31mlog line\u001b[0m\n{"jsonrpc":"2.0","id":\n[1,2,3]\n"text"\n{"jsonrpc":"2.0","result":{}}\n')
      send({ id, result: said('between garbage') })
      break
    case 'flood':
      write('x'.repeat(33 * 2 ** 20))
      break
    case 'hurried': {
      const { progressToken } = params?._meta ?? {}
      const told = [1, 2].map((progress) => ({ method: 'notifications/progress', params: { progressToken, progress } }))
      const lines = [...told, { id, result: said('done') }].map((each) => JSON.stringify({ jsonrpc: '2.0', ...each }))
      write(`${lines.join('\n')}\n`)
      break
    }
    case 'large':
      send({ id, result: said('x'.repeat(10 * 2 ** 20)) })
      break
    case 'environment':
      send({ id, result: said(JSON.stringify(process.env)) })
      break
    case 'early':
      hasChanged = true
      send({ method: 'notifications/tools/list_changed' })
      send({ id, result: said('changed') })
      break
    case 'orphan': {
      // It leaves the group, and keeps our pipes open.
      const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
        stdio: 'inherit',
        detached: true,
      })
      appendFileSync(file, `${pid}\n`)
      process.exit(7)
      break
    }
    case 'family': {
      // A grandchild that holds the pipes and outlives its parent.
      const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
      send({ id, result: said(String(pid)) })
      break
    }
    default:
      send({ id, result: said(`pid ${process.pid}`) })
  }
}

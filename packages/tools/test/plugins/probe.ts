/** A plugin that tries what its input says: what it may, and what it may not. */
import { spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { closeSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import net, { connect } from 'node:net'
import { setPriority } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import tls from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { definePlugin, InputError, tool } from '@clew/core'
import { z } from 'zod'

const folder = '/tmp/clew-probe-folder'

/** Ways of Node's own that its types do not tell of. */
type Inner = {
  [name in '_listen2' | '_createServerHandle' | '_kill' | '_debugProcess']: (...args: unknown[]) => unknown
}

export default definePlugin({
  name: 'probe',
  instructions: 'Probe.',
  configSchema: z.object({ word: z.string().default('none') }),
  capabilities: { hosts: ['api.example.com'], commands: ['node', 'echo'], secrets: ['PROBE_KEY'] },
  tools: ({ config, fetch, run, secrets }) => {
    const text = (name: string, execute: (value: string) => unknown, more: object = {}) =>
      tool({
        name,
        input: z.object({ value: z.string().default('') }),
        execute: ({ value }) => execute(value),
        ...more,
      })
    const lines: string[] = []
    return [
      text('word', () => ({ word: config.word, secret: secrets.PROBE_KEY, env: Object.keys(process.env) })),
      text('read', (path) => readFileSync(path, 'utf8')),
      text('write', (path) => writeFileSync(path, 'x')),
      text('link', (path) => symlinkSync('/etc', path)),
      text('spawn', () => spawnSync('echo', ['x']).status),
      text('thread', () => new Worker('1', { eval: true }) && 'made'),
      text('socket', (host) => new Promise((_, reject) => connect(9, host).on('error', reject))),
      text('look_up', (host) => new Resolver({ timeout: 1, tries: 1 }).resolve4(host)),
      text('listen', () => (net.createServer() as unknown as Inner)._listen2('127.0.0.1', 0, 4, 1)),
      text('bind', () => (net as unknown as Inner)._createServerHandle('127.0.0.1', 0, 4)),
      text('datagram', () => Object.getOwnPropertySymbols(dgram.createSocket('udp4')).length),
      text('wrap', () => new tls.TLSSocket(undefined as never).readable),
      text('signal', (pid) => process.kill(Number(pid), 0)),
      text('signal_inside', (pid) => (process as unknown as Inner)._kill(Number(pid), 0)),
      text('debug', (pid) => (process as unknown as Inner)._debugProcess(Number(pid))),
      text('slow_down', (pid) => setPriority(Number(pid), 19)),
      text('store', (path) => new DatabaseSync(path).exec('CREATE TABLE t (a)')),
      text('store_inside', (path) =>
        new (process.getBuiltinModule('node:sqlite').DatabaseSync)(path).exec('CREATE TABLE t (a)'),
      ),
      text('switch', (flag) => setFlagsFromString(flag)),
      text('ask', async (url) => (await globalThis.fetch(url)).text()),
      text('fetch', async (url) => (await fetch(url)).text()),
      text('run', async (value) => (await run('echo', [value])).stdout),
      text('run_other', async () => (await run('rm', ['-rf', folder])).stdout),
      text('exit', () => process.exit(7)),
      text('spin', () => {
        for (;;);
      }),
      text('swell', () => {
        const all: unknown[] = []
        for (;;) all.push(new Array(1000).fill('x'))
      }),
      text('garble', () => {
        writeSync(3, 'no json\n')
        return new Promise(() => {})
      }),
      text('flood', () => {
        const chunk = Buffer.alloc(1024 * 1024, 120)
        for (let written = 0; written < 40; written++) {
          for (let at = 0; at < chunk.length; ) {
            try {
              at += writeSync(3, chunk, at)
            } catch {}
          }
        }
      }),
      // In a new process its own call is the first.
      text('chatter', async () => {
        for (let data = 0; data < 1000; data++) lines.push(JSON.stringify({ type: 'progress', id: 1, data }))
        writeSync(3, `${lines.join('\n')}\n`)
        return 'sent'
      }),
      text('besiege', async () => {
        const request = { url: 'https://api.example.com/siege', method: 'GET', headers: [] }
        for (let id = 1000; id < 1200; id++) lines.push(JSON.stringify({ type: 'fetch', id, request }))
        writeSync(3, `${lines.join('\n')}\n`)
        return 'sent'
      }),
      text('ignore', () => {
        const request = { url: 'https://api.example.com/huge', method: 'GET', headers: [] }
        for (let id = 1000; id < 1008; id++) writeSync(3, `${JSON.stringify({ type: 'fetch', id, request })}\n`)
        for (;;);
      }),
      text('outlive', () => {
        process.exit = (() => {}) as never
        setInterval(() => {}, 1000)
        return process.pid
      }),
      text('forge', async (line) => {
        writeSync(3, `${line}\n`)
        return 'sent'
      }),
      text(
        'page',
        (value) => {
          if (value === 'wrong') throw new InputError('There is no such page.')
          return value === 'none' ? { content: 'Nothing was found.', untrusted: false } : 'A page.'
        },
        { untrusted: true, effect: 'pure' },
      ),
      tool({ name: 'pages', untrusted: true, execute: (_, { fence }) => `${fence('A page.')}\nPage 1 of 2.` }),
      text('show', (url) => [
        { type: 'image', url },
        { type: 'video', url },
        { type: 'file', filename: 'a.pdf', data: url },
      ]),
      text('fail', () => {
        throw new Error('no luck')
      }),
      text('pair', () => ({ content: { a: 1n }, view: 'seen' })),
      text('log', () => {
        console.log('printed')
        closeSync(openSync('/dev/null', 'r'))
      }),
      tool({
        name: 'count',
        async *execute() {
          yield 1
          yield 2
          return 'counted'
        },
      }),
      tool({
        name: 'pay',
        input: z.object({ euros: z.number() }),
        needsApproval: ({ euros }) => euros > 10,
        execute: ({ euros }, { idempotencyKey }) => `paid ${euros} ${idempotencyKey}`,
      }),
      tool({
        name: 'wait',
        execute: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('left'))),
      }),
    ]
  },
})

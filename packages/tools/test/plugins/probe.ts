/** A plugin that tries what its input says: what it may, and what it may not. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { definePlugin, InputError, tool } from '@clew/core'
import { z } from 'zod'

const folder = '/tmp/clew-probe-folder'

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
    return [
      text('word', () => ({ word: config.word, secret: secrets.PROBE_KEY, env: Object.keys(process.env) })),
      text('read', (path) => readFileSync(path, 'utf8')),
      text('write', (path) => writeFileSync(path, 'x')),
      text('link', (path) => symlinkSync('/etc', path)),
      text('spawn', () => spawnSync('echo', ['x']).status),
      text('thread', () => new Worker('1', { eval: true }) && 'made'),
      text('socket', (host) => new Promise((_, reject) => connect(9, host).on('error', reject))),
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

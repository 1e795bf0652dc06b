/** Plays a program that got out of its interpreter: what can it do in the process around it? */
import { spawnSync } from 'node:child_process'
import dns from 'node:dns'
import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { serve } from '../src/jail/inside.ts'

type Probe = { type: 'reach'; port: number; file: string } | { type: 'abort' | 'hold' | 'talk' | 'lie' | 'spin' }

await serve<Probe>(async (request) => () => {
  switch (request.type) {
    case 'reach':
      return { answer: reach(request.port, request.file) }
    case 'abort':
      return process.abort()
    case 'hold':
      for (const all: Buffer[] = []; ; ) all.push(Buffer.alloc(10_000_000, 1))
    case 'talk':
      return { answer: 'x'.repeat(1_000_000) }
    case 'lie':
      process.stdout.write('this is no JSON\n')
      return { answer: {} }
    case 'spin':
      for (;;);
  }
})

function reach(port: number, file: string): Record<string, string> {
  const attempts: Record<string, () => unknown> = {
    connect: () => net.connect(port, '127.0.0.1'),
    listen: () => net.createServer().listen(0),
    lookup: () => dns.lookup('localhost', () => {}),
    fetch: () => typeof fetch,
    socket: () => typeof WebSocket,
    read: () => readFileSync(file, 'utf8'),
    write: () => writeFileSync(file, 'changed'),
    start: () => spawnSync('/bin/echo', ['hello']).error ?? 'started',
    thread: () => new Worker('1', { eval: true }),
    evaluate: () => new Function('return 1')(),
    environment: () =>
      Object.keys(process.env).filter((name) => !['PWD', 'OLDPWD', '_', 'SHLVL', 'SystemRoot'].includes(name)),
  }
  return Object.fromEntries(
    Object.entries(attempts).map(([name, attempt]) => {
      try {
        return [name, String(attempt())]
      } catch (error) {
        return [name, `refused: ${(error as Error).message.slice(0, 60)}`]
      }
    }),
  )
}

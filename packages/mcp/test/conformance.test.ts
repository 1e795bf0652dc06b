/** The official conformance suite against our client and our server. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { play } from './conformance/client.ts'
import { service } from './conformance/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'clew-conformance-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What we do not serve: resources, prompts and completion. */
const notServed = [
  'completion-complete',
  'resources-list',
  'resources-read-text',
  'resources-read-binary',
  'resources-templates-read',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
]

/** The SDK refuses metadata whose issuer is not where they were found (RFC 8414, 3.3); the old scenario has just that. */
const refused = ['auth/2025-03-26-oauth-metadata-backcompat']

function conformance(...options: string[]): Promise<string> {
  const cli = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/conformance/dist/index.js')
  return new Promise((resolve) => {
    const given = [cli, ...options, '--output-dir', folder]
    execFile(process.execPath, given, { maxBuffer: 2 ** 26 }, (_, stdout, stderr) => resolve(`${stdout}\n${stderr}`))
  })
}

/** Each scenario comes from a process of the suite and is played here. */
async function relay(): Promise<{ command: string; played: Set<string>; close(): void }> {
  const played = new Set<string>()
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { url, scenario, context } = JSON.parse(body) as { url: string; scenario: string; context: string }
    played.add(scenario)
    try {
      await play(scenario, url, JSON.parse(context))
      response.end()
    } catch (error) {
      response.writeHead(500).end(String((error as Error).stack))
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const command = `${process.execPath} ${join(import.meta.dirname, 'conformance/relay.ts')} http://127.0.0.1:${port}/`
  return { command, played, close: () => http.close() }
}

/** The SDK tells authors of OAuth providers what they should keep. */
vi.spyOn(console, 'warn').mockImplementation(() => {})

describe.concurrent('conformance', () => {
  it('the client passes initialize, calls, elicitation, retries and all of OAuth that the SDK can do', async () => {
    const { command, played, close } = await relay()
    const output = await conformance('client', '--command', command, '--suite', 'all')
    close()
    const { passed, failed } = outcomes(output)
    expect(failed, output).toEqual(refused)
    expect(passed).toEqual(
      expect.arrayContaining(['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry']),
    )
    expect(passed.filter((name) => name.startsWith('auth/')).length).toBe(21)
    expect(played.size).toBe(26)
  })

  it('the server passes tools, ping, logging, elicitation and DNS rebinding protection', async () => {
    await using served = await service.http()
    const output = await conformance('server', '--url', served.url)
    const { passed, failed } = outcomes(output)
    expect(failed, output).toEqual(notServed)
    expect(passed).toEqual([
      'server-initialize',
      'logging-set-level',
      'ping',
      'tools-list',
      'tools-call-simple-text',
      'tools-call-image',
      'tools-call-audio',
      'tools-call-embedded-resource',
      'tools-call-mixed-content',
      'tools-call-with-logging',
      'tools-call-error',
      'tools-call-with-progress',
      'tools-call-sampling',
      'tools-call-elicitation',
      'elicitation-sep1034-defaults',
      'server-sse-multiple-streams',
      'elicitation-sep1330-enums',
      'dns-rebinding-protection',
    ])
  })
})

/** By their checks. That something came late is a warning of the suite: it says how busy this machine is. */
function outcomes(output: string): { passed: string[]; failed: string[] } {
  const found = [...output.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)]
  const names = (isWanted: (passes: number, failures: number) => boolean) =>
    found.filter((match) => isWanted(Number(match[2]), Number(match[3]))).map((match) => match[1] as string)
  return {
    passed: names((passes, failures) => passes > 0 && failures === 0),
    failed: names((passes, failures) => passes === 0 || failures > 0),
  }
}

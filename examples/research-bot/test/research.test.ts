/** The bot as a person runs it: a process, its output, its exit code, its report. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalReply, type Respond, startOpenRouter } from '@clew/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '../src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'clew-research-'))
const notes = join(folder, 'notes')
const report = join(folder, 'report.md')

beforeAll(() => {
  mkdirSync(join(notes, 'deep'), { recursive: true })
  writeFileSync(
    join(notes, 'looms.md'),
    '# Looms\n\nThe power loom of 1785 was driven by water. A drawloom needs two people to work it.\n\nNobody keeps one.',
  )
  writeFileSync(
    join(notes, 'deep/thread.html'),
    '<html><head><title>Thread &amp; yarn</title></head><body><nav>Menu</nav><p>A <b>clew</b> is a ball of thread&nbsp;that led out of the labyrinth.</p><script>alert(1)</script></body></html>',
  )
  writeFileSync(join(notes, 'empty.md'), ' \n')
  writeFileSync(join(notes, 'picture.md'), Buffer.from([0x89, 0x50, 0, 1, 2]))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Ran = { code: number | null; stdout: string; stderr: string; report: string }

function start(
  given: string[],
  env: NodeJS.ProcessEnv = {},
  program = main,
): { child: ChildProcess; ended: Promise<Ran> } {
  rmSync(report, { force: true })
  const { OPENROUTER_API_KEY: _, OPENAI_API_KEY: __, ...clean } = process.env
  const child = spawn(process.execPath, [program, ...given], { cwd: folder, env: { ...clean, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => (stdout += piece))
  child.stderr.on('data', (piece) => (stderr += piece))
  const ended = new Promise<Ran>((resolve) =>
    child.once('close', (code) => {
      let text = ''
      try {
        text = readFileSync(report, 'utf8')
      } catch {
        // No report was written.
      }
      resolve({ code, stdout, stderr, report: text })
    }),
  )
  return { child, ended }
}

const bot = (given: string[], env?: NodeJS.ProcessEnv) => start(given, env).ended

describe('without a key', () => {
  it('the practice model researches a folder; its misquotation is sent back and the report is verified', async () => {
    const { code, stdout, stderr, report } = await bot([
      'What drove the power loom, and what is a clew of thread?',
      '--sources',
      'notes',
      '--out',
      'report.md',
    ])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toContain('practice model on this machine')
    expect(stdout).toContain('2 documents')
    expect(stdout).toMatch(/left out: .*picture\.md \(binary\)/)
    expect(stdout).toMatch(/left out: .*empty\.md \(empty\)/)
    expect(stdout).toMatch(/✗ .*not accepted; not found in the sources: 1 of \d quotations?/)
    expect(stdout).toMatch(/✓ \d quotations? verified/)
    expect(stdout).toMatch(/Spent: {3}[\d,]+ tokens \([\d,]+ cached\) · \$0\.\d{4} · \d+\.\d s/)
    expect(stdout).not.toContain('\u001b')
    const [first] = report.split('\n')
    expect(first).toMatch(/^# .*practice model/i)
    expect(report).toContain('“The power loom of 1785 was driven by water.”')
    expect(report).toContain('“A **clew** is a ball of thread that led out of the labyrinth.”')
    expect(report).toContain('1. Thread & yarn (notes/deep/thread.html)\n2. Looms (notes/looms.md)')
    expect(report).not.toContain('unverified')
    expect(report).not.toContain('alert')
  })

  it('says so when the documents have nothing on the question', async () => {
    const { code, stdout, report } = await bot(['quux xyzzy', '--sources', 'notes', '--out', 'report.md'])
    expect(code).toBe(1)
    expect(stdout).toContain("No report was accepted. The model's last words: I am a practice model")
    expect(report).toBe('')
  })

  it('takes a question of 100,000 characters', async () => {
    const { code, report } = await bot([
      `${'loom thread water '.repeat(5600)} clew`,
      '--sources',
      'notes',
      '--out',
      'report.md',
    ])
    expect(code).toBe(0)
    expect(report.length).toBeLessThan(5000)
  })

  it('reads 10,000 files', async () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    for (let n = 0; n < 10_000; n++)
      writeFileSync(
        join(many, `${n}.txt`),
        `Note ${n} is about number ${n}, and about nothing else at all that matters.`,
      )
    const { code, stdout, report } = await bot(['What is note 4711 about?', '--sources', 'many', '--out', 'report.md'])
    expect(stdout).toContain('10000 documents')
    expect(code).toBe(0)
    expect(report).toContain('Note 4711 is about number 4711')
    rmSync(many, { recursive: true })
  })
})

describe('wrong usage ends with 2 and says what to do', () => {
  it.each([
    ['no question', ['--sources', 'notes'], /The question is missing/],
    ['an empty question', ['', '--sources', 'notes'], /The question is missing/],
    ['no sources', ['Why?'], /--sources is missing: name the folders/],
    ['an unknown option', ['Why?', '--source', 'notes'], /There is no option --source/],
    ['a folder that does not exist', ['Why?', '--sources', 'nowhere'], /There is no file or folder "nowhere"/],
    ['only a binary file', ['Why?', '--sources', 'notes/picture.md'], /nothing to read.*picture\.md \(binary\)/],
    ['only an empty file', ['Why?', '--sources', 'notes/empty.md'], /nothing to read.*empty\.md \(empty\)/],
    [
      'a base URL that is none',
      ['Why?', '--sources', 'notes', '--base-url', 'localhost'],
      /--base-url localhost is no URL/,
    ],
    [
      'a page that cannot be reached',
      ['Why?', '--sources', 'http://127.0.0.1:1/x'],
      /The page http:\/\/127\.0\.0\.1:1\/x could not be read/,
    ],
  ])('%s', async (_, given, message) => {
    const { code, stderr, report } = await bot(given)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
    expect(code).toBe(2)
    expect(report).toBe('')
  })

  it('an empty folder', async () => {
    mkdirSync(join(folder, 'hollow'), { recursive: true })
    expect(await bot(['Why?', '--sources', 'hollow'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is nothing to read in hollow'),
    })
  })
})

describe('with a server', () => {
  const submission = (quote: string): LocalReply => ({
    calls: [
      {
        name: 'submit_report',
        arguments: { title: 'T', summary: 'S', findings: [{ claim: 'C', quote, source: 'notes/looms.md' }] },
      },
    ],
  })

  it('a quotation that stays wrong is accepted in the end, and marked', async () => {
    await using server = await startOpenRouter({
      respond: [...Array(3).fill(submission('The power loom was driven by steam.')), 'Done.'],
    })
    const { code, report, stdout } = await bot([
      'Loom?',
      '--sources',
      'notes',
      '--base-url',
      server.url,
      '--out',
      'report.md',
    ])
    expect(code).toBe(0)
    expect(report).toContain('> **1 of 1 quotations could not be verified; they are marked.**')
    expect(report).toContain('> **[unverified]** “The power loom was driven by steam.”')
    expect(stdout).toContain('Quotes:  0 of 1 verified')
    expect(server.requests[1]!.body.messages.at(-1)!.content).toContain(
      'The nearest there: "The power loom of 1785 was driven by water."',
    )
  })

  it('asks the model that was chosen, with the key for other servers, and never sends that of OpenRouter abroad', async () => {
    await using server = await startOpenRouter({
      respond: [submission('A drawloom needs two people to work it.'), 'Done.'],
      apiKey: 'other',
    })
    const given = ['Loom?', '--sources', 'notes', '--base-url', server.url, '--model', 'm/y', '--out', 'report.md']
    const { code } = await bot(given, { OPENAI_API_KEY: 'other', OPENROUTER_API_KEY: 'secret' })
    expect(code).toBe(0)
    expect(server.requests[0]!.body.model).toBe('m/y')
    expect(server.requests[0]!.headers.authorization).toBe('Bearer other')
  })

  it('a wrong key: 1 and the reason; a report that was there stays', async () => {
    await using server = await startOpenRouter({ respond: [], apiKey: 'right' })
    const { code, stderr, report } = await bot(
      ['Loom?', '--sources', 'notes', '--base-url', server.url, '--out', 'report.md'],
      { OPENAI_API_KEY: 'wrong' },
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/401: User not found\. Check the API key/)
    expect(report).toBe('')
  })

  it('a host that cannot be reached: 1 and its name', async () => {
    const { code, stderr } = await bot([
      'Loom?',
      '--sources',
      'notes',
      '--base-url',
      'http://127.0.0.1:1/v1',
      '--out',
      'report.md',
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/http:\/\/127\.0\.0\.1:1\/v1 could not be reached/)
  })

  it('Ctrl-C in the middle ends it cleanly; the draft is kept and marked', async () => {
    let child: ChildProcess | undefined
    const interrupt: Respond = async ({ messages }, { received }) => {
      child?.kill('SIGINT')
      await received.closed
      return { text: `left after ${messages.length}` }
    }
    await using server = await startOpenRouter({
      respond: [submission('The power loom was driven by steam.'), interrupt],
    })
    const started = start(['Loom?', '--sources', 'notes', '--base-url', server.url, '--out', 'report.md'])
    child = started.child
    const { code, stdout, stderr, report } = await started.ended
    expect(code).toBe(130)
    expect(stderr).toBe('')
    expect(stdout).toContain('Interrupted: keeping what there is.')
    expect(report).toContain('> **Interrupted: this report is not finished.**')
    expect(report).toContain('driven by steam')
    expect(await server.requests[1]!.closed).toBe('aborted')
  })
})

describe('what was there before', () => {
  it('is never replaced by an unfinished report; that goes beside it', async () => {
    writeFileSync(join(folder, 'kept.md'), 'A good report.')
    const wrong: LocalReply = {
      calls: [
        {
          name: 'submit_report',
          arguments: {
            title: 'T',
            summary: 'S',
            findings: [{ claim: 'C', quote: 'These words stand nowhere at all.', source: 'notes/looms.md' }],
          },
        },
      ],
    }
    const down = { status: 503, error: { message: 'down' } }
    await using server = await startOpenRouter({ respond: [wrong, down, down, down] })
    const { code, stdout } = await bot(['Loom?', '--sources', 'notes', '--base-url', server.url, '--out', 'kept.md'])
    expect(code).toBe(1)
    expect(stdout.match(/turn 2 · 503: down\. Trying again in \d\.\d s\./g)).toHaveLength(2)
    expect(stdout).toContain('Unfinished report: kept.unfinished.md (1 finding)')
    expect(readFileSync(join(folder, 'kept.md'), 'utf8')).toBe('A good report.')
    expect(readFileSync(join(folder, 'kept.unfinished.md'), 'utf8')).toContain(
      'The work failed: this report is not finished',
    )
  })

  it('an --out that cannot be written is told before anything is spent', async () => {
    expect(await bot(['Loom?', '--sources', 'notes', '--out', 'notes'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--out notes is a folder'),
    })
  })

  it('a reader that goes away ends it quietly', async () => {
    const { child, ended } = start(['Loom?', '--sources', 'notes', '--out', 'report.md'])
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('the demo', () => {
  it('finds three verified quotations from two documents, and prints the report', async () => {
    const { code, stdout } = await start([], {}, join(import.meta.dirname, '../src/demo.ts')).ended
    expect(stdout).toMatch(/Quotes: {2}(\d+) of \1 verified/)
    expect(stdout).toContain('# A practice model (no neural network) on:')
    expect(stdout).toMatch(/\n2\. .+ \(.+\)\n/)
    expect(code).toBe(0)
  })
})

describe('web pages as sources', () => {
  it('are read, searched and cited by their URL; other sites are not asked', async () => {
    let strangerWasAsked = false
    const stranger = createServer((_, response) => {
      strangerWasAsked = true
      response.end('secret')
    })
    const site = createServer((request, response) => {
      if (request.url === '/away')
        return void response.writeHead(302, { location: `http://127.0.0.1:${portOf(stranger)}/` }).end()
      const more =
        request.url === '/more'
          ? 'The spindle came before the wheel by many thousand years.'
          : 'Read <a href="/more">more</a>.'
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<title>${request.url}</title><main><p>${more}</p></main>`)
    })
    for (const server of [stranger, site]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const home = `http://127.0.0.1:${portOf(site)}`
    const finding = {
      claim: 'C',
      quote: 'The spindle came before the wheel by many thousand years.',
      source: `${home}/more`,
    }
    await using server = await startOpenRouter({
      respond: [
        {
          calls: [
            `${home}/more`,
            `${home}/away`,
            `http://127.0.0.1:${portOf(stranger)}/`,
            'file:///etc/passwd',
            'nonsense',
          ].map((url) => ({
            name: 'fetch_page',
            arguments: { url },
          })),
        },
        { calls: [{ name: 'submit_report', arguments: { title: 'T', summary: 'S', findings: [finding] } }] },
        'Done.',
      ],
    })
    const { code, report } = await bot([
      'Spindle?',
      '--sources',
      `${home}/`,
      '--base-url',
      server.url,
      '--out',
      'report.md',
    ])
    expect(code).toBe(0)
    expect(report).toContain(`1. /more (${home}/more)`)
    const results = server.requests[1]!.body.messages.filter((message) => message.role === 'tool').map((message) =>
      String(message.content),
    )
    expect(results[0]).toContain('The spindle came before the wheel')
    expect(results[1]).toContain('redirects elsewhere, and there: the address may not be asked')
    for (const refused of results.slice(2, 4)) expect(refused).toContain('is not among the sources')
    expect(results[4]).toContain('"nonsense" is no whole URL')
    expect(strangerWasAsked).toBe(false)
    for (const server of [stranger, site]) server.close()
  })
})

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port
}

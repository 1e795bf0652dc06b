import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { KeptFiles } from '../src/shell/kept-files.ts'
import { shell } from '../src/shell/shell.ts'
import { call, descendants } from './sandbox-kit.ts'

const files = { '/home/user/a.txt': 'one\ntwo\n', '/data/b.bin': new Uint8Array([0, 255, 128]) }
const bash = shell({ files, timeoutMs: 30_000, storageMb: 4 })
const short = shell({ timeoutMs: 1_000, storageMb: 4 })
const run = (command: string, runId = command) => call(bash, { command }, { runId })

describe.concurrent('shell', () => {
  it('keeps files from one command of a run to its next, and not for another run', async () => {
    const model = scriptedModel([
      {
        calls: [
          {
            name: 'shell',
            arguments: {
              command: 'sort -r a.txt > sorted; ln -s sorted link; mkdir -p d/e; chmod 700 sorted; cd d; X=1',
            },
          },
        ],
      },
      {
        calls: [
          {
            name: 'shell',
            arguments: {
              command:
                'cat link; readlink link; stat -c %a sorted; ls -d d/e; pwd; echo "[$X]"; od -An /data/b.bin; ls /tmp',
            },
          },
        ],
      },
      ({ messages }) => JSON.stringify(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)),
    ])
    const agent = new Agent({ name: 'a', model, tools: [bash] })
    const [first, second] = JSON.parse((await agent.run('sort')).text)
    expect(first).toBe('Exit code 0.')
    expect(second.replace(/ +/g, ' ')).toBe('two\none\nsorted\n700\nd/e\n/home/user\n[]\n 000 377 200')
    expect(await run('ls')).toBe('a.txt')
  })

  it('runs two commands of one run one after the other', async () => {
    const texts = await Promise.all(['echo 1 >> n', 'echo 2 >> n', 'cat n'].map((command) => run(command, 'queue')))
    expect(texts.at(-1)).toBe('1\n2')
  })

  it('tells stderr and the exit code', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toBe('out\nstderr:\nerr\nExit code 3.')
  })

  it('has nothing of the host: no files, environment, processes, network, other programs', async () => {
    const text = await run(`
      cat /etc/passwd /proc/self/environ /proc/1/environ /root/.bashrc
      ln -s /etc/passwd l; cat l; ln -s ../../../../../etc/shadow m; cat m; ln -s /proc/self/root r; ls r/
      curl http://127.0.0.1; python3 -c 1; node -e 1; js-exec -c 1; sqlite3 :memory: 'select 1'
      echo x > /dev/tcp/127.0.0.1/80; awk 'BEGIN { system("id") }'
      echo "$NODE_OPTIONS$npm_config_user_agent" $__proto__ $constructor
      ls /proc/self; find / -maxdepth 1; env | cut -d= -f1 | sort | tr '\\n' ' '`)
    expect(text).not.toMatch(/root:x|vitest|npm/)
    expect(
      text.match(/No such file|not found|not available|not supported|not a directory|too many levels/gi)?.length,
    ).toBeGreaterThan(8)
  })

  it.each([
    ['a fork bomb', ':(){ :|:& };:', 'recursion depth'],
    ['an endless pipe', 'f(){ while true; do echo y; done; }; f | cat | wc -l', 'too many|exceeded'],
    ['a growing variable', 'x=a; while true; do x=$x$x; done', 'limit exceeded'],
    ['nested source', `${'$('.repeat(500)}echo${')'.repeat(500)}`, 'nest|depth|exceeded|syntax'],
    [
      'a storm of files',
      'for i in $(seq 1 9999); do head -c 100000 /dev/zero > z; printf "%0900000d" 1 > f$i; done',
      'exceeded|space|limit',
    ],
    [
      'a storm of here-documents',
      `${"cat <<E > /dev/null\n$(printf '%0999999d' 1)\nE\n".repeat(200)}`,
      'exceeded|deadline|limit',
    ],
  ])('ends %s, while this process stays small', async (_, command, reason) => {
    const before = process.memoryUsage().rss
    expect(await call(short, { command })).toMatch(
      new RegExp(`(stderr:\\n[\\s\\S]*(${reason})[\\s\\S]*Exit code \\d+\\.|^error: The command was ended)`),
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  it('ends a command within its limit', async () => {
    expect(await call(short, { command: 'while true; do sleep 1; done' })).toMatch(
      /deadline.*\nExit code 124\.$|^error: The command was ended after 1000 ms\. The files are as they were before it/,
    )
  })

  it('cuts long output, and says so', async () => {
    const text = await run('printf "%0500000d" 7')
    expect(text.length).toBeLessThan(5_200)
    expect(text).toMatch(/\[… 495000 characters left out …\]\n0+7$/)
  })

  it('ends with the run, and changes nothing then', async () => {
    const leave = new AbortController()
    const running = call(shell({ timeoutMs: 60_000 }), { command: 'sleep 50' }, { signal: leave.signal })
    leave.abort(new Error('left'))
    expect(await running).toBe('error: left')
  })

  it('refuses places that are no place for files', () => {
    for (const path of ['a.txt', '/bin/ls', '/proc/x', '/a/../bin/x', '/a/']) {
      expect(() => shell({ files: { [path]: '' } })).toThrow('is no place for files; give an absolute path')
    }
    expect(() => shell({ files: { '/a': 1 as never } })).toThrow('the file "/a" is no text and no bytes')
    expect(() => shell({ file: {} } as object)).toThrow('there is no option "file"')
  })

  it('has a fake that runs nothing', () => {
    expect(bash.fake?.({ command: 'ls' }, {} as never)).toBe('(not run: ls)\nExit code 0.')
  })
})

describe('files of runs', () => {
  const entry = (size: number) => ({ type: 'file', path: '/a', mode: 0, mtime: 0, data: 'x'.repeat(size) }) as const

  it('of the least used run make room, which that run is told once', async () => {
    const kept = new KeptFiles([], 2_000)
    const write = (runId: string) => kept.use(runId, async () => ({ result: 0, entries: [entry(600)] }))
    const count = (runId: string) => kept.use(runId, async (entries) => ({ result: entries.length, entries }))
    await write('old')
    await write('used')
    await count('old')
    await write('new')
    expect(await count('old')).toBe(1)
    await expect(count('used')).rejects.toThrow('were dropped to make room')
    expect(await count('used')).toBe(0)
  })

  it('stay as they were when a command fails, and the next one goes on', async () => {
    const kept = new KeptFiles([entry(1)])
    const failing = kept.use('run', () => Promise.reject(new Error('ended')))
    const next = kept.use('run', async (entries) => ({ result: entries.length, entries }))
    await expect(failing).rejects.toThrow('ended')
    expect(await next).toBe(1)
  })
})

describe('after all shells', () => {
  it('no process is left', () => {
    expect(descendants()).toEqual([])
  })
})

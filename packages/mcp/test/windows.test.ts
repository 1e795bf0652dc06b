/** On Windows `npx` is a script of the shell, which cannot be started as a program is. */
import childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'clew-windows-'))
const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
const { PATH } = process.env

afterAll(() => {
  Object.defineProperty(process, 'platform', platform)
  process.env.PATH = PATH
  rmSync(folder, { recursive: true })
})

it('P130: npx is found to be a script and run by cmd /c, with its arguments quoted', async () => {
  writeFileSync(join(folder, 'npx.cmd'), '@echo off\r\n')
  process.env.PATH = folder
  process.env.PATHEXT = '.EXE;.cmd'
  // Before anything is loaded that looks at it.
  Object.defineProperty(process, 'platform', { value: 'win32' })
  const started: unknown[][] = []
  vi.spyOn(childProcess, 'spawn').mockImplementation((...given) => {
    started.push(given)
    const child = new EventEmitter()
    setImmediate(() => child.emit('error', new Error('This is no Windows.')))
    return child as never
  })
  syncBuiltinESMExports()
  const { mcp } = await import('../src/index.ts')
  const args = ['-y', '@scope/server', 'C:\\My Files', 'say "hi" & calc', '100%PATH%']
  await expect(mcp({ command: 'npx', args })).rejects.toThrow('This is no Windows.')
  const [command, given, options] = started[0] as [
    string,
    string[],
    { windowsVerbatimArguments?: boolean; shell?: unknown; detached?: boolean },
  ]
  expect(command).toMatch(/cmd\.exe$/i)
  expect(given.slice(0, 3)).toEqual(['/d', '/s', '/c'])
  // What the shell would act on has its caret, and the quotes inside their backslash.
  expect(given[3]).toBe(
    String.raw`"npx ^"-y^" ^"@scope/server^" ^"C:\My^ Files^" ^"say^ \^"hi\^"^ ^&^ calc^" ^"100^%PATH^%^""`,
  )
  expect(options).toMatchObject({ windowsVerbatimArguments: true, detached: false })
})

/** `testFull()`: what holds when there is no more room: by a limit on file sizes, and on a file system of 256 KB. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { batch, openSpec, type Spec } from './child.ts'

function mounted(folder: string): boolean {
  mkdirSync(folder)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder])
  if (status === 0) afterAll(() => void spawnSync('umount', [folder]))
  else console.warn('SKIPPED: no file system can be mounted here, so the tests on a full disk do not run.')
  return status === 0
}

export function testFull(folder: string, specIn: (folder: string) => Spec): void {
  const small = join(folder, 'small')
  const hasSmall = mounted(small)

  /** Appends in another process until it fails. */
  function fill(spec: Spec, limit: string): { at: number; name: string; message: string } {
    const child = [process.execPath, `${import.meta.dirname}/child.ts`, 'fill', JSON.stringify(spec)]
    const { stdout, stderr } = spawnSync('sh', ['-c', `${limit} exec "$@"`, 'sh', ...child])
    expect(String(stderr)).toBe('')
    return JSON.parse(String(stdout))
  }

  describe('without room', () => {
    it('an append that meets the limit on file sizes is a SessionError, and the log is what it was', async () => {
      const spec = specIn(folder)
      // In blocks of 512 bytes.
      const { at, name, message } = fill(spec, 'ulimit -f 200;')
      expect(name).toBe('SessionError')
      expect(message).toMatch(/could not be appended to \(.*\): .*(File too large|EFBIG|disk I\/O error)/)
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const session = openSpec(spec)
      expect((await session.read()).at).toBe(at)
      expect(at).toBeGreaterThan(0)
      // Nothing of the batch that failed is left.
      expect(warned).not.toHaveBeenCalled()
      warned.mockRestore()
      // There is room again: the log goes on.
      expect(await session.append(at, batch('after'))).toBe(at + 1)
      expect((await session.read()).at).toBe(at + 1)
      await session.close()
    })

    it.skipIf(!hasSmall)('an append that meets a full disk says so, and the log is what it was', async () => {
      const spec = specIn(small)
      const { at, name, message } = fill(spec, '')
      expect(name).toBe('SessionError')
      expect(message).toMatch(/The disk is full: make room, then resume/)
      const session = openSpec(spec)
      expect((await session.read()).at).toBe(at)
      expect(at).toBeGreaterThan(0)
      await expect(session.append(at, batch('after', 200))).rejects.toThrow(/The disk is full/)
      expect((await session.read()).at).toBe(at)
      await session.close()
    })
  })
}

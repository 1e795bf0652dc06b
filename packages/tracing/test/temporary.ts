/** `temporary()`: a folder that is removed behind the test file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-traces-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What the file tools share of their words. */
import { DefinitionError, type ToolExecution } from '@clew/core'
import type { Folder } from './folder.ts'

/** What stands in files, or is a name of one, and what the tool says of it: where strangers wrote, only that stands between marks. */
export function tell(files: Folder, execution: Pick<ToolExecution, 'fence'>, text: string, ...notes: string[]): string {
  const said = files.untrusted && text !== '' ? execution.fence(text) : text
  return [said, ...notes].filter((part) => part !== '').join('\n')
}

/** For tools that write. @throws DefinitionError where the folder is only for reading */
export function writing(files: Folder, factory: string): { needsApproval: boolean; timeoutMs: number } {
  checkFolder(files, factory)
  if (files.write === 'never') {
    throw new DefinitionError(
      `${factory}: the folder has write: "never". Leave this tool out, or choose "ask" or "allowed".`,
    )
  }
  return { needsApproval: files.write === 'ask', timeoutMs: 30_000 }
}

/** For tools that read. */
export function reading(files: Folder, factory: string): { timeoutMs: number; untrusted: boolean } {
  checkFolder(files, factory)
  return { timeoutMs: 30_000, untrusted: files.untrusted }
}

function checkFolder(files: Folder, factory: string): void {
  if (typeof files?.read === 'function' && typeof files.change === 'function') return
  throw new DefinitionError(`${factory}: needs a folder. Write ${factory}(folder('./notes')).`)
}

/** A name in a list: quoted where it could be taken for something else. */
export function told(path: string): string {
  if (/^[\p{L}\p{N}\p{M}\p{S} ._/@+,()[\]{}=~#&!'$%^:-]+$/u.test(path) && path.trim() === path) return path
  // What cannot be seen is spelled out, for it may turn the text around it.
  return JSON.stringify(path).replace(
    /[\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

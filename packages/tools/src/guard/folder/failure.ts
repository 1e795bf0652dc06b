/** `failure` says what the system said, without its paths, so that a model can act on it. */
import { type ClewError, InputError, isClewError } from '@clew/core'
import { shown } from './names.ts'

const reasons: { [code: string]: string } = {
  ENOENT: 'it does not exist, or went away meanwhile. Look with list_files',
  ENOTDIR: 'a part of the path is no folder. Look with list_files',
  EISDIR: 'it is a folder. Name a file',
  EEXIST: 'something stands there already. Choose another name',
  ENOTEMPTY: 'the folder is not empty',
  EACCES: 'there is no permission. Go on without it, or ask the user',
  EPERM: 'it is not permitted. Go on without it, or ask the user',
  EROFS: 'the disk can only be read. Tell the user',
  ENOSPC: 'the disk is full. Nothing was changed; tell the user',
  EDQUOT: 'the disk quota is used up. Nothing was changed; tell the user',
  EFBIG: 'the file would be too big. Nothing was changed; write less',
  ENAMETOOLONG: 'the path is too long. Choose a shorter one',
  ELOOP: 'it is a link that cannot be followed. Name the file itself',
  EMFILE: 'too many files are open. Try again later',
  ENFILE: 'too many files are open. Try again later',
  EBUSY: 'it is in use. Try again later',
  ENXIO: 'it is no plain file. Only plain files can be used',
}

/** @returns errors of Clew and of signals as they are */
export function failure(error: unknown, path: string): unknown {
  if (isClewError(error)) return error satisfies ClewError
  const code = codeOf(error)
  if (code === undefined) return error
  return new InputError(`${shown(path)} cannot be used: ${reasons[code] ?? `the system says ${code}`}.`)
}

/** `ENOENT` and the like. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

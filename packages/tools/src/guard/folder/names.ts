/** What a model writes as a path, as names below the folder. Nothing is touched: this is about words alone. */
import { InputError } from '@clew/core'

/** Bytes of a name and of a path that the usual file systems hold. */
const nameBytes = 255
const pathBytes = 4096

/**
 * `\` counts as `/` everywhere, so that paths out of Windows tools work. An absolute path into the folder is taken as the
 * relative one. `..` is resolved by words; where names are links, what is opened decides.
 * @throws InputError for a path that leads out, is absolute, or that no file system or no reader could take as it is
 */
export function namesOf(path: string, root: string, isWindows = process.platform === 'win32'): string[] {
  if (Buffer.byteLength(path) > pathBytes) throw refused(path, `it is longer than ${pathBytes} bytes`)
  if (!path.isWellFormed()) throw refused(path, 'it holds half a character (a lone surrogate)')
  // Bidirectional controls make a name look like another one to the person who approves.
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(path)) throw refused(path, 'it holds control characters')
  const slashed = relativeTo(root, path.replaceAll('\\', '/'), isWindows)
  if (/^[a-z]:(\/|$)/i.test(slashed) || /^[/~](\/|$)|^\//.test(slashed)) {
    throw refused(
      path,
      'it is absolute',
      'Write it relative to the folder, such as "notes/today.md"; "." is the folder.',
    )
  }
  const names: string[] = []
  for (const name of slashed.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(checkName(name, path, isWindows))
    else if (names.pop() === undefined)
      throw refused(path, 'it leads out of the folder', 'Only what is inside can be used.')
  }
  return names
}

/** A path in words for the model: never long, and with nothing in it that could pass for the tool's own words. */
export function shown(path: string): string {
  return JSON.stringify(path.length > 120 ? `${path.slice(0, 120).toWellFormed()}…` : path)
}

function relativeTo(root: string, path: string, isWindows: boolean): string {
  const fold = (text: string) => (isWindows ? text.toLowerCase() : text)
  const base = root.replaceAll('\\', '/')
  if (fold(path) === fold(base)) return '.'
  return fold(path).startsWith(`${fold(base)}/`) ? path.slice(base.length + 1) : path
}

/** What Windows takes for something else than a name: https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
const windowsDevice = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i

function checkName(name: string, path: string, isWindows: boolean): string {
  if (Buffer.byteLength(name) > nameBytes) throw refused(path, `a name in it is longer than ${nameBytes} bytes`)
  if (!isWindows) return name
  if (/[:<>"|?*]/.test(name)) throw refused(path, 'Windows has no such names: none of : < > " | ? * can be in one')
  if (/[. ]$/.test(name)) throw refused(path, 'Windows has no names that end with a dot or a space')
  if (windowsDevice.test(name)) throw refused(path, `${name} is a device on Windows, no file`)
  return name
}

function refused(path: string, why: string, next = 'Write another path.'): InputError {
  return new InputError(`The path ${shown(path)} cannot be used: ${why}. ${next}`)
}

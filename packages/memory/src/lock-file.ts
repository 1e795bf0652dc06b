/**
 * `takeLock()`: a lock file that one process at a time has, and that is taken over when its holder is gone.
 *
 * The file appears whole (written under another name, then linked, which fails where one is). Removing the file of a dead
 * holder and then making one's own would not do: two could see the same dead holder, and the second would remove the
 * first's. So whoever takes over first takes a lock on this very holder's token, by this same function, then looks again,
 * and replaces the file by renaming; nobody else may touch the file of a dead holder.
 */
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { type Holder, isGone, parseHolder, thisProcess } from './holder.ts'

export type Lock = { token: string }
type Found = { holder: Holder | undefined; token: string; renewed: number }

/** The lock, or who has it. Does not wait. `now` gives milliseconds since 1970. */
export async function takeLock(path: string, now: () => number): Promise<Lock | { heldBy: Holder | undefined }> {
  for (;;) {
    const found = await look(path)
    if (!found) {
      const mine = thisProcess(now())
      if (await put(path, mine, link)) return { token: mine.token }
      continue
    }
    if (!isGone(found.holder, found.renewed, now())) return { heldBy: found.holder }
    const claimPath = `${path}.${found.token}`
    const claim = await takeLock(claimPath, now)
    if (!('token' in claim)) return claim
    try {
      const again = await look(path)
      if (again?.token !== found.token || !isGone(again.holder, again.renewed, now())) continue
      const mine = thisProcess(now())
      await put(path, mine, rename)
      return { token: mine.token }
    } finally {
      await dropLock(claimPath, claim)
    }
  }
}

/** Says that its holder lives. False when the lock is another's. */
export async function renewLock(path: string, lock: Lock, now: number): Promise<boolean> {
  if ((await look(path))?.token !== lock.token) return false
  await utimes(path, now / 1000, now / 1000)
  return true
}

export async function dropLock(path: string, lock: Lock): Promise<void> {
  if ((await look(path))?.token === lock.token) await rm(path, { force: true })
}

async function look(path: string): Promise<Found | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    const holder = parseHolder(text)
    // What a power failure left empty or torn is a holder that nobody can look at.
    return { holder, token: holder?.token.replace(/[^\w-]/g, '') ?? 'unreadable', renewed: mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** False when `link` finds a file there. */
async function put(path: string, holder: Holder, how: typeof link): Promise<boolean> {
  const draft = `${path}.${holder.token}.new`
  try {
    await writeFile(draft, JSON.stringify(holder), { flag: 'wx' })
    // The clock that is given decides about age, not the file system's.
    await utimes(draft, holder.since / 1000, holder.since / 1000)
    await how(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** `residentMbOf` says what a process holds in memory, in megabytes; 0 where nobody can tell. */
import { readFileSync } from 'node:fs'

/** How often who bounds it should ask. */
export const watchEveryMs = 50

/** Linux tells; elsewhere other limits have to stand alone. */
export function residentMbOf(pid: number | undefined): number {
  if (process.platform !== 'linux' || pid === undefined) return 0
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1e6
  } catch {
    return 0
  }
}

/** `snapshotOf` has a Python that ran nothing yet written down, once a process, for others to start from. */
import { inJail } from '../jail/jail.ts'
import type { Installed } from '../jail/resolve.ts'
import type { PythonRequest } from './python-runner.ts'

let snapshot: Promise<Uint8Array | undefined> | undefined

/** Nothing, where this version of Pyodide has no snapshots: then each interpreter starts from scratch. */
export function snapshotOf(python: Installed): Promise<Uint8Array | undefined> {
  snapshot ??= make(python)
  return snapshot
}

async function make({ url, folder }: Installed): Promise<Uint8Array | undefined> {
  const request: PythonRequest = { type: 'snapshot', url, memoryMb: 64 }
  const outcome = await inJail({
    runner: 'run-python/python-runner',
    request,
    reads: [folder],
    timeoutMs: 60_000,
    residentMb: 1000,
    heapMb: 512,
    answerBytes: 200_000_000,
  }).catch(() => undefined)
  if (outcome?.status !== 'answered' || outcome.attachment.length === 0) return undefined
  return outcome.attachment
}

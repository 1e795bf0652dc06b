/** What has expired, in this process. Holds are looked at by who asks. */
import type { BlockRow, Dated, EntryRow, Expiry } from './backend.ts'

export function lapsedEntry({ kind, at }: Pick<EntryRow, 'kind' | 'at'>, { entries }: Expiry): boolean {
  return entries.some((rule) => at < rule.before && (rule.kind === undefined || rule.kind === kind))
}

/** By its values, oldest first. */
export function lapsedBlock(values: readonly BlockRow[], { blocks }: Expiry): boolean {
  return isBefore(values.at(-1), blocks)
}

export function lapsedArtifact(artifact: Dated, { artifacts }: Expiry): boolean {
  return isBefore(artifact, artifacts)
}

/** By its last batch. */
export function lapsedSession(last: Dated | undefined, { sessions }: Expiry): boolean {
  return isBefore(last, sessions)
}

function isBefore(row: Dated | undefined, before: number | undefined): boolean {
  return row !== undefined && before !== undefined && row.written < before
}

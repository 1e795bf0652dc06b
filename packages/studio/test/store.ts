/** A store of traces in a folder that goes with the test, and a studio on it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTraces, type SpanData, type Traces } from '@clew/tracing'
import { type Studio, startStudio } from '../src/index.ts'

export type World = AsyncDisposable & { studio: Studio; traces: Traces; path: string }

export async function openWorld(spans: SpanData[] = []): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-studio-'))
  const path = join(folder, 'traces.db')
  const traces = openTraces(path, { create: true })
  traces.add(spans)
  const studio = await startStudio({ traces })
  return {
    studio,
    traces,
    path,
    async [Symbol.asyncDispose]() {
      await studio.close()
      traces.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `node scripts/picture.ts`: takes the picture of the studio that the docs show. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStudio } from '@clew/studio'
import { openTraces } from '@clew/tracing'
import { chromiumPath, openBrowser } from '../packages/studio/test/browser.ts'
import { story } from '../packages/studio/test/sample.ts'
import { spanId, traceId } from '../packages/studio/test/spans.ts'

if (!chromiumPath) throw new Error('There is no Chromium here. Install it: apt-get install chromium')
const folder = mkdtempSync(join(tmpdir(), 'clew-picture-'))
const traces = openTraces(join(folder, 'traces.db'), { create: true })
traces.add(story(Date.parse('2026-11-23T10:41:00Z')))
const studio = await startStudio({ traces })
const browser = await openBrowser()
const page = await browser.newPage({ viewport: { width: 1280, height: 720 } })
await page.goto(`${studio.url}#/runs/${traceId('story')}?span=${spanId('story', 'turn 3')}`)
await page.getByText('The cached prefix broke').waitFor()
await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
await page.screenshot({ path: join(import.meta.dirname, '../docs/studio.png') })
await browser.close()
await studio.close()
traces.close()
rmSync(folder, { recursive: true })

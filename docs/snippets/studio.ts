import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStudio } from '@clew/studio'
import { localTraces, openTraces, trace } from '@clew/tracing'
import { Agent, openrouter } from 'clew'

const path = join(await mkdtemp(join(tmpdir(), 'traces-')), 'traces.db') // left out: .clew/traces.db
const tracerProvider = localTraces({ path })
const guide = new Agent({ name: 'guide', model: openrouter(), use: [trace({ tracerProvider, content: true })] })
await guide.run('Which thread led out of the labyrinth?')
await tracerProvider.forceFlush()

const traces = openTraces(path)
await using studio = await startStudio({ traces })
console.log(studio.url.replace(/\d{4,}\/.*/, 'PORT/TOKEN/'))

const page = await fetch(studio.url)
const stranger = await fetch(new URL('/', studio.url)) // without the token
console.log(page.status, stranger.status, `"${await stranger.text()}"`)

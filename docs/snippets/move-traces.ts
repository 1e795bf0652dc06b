import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJsonl, exportOtlp, importJsonl, openTraces, startReceiver } from '@clew/tracing'

const folder = mkdtempSync(join(tmpdir(), 'traces-'))
const mine = openTraces(join(folder, 'mine.db'), { create: true })

// Takes what OTLP exporters send as JSON: of the AI SDK, of any SDK of OpenTelemetry.
const receiver = await startReceiver(mine, { port: 0 }) // without it: 4318, where exporters send unless told
const span = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  name: 'chat gpt-5-mini',
  startTimeUnixNano: '1763640000000000000',
  endTimeUnixNano: '1763640002000000000',
  attributes: [{ key: 'gen_ai.operation.name', value: { stringValue: 'chat' } }],
}
await fetch(receiver.url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
})
console.log(mine.runs().map(({ name, status, ms }) => `${name}: ${status}, ${ms} ms`))

// To a file, a trace a line, and back.
const lines = [...exportJsonl(mine)]
const theirs = openTraces(join(folder, 'theirs.db'), { create: true })
console.log(await importJsonl(theirs, lines))

// To any backend that takes OTLP; here it is the receiver itself, which has them all.
console.log(await exportOtlp(theirs, { url: receiver.url, headers: { authorization: 'Bearer key' } }))

await receiver.close()
for (const traces of [mine, theirs]) traces.close()
rmSync(folder, { recursive: true })

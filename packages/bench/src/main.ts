/**
 * `npm run bench`: prints every figure as a ratio of two things measured in this run, beside its goal. `-- sessions`,
 * `-- recall` or `-- tracing` picks a part, `-- --quick` takes smaller sizes and less than a minute.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { figure, type Measure, type Size } from './figure.ts'
import { recall } from './recall.ts'
import { sessions } from './sessions.ts'
import { tracing } from './tracing.ts'

const measures: { [name: string]: Measure } = { sessions, recall, tracing }

// `--tiny` only shows that it runs.
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, tiny: { type: 'boolean' } },
  allowPositionals: true,
})
const size: Size = values.tiny ? 'tiny' : values.quick ? 'quick' : 'full'
const names = positionals.length > 0 ? positionals : Object.keys(measures)
for (const name of names) {
  if (!measures[name]) throw new Error(`There is no part "${name}". Parts: ${Object.keys(measures).join(', ')}.`)
}

const processors = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${processors.length} × ${processors[0]?.model ?? 'unknown CPU'}`,
)
for (const name of names) {
  console.log(`\n${name} (${size})`)
  for await (const each of measures[name]!(size)) figure(each)
}

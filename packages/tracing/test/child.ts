/** Writes traces in a process of its own: `node child.ts WHAT PATH [COUNT]`. */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { localTraces } from '../src/index.ts'

const [what, path = '', count = '1', maxBytes] = process.argv.slice(2)
const traces = localTraces({ path, ...(maxBytes !== undefined && { maxBytes: Number(maxBytes) }) })
const tracer = traces.getTracer('child')

function work(name: string, attributes = {}) {
  const root = tracer.startSpan(name, { attributes })
  tracer.startSpan(`child of ${name}`, {}, trace.setSpan(ROOT_CONTEXT, root)).end()
  return root
}

switch (what) {
  // Ends as programs do: nothing is asked to be written.
  case 'end':
    for (let at = 0; at < Number(count); at += 1) work(`${process.pid} ${at}`).end()
    break
  // Both at once, in many batches.
  case 'batches':
    for (let at = 0; at < Number(count); at += 1) {
      work(`${process.pid} ${at}`).end()
      await traces.forceFlush()
    }
    break
  case 'throw':
    work('thrown')
    throw new Error('on purpose')
  // Writes until it is killed.
  case 'on':
    work('begun')
    for (let at = 0; ; at += 1) {
      work(`more ${at}`).end()
      await traces.forceFlush()
      if (at === 20) process.stdout.write('ready\n')
    }
  case 'large':
    for (let at = 0; at < Number(count); at += 1) {
      work(`large ${at}`, { 'gen_ai.input.messages': String(at).padEnd(100_000, 'x') }).end()
      await traces.forceFlush()
    }
    break
  // One run that goes on says more than there is room for.
  case 'much': {
    const root = work('much')
    for (let at = 0; at < Number(count); at += 1) {
      const child = tracer.startSpan(`said ${at}`, {}, trace.setSpan(ROOT_CONTEXT, root))
      child.setAttribute('gen_ai.input.messages', String(at).padEnd(100_000, 'x')).end()
      await traces.forceFlush()
    }
    root.end()
    break
  }
}
process.stdout.write('done\n')

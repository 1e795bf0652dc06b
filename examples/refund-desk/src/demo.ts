/** Three processes and two of them killed: the money goes back once. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bank } from './bank.ts'

const folder = mkdtempSync(join(tmpdir(), 'refund-desk-'))

/** Runs main.ts in a process of its own and tells how it ended. */
async function act(title: string, ...args: string[]): Promise<string> {
  console.log(title)
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, ...args, '--folder', folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ending = await new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit ${code}`)),
  )
  console.log(`  [process ${child.pid}: ${ending}]`)
  return ending
}

try {
  await act('A customer asks. 80 euros are much, so the desk waits for a person:', 'ask', 'Refund order 17, 80 euros.')
  await act(
    'Next week, elsewhere, the shopkeeper says yes. The machine dies right after the bank booked it:',
    'decide',
    'yes',
    '--crash',
  )
  await act('Started again. Nobody repeats a refund unasked; the bank is asked what became of it:', 'decide', 'yes')
  await act('The yes once more, by mistake:', 'decide', 'yes')
  const bookings = new Bank(join(folder, 'bank.jsonl')).bookings()
  console.log(
    `The bank has ${bookings.length} booking: ${bookings.map(({ order, euros }) => `order ${order}, ${euros} euros`).join('; ')}.`,
  )
  process.exitCode = bookings.length === 1 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

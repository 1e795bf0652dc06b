/** `serve` is what a process in the jail does: it closes the doors, reads its request, answers, and ends. */
import { readFileSync } from 'node:fs'
import { closeDoors } from './close-doors.ts'

/** Loads the library and returns the work itself, which is where strangers' code runs. */
export type Prepare<Request> = (request: Request, attachment: Buffer) => Promise<() => Promise<Answer> | Answer>
export type Answer = { answer: unknown; attachment?: Uint8Array }

export async function serve<Request>(prepare: Prepare<Request>): Promise<void> {
  const { exit, permission, stdout } = process
  const write = (bytes: Uint8Array) => new Promise<void>((resolve) => stdout.write(bytes, () => resolve()))
  let frame: Answer | { refused: string }
  try {
    // Bun, Deno and programs that pack Node into themselves do not know the flag, and would run without walls.
    if (!permission || permission.has('fs.write')) throw new Error('permission model is not in force')
    closeDoors()
    const input = readFileSync(0)
    const line = input.indexOf('\n')
    const work = await prepare(JSON.parse(input.toString('utf8', 0, line)) as Request, input.subarray(line + 1))
    await write(Buffer.from('+'))
    frame = await work()
  } catch (error) {
    // Nothing of a stranger runs before the work, and the work answers for its own errors.
    await write(Buffer.from('+'))
    frame = { refused: `could not be loaded (${error instanceof Error ? error.message : 'unknown error'})` }
  }
  const { attachment, ...rest } = frame as Answer
  await write(Buffer.from(`${JSON.stringify(rest)}\n`))
  if (attachment) await write(attachment)
  exit(0)
}

/** A library by the address that `installed` gave. Of CommonJS not every Node sees the names, but all have the default. */
export async function load<Library>(url: string): Promise<Library> {
  const library = (await import(url)) as Library & { default?: Library }
  return library.default ?? library
}

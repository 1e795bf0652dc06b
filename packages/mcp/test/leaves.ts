/** A program that starts a server and ends without a word. */
import { mcp } from '../src/index.ts'

const [, , script, file] = process.argv
await mcp({ command: process.execPath, args: [script as string, 'deaf', file as string] })
process.exit(0)

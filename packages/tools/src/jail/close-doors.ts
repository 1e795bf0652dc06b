/** `closeDoors` takes away what reaches out of a process and what Node's permission model does not ask about. */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import v8 from 'node:v8'
import { closeNetwork } from './close-network.ts'

const require = createRequire(import.meta.url)

/**
 * The network; signals, with which the program that started the process could be ended or its debugger opened; SQLite,
 * which opens files by itself; flags of V8, some of which name a file to write to. Once and for the process.
 */
export function closeDoors(): void {
  function refuse() {
    throw new Error('This process may not do that.')
  }
  closeNetwork()
  Object.assign(process, { kill: refuse, _kill: refuse, _debugProcess: refuse })
  Object.assign(os, { setPriority: refuse })
  Object.assign(v8, { setFlagsFromString: refuse })
  const sqlite: object = require('node:sqlite')
  for (const [name, value] of Object.entries(sqlite))
    if (typeof value === 'function') Object.assign(sqlite, { [name]: refuse })
  syncBuiltinESMExports()
}

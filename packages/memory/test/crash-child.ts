/** The process that the crash kit kills: `node crash-child.ts STORE PLACE`. */
import { join } from 'node:path'
import { crashChild } from '@clew/testing'
import { openSpec, type Spec } from './child.ts'
import { scenarios } from './crash-scenarios.ts'

const [store = '', place = ''] = process.argv.slice(2)

function specOf(id: string): Spec {
  if (store === 'file') return { store, id, path: join(place, `${id}.jsonl`) }
  if (store === 'SQLite') return { store: 'sqlite', id, file: join(place, 'sessions.db') }
  return { store: 'postgres', id, connectionString: place }
}

await crashChild({ scenarios, open: (id) => openSpec(specOf(id)) })

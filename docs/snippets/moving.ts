import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { fileMemory, scope, sqliteMemory } from '@clew/memory'

const folder = mkdtempSync(join(tmpdir(), 'memory-'))
const [old, next] = [fileMemory(join(folder, 'memory.jsonl')), sqliteMemory({ file: join(folder, 'memory.db') })]
const acme = scope({ tenant: 'acme' })
const from = await old.open(acme)
await from.writeBlock('plan', 'pack', 0)
await from.add([{ id: 'a', kind: 'fact', text: 'Ada plays the viola.', at: 0 }])

const copy = join(folder, 'acme.jsonl')
await pipeline(from.export(), createWriteStream(copy))

const to = await next.open(acme)
console.log(await to.import(createInterface(createReadStream(copy))))
console.log((await to.search({ text: 'viola' }))[0]?.entry.text)
await Promise.all([old.close(), next.close()])
rmSync(folder, { recursive: true })

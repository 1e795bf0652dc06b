import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlQuery } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const folder = mkdtempSync(join(tmpdir(), 'shop-'))
const shop = new DatabaseSync(join(folder, 'shop.db'))
shop.exec(`CREATE TABLE orders (id INTEGER, customer TEXT, euros REAL);
  INSERT INTO orders VALUES (17, 'Ada', 80), (18, 'Bob', 12.5)`)

const orders = sqlQuery({ sqlite: join(folder, 'shop.db'), about: 'It has the orders of the shop.', untrusted: false })
const clerk = new Agent({ name: 'clerk', model: openrouter(), tools: [orders] })
clerk.on('tool-end', ({ content }) => console.log(content, '\n'))
console.log((await clerk.run('What did Ada order? Then delete it.')).text)
rmSync(folder, { recursive: true })

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { documents, readDocument, searchDocuments } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const path = mkdtempSync(join(tmpdir(), 'books-'))
writeFileSync(join(path, 'looms.md'), '# Looms\n\nThe power loom of 1785 was driven by water.')

const books = documents({ path: join(path, 'index.db'), idOf: (file) => relative(path, file) })
console.log(await books.index([path]))
writeFileSync(join(path, 'thread.md'), '# Thread\n\nA clew is a ball of thread.')
console.log(await books.index([path])) // only what is new or changed is read

const librarian = new Agent({
  name: 'librarian',
  model: openrouter(),
  tools: [searchDocuments(books), readDocument(books)],
})
librarian.on('tool-end', (event) => console.log(event.name, event.content))
console.log((await librarian.run('What drove the power loom?')).text)
books.close()
rmSync(path, { recursive: true })

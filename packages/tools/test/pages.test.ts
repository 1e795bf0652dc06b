/** The pages quote what the model reads of each tool. */
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, type Tool, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import * as tools from '../src/index.ts'

const model = scriptedModel([])
const agent = new Agent({ name: 'counter', model })
const names = Array.from({ length: 12 }, (_, at) => tool({ name: `t${at}`, execute: () => at }))
const files = tools.folder(tmpdir())
const shelf = tools.documents()

const pages: { [page: string]: Pick<Tool, 'name' | 'description'>[] } = {
  'ask-user': [tools.askUser()],
  calculator: [tools.calculator()],
  datetime: [tools.datetime()],
  documents: [tools.searchDocuments(shelf), tools.readDocument(shelf)],
  files: [...tools.fileTools(files), tools.applyPatch(files)],
  'find-tools': [tools.findTools(names, { keep: ['t0'] }).tools[0]!],
  'http-request': [tools.httpRequest({ hosts: ['api.example.com'] })],
  'image-generate': [tools.imageGenerate({ model })],
  plan: [tools.plan()],
  'run-javascript': [tools.runJavascript()],
  'run-python': [tools.runPython()],
  shell: [tools.shell(), tools.runCommand({ cwd: tmpdir(), commands: ['git', 'ls'] })],
  'sql-query': [tools.sqlQuery({ sqlite: 'shop.db' })],
  task: [tools.task(agent, { for: 'It calculates.' })],
  'web-fetch': [tools.webFetch()],
  'web-search': [tools.webSearch({ provider: tools.searchOf([]) })],
}
/** Pages of what tools stand on. */
const others = ['README', 'network', 'shape-output']

const folder = join(import.meta.dirname, '../../../docs/tools')
const words = (text: string) =>
  text.replace(/^> /gm, '').replace('_your hosts_', 'api.example.com').replaceAll('\\*', '*').replace(/\s+/g, ' ')

describe('a page', () => {
  it.each(Object.entries(pages).flatMap(([page, list]) => list.map((each) => [page, each.name, each] as const)))(
    'docs/tools/%s.md has the description of %s that the model reads',
    (page, _, { description = '' }) => {
      expect(words(readFileSync(join(folder, `${page}.md`), 'utf8'))).toContain(words(description))
    },
  )

  it('is there for each tool, and the list names each page', () => {
    const there = readdirSync(folder).map((name) => name.replace('.md', ''))
    expect(there.sort()).toEqual([...Object.keys(pages), ...others].sort())
    const list = readFileSync(join(folder, 'README.md'), 'utf8')
    for (const [page, made] of Object.entries(pages)) {
      expect(list).toContain(`(${page}.md)`)
      for (const { name } of made) expect(list).toContain(`\`${name.replace('task_counter', 'task')}\``)
    }
  })
})

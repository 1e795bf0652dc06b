/** The pages quote what the model reads. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, type Tool, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { askUser, calculator, datetime, findTools, plan, sqlQuery, task } from '../src/index.ts'

const agent = new Agent({ name: 'counter', model: scriptedModel([]) })
const names = Array.from({ length: 12 }, (_, at) => tool({ name: `t${at}`, execute: () => at }))
const pages: { [page: string]: Pick<Tool, 'description'> } = {
  'ask-user': askUser(),
  calculator: calculator(),
  datetime: datetime(),
  'find-tools': findTools(names, { keep: ['t0'] }).tools[0]!,
  plan: plan(),
  'sql-query': sqlQuery({ sqlite: 'shop.db' }),
  task: task(agent, { for: 'It calculates.' }),
}

describe('a page', () => {
  it.each(Object.entries(pages))(
    'docs/tools/%s.md has the description that the model reads',
    (page, { description }) => {
      const path = join(import.meta.dirname, '../../../docs/tools', `${page}.md`)
      expect(existsSync(path)).toBe(true)
      expect(readFileSync(path, 'utf8').replace(/\s+/g, ' ')).toContain(`“${description}”`)
    },
  )
})

/** `markdownOf` writes an element as Markdown, with tables as GitHub has them. */
import type TurndownService from 'turndown'
import { optional } from '../load.ts'

let service: TurndownService | undefined

/** @throws DefinitionError without the package `turndown` */
export async function markdownOf(root: Element): Promise<string> {
  service ??= make((await optional('turndown', 'reading HTML', () => import('turndown'))).default)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return service.turndown(root as HTMLElement).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
}

function make(Turndown: typeof TurndownService): TurndownService {
  const made = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', emDelimiter: '*' })
  made.remove(['script', 'style', 'noscript', 'template', 'iframe'])
  made.addRule('image', {
    filter: 'img',
    replacement: (_, node) => {
      const [alt, src] = ['alt', 'src'].map((name) => (node as Element).getAttribute(name) ?? '')
      // Without words and without an address there is nothing to read.
      return alt && src ? `![${alt.replace(/[[\]\s]+/g, ' ')}](${src})` : (alt ?? '')
    },
  })
  made.addRule('cell', {
    filter: ['th', 'td'],
    replacement: (content, node) => {
      const text = content.trim()
      if (isLayout(node as Element)) return `\n\n${text}\n\n`
      return `| ${text.replace(/\s*\n\s*/g, ' ').replace(/(?<!\\)\|/g, '\\|')} `
    },
  })
  made.addRule('row', {
    filter: 'tr',
    replacement: (content, node) => {
      if (isLayout(node as Element)) return content
      const row = `${content.replace(/\n/g, '')}|\n`
      const cells = (node as Element).children.length
      return isFirst(node as Element) ? `${row}${'| --- '.repeat(cells)}|\n` : row
    },
  })
  made.addRule('section', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content })
  made.addRule('table', { filter: 'table', replacement: (content) => `\n\n${content}\n\n` })
  return made
}

/** The row that GitHub wants as a head. */
function isFirst(row: Element): boolean {
  return tableOf(row)?.querySelector('tr') === row
}

const layouts = new WeakMap<Element, boolean>()

/** A table that only puts things in their places: blocks in its cells, or a single column. */
function isLayout(element: Element): boolean {
  const table = tableOf(element)
  if (!table) return true
  const known = layouts.get(table)
  if (known !== undefined) return known
  const columns = table.querySelector('tr')?.children.length ?? 0
  const found = columns < 2 || table.querySelector('table, h1, h2, h3, ul, ol, pre, blockquote') !== null
  layouts.set(table, found)
  return found
}

function tableOf(element: Element): Element | null {
  return element.closest('table')
}

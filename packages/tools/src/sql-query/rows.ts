/** What a query gives, and how the model reads it. */

export type Rows = {
  columns: string[]
  /** Every cell as the database writes it; `null` for NULL. */
  rows: (string | null)[][]
  /** There are more rows than these. */
  more: boolean
}

/** What is read of a database's answer, at most. */
export type Caps = { maxRows: number; maxCellChars: number; timeoutMs: number }

/** One line a row, no more than `chars` characters, of the first `shown` rows; the note says what is left out. */
export function tableOf({ columns, rows, more }: Rows, chars: number): { table: string; note: string; shown: number } {
  const lines = [columns.map(cellOf).join(' | ')]
  let room = chars - lines[0]!.length
  for (const row of rows) {
    const line = row.map((cell) => (cell === null ? 'NULL' : cellOf(cell))).join(' | ')
    room -= line.length + 1
    if (room < 0) break
    lines.push(line)
  }
  const shown = lines.length - 1
  const table = lines.join('\n').slice(0, chars).toWellFormed()
  if (shown === rows.length && !more) return { table, shown, note: `(${count(shown, 'row')})` }
  const hint = 'Choose fewer columns, narrow it with WHERE, count or sum, or go on with LIMIT and OFFSET.'
  return { table, shown, note: `(The first ${count(shown, 'row')}; there are more. ${hint})` }
}

/** One line a table, of rows with the table, a column and its type. */
export function schemaOf({ rows, more }: Rows): string {
  const tables = new Map<string, string[]>()
  for (const [table, column, type] of rows) {
    const columns = tables.get(table ?? '') ?? []
    tables.set(table ?? '', [...columns, [column, type?.toLowerCase()].filter(Boolean).join(' ')])
  }
  const lines = [...tables].map(([table, columns]) => cellOf(`${table}(${columns.join(', ')})`))
  if (lines.length === 0) return 'There are no tables that can be read.'
  return [...lines, ...(more ? ['… and more columns and tables.'] : [])].join('\n')
}

/** In one line; "…" where it was cut. */
export function cutCell(text: string, maxCellChars: number): string {
  return text.length > maxCellChars ? `${text.slice(0, maxCellChars).toWellFormed()}…` : text
}

function cellOf(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\r?\n|\r/g, '\\n')
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}

/** `table()`: rows in columns as wide as what stands in them. */
import { cut, pad, widthOf } from './inert.ts'

/** `isNumber`: stands right. `max`: what is wider is cut. `paint`: colours, which take no column. */
export type Column<Row> = {
  title: string
  isNumber?: true
  max?: number
  cell(row: Row): string
  paint?(text: string, row: Row): string
}

/** Texts of cells are inert already. A column in which nothing stands is left out. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => cut(column.cell(row), column.max ?? 40)))
  const shown = columns.map((_, at) => at).filter((at) => cells.some((row) => row[at] !== '' && row[at] !== '-'))
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((row) => widthOf(row[at]!))))
  const line = (texts: readonly string[], row?: Row) =>
    shown
      .map((at) => {
        const { isNumber, paint } = columns[at]!
        const text = pad(texts[at]!, widths[at]!, isNumber ? 'right' : 'left')
        return row !== undefined && paint ? paint(text, row) : text
      })
      .join('  ')
      .trimEnd()
  const titles = line(columns.map(({ title }) => title))
  return `${[titles, ...rows.map((row, index) => line(cells[index]!, row))].join('\n')}\n`
}

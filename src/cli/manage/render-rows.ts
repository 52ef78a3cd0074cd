/** A column of a table: its title, and whether its cells are numbers, which stand to the right. */
export interface Column {
  readonly title: string
  readonly isNumber?: boolean
}

/** A longer cell is cut, so that a line stays one. */
const CELL_CHARS_MAX = 48
const GAP = '  '

/**
 * Renders a table for a person: a line of titles, and one for each row.
 *
 * @example
 * renderRows([{ title: 'NAME' }, { title: 'CALLS', isNumber: true }], [['alice', '12']])
 */
export function renderRows(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cut = rows.map((row) => row.map(cutCell))
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...cut.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => {
        const width = widths[at] ?? 0
        return columns[at]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(GAP)
      .trimEnd()
  return [columns.map(({ title }) => title), ...cut].map((cells) => `${line(cells)}\n`).join('')
}

function cutCell(cell: string): string {
  // A name is any text of whoever made the key: it must not move the cursor.
  const plain = cell.replace(/[\p{Cc}\p{Cf}]/gu, '?')
  return plain.length > CELL_CHARS_MAX ? `${plain.slice(0, CELL_CHARS_MAX - 1)}…` : plain
}

/**
 * Renders rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula has an apostrophe before it.
 *
 * @example
 * renderCsv([['key', 'cost'], ['alice', '1.20']])
 */
export function renderCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
}

function csvCell(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) && !/^-?\d+(?:\.\d+)?$/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

import { type Html, type HtmlValue, html, NOTHING } from './html.ts'

/** One row: a cell for each column, and details that unfold below it in the table's full width. */
export interface Row {
  readonly cells: readonly HtmlValue[]
  readonly below?: Html | undefined
}

/** A table: its caption (read out, not shown), its style, and its rows. */
export interface Table {
  readonly caption: string
  readonly style: 'fields' | 'errors'
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

/**
 * Renders a table whose rows turn into blocks on a narrow screen.
 *
 * The roles are written out because some browsers drop them from a table that is not laid out as one.
 */
export function renderTable({ caption, style, columns, rows }: Table): Html {
  return html`<table role="table" class="${style}">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => renderRow(row, columns.length))}</tbody>
</table>`
}

function renderRow({ cells, below }: Row, width: number): Html {
  const [head = '', ...rest] = cells
  const unfolded =
    below === undefined
      ? NOTHING
      : html`<tr role="row" class="below"><td role="cell" colspan="${width}">${below}</td></tr>
`
  return html`<tr role="row"><th role="rowheader" scope="row">${head}</th>${rest.map((cell) => html`<td role="cell">${cell}</td>`)}</tr>
${unfolded}`
}

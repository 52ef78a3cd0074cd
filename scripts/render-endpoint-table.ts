import { ENDPOINT_TABLE, type EndpointRow } from '../src/openai/endpoint-table.ts'

/**
 * What each endpoint is to limits and to the books, as a Markdown table for docs/keys-and-budgets.md.
 *
 * @example
 * const table = renderEndpointTable()
 */
export function renderEndpointTable(): string {
  const rows = new Map<string, EndpointRow[]>()
  for (const row of ENDPOINT_TABLE) {
    const told = toldOf(row).join(' | ')
    rows.set(told, [...(rows.get(told) ?? []), row])
  }
  const lines = [...rows].map(([told, alike]) => `${endpointsOf(alike)} | ${told}`)
  const rest = `all else | closed: this server does not know what it costs | ${WHAT_IS_TOLD}`
  const sockets = 'WebSockets of `responses` and `realtime` | open: each response is held, then settled | each response'
  return ['Below `/v1/` | With a budget | In the books', '---|---|---', sockets, ...lines, rest]
    .map((line) => `| ${line} |\n`)
    .join('')
}

const WHAT_IS_TOLD = 'each `POST`, with what its answer tells'

/** What a key with a budget may do, and when it is booked. */
function toldOf(row: EndpointRow): readonly [budget: string, booked: string] {
  switch (row.kind) {
    case 'call': {
      const model = row.defaultModel === undefined ? '' : `; without a \`model\` it is \`${row.defaultModel}\``
      return [`open: held, then settled${model}`, `at its end, as \`${row.usage}\``]
    }
    case 'batch':
      return ['open', 'once, when the batch is over']
    case 'batches':
      return ['open', 'once each batch that was made here, when it is over']
    case 'lines':
      return ['open', "once, of a batch's answers, where nothing else has told what it cost"]
    case 'response':
      return ['open', 'once, when it is over, if it was made in the background']
    case 'free':
      if (row.mayTell === true) return ['open, unless a model is asked in it', 'where its answer tells tokens']
      return ['open: costs nothing', 'never']
    case 'closed':
      return [`closed: ${row.why}`, row.isBookedLater === true ? 'when it is fetched' : WHAT_IS_TOLD]
  }
}

/** The paths of rows, by their methods. */
function endpointsOf(rows: readonly EndpointRow[]): string {
  const byMethod = Map.groupBy(rows, ({ method }) => method)
  const parts = [...byMethod].map(([method, some]) => {
    const paths = some.flatMap((row) => row.paths.map((path) => `\`${path.replace(/\/\*\*$/, '/…')}\``)).join(', ')
    return method === 'any' ? paths : `${method} ${paths}`
  })
  return parts.join('; ')
}

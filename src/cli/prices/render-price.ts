import { type DollarList, tierInDollars } from '../../config/sections/price-in-dollars.ts'
import type { KnownPrice, PriceTable } from '../../pricing/price.ts'

/** A model at an upstream, with its price. */
interface Priced {
  readonly upstream: string
  readonly model: string
  readonly known: KnownPrice
}

/** A column of the table: a tier, of short or of long contexts. */
type Column = readonly [title: string, prices: DollarList]

/** Rows whose unit is not a million tokens. */
const UNITS: Readonly<Record<string, string>> = {
  image: 'for one',
  characters: 'for a million',
  request: 'for one',
  web_search: 'for one',
  file_search: 'for one',
  code_session: 'for one',
}
const TOOLS = ['web_search', 'file_search', 'code_session'] as const

/**
 * A model's price as a table for a person: dollars for a million tokens.
 *
 * @example
 * process.stdout.write(renderPrice({ upstream: 'openai', model: 'gpt-4o', known }, table))
 */
export function renderPrice({ upstream, model, known }: Priced, { date, sources }: PriceTable): string {
  const head = `${model} at ${upstream}`
  if (known.by === 'free') return `${head}: free, as prices in the file says\n`
  const source = known.by === 'file' ? 'as prices in the file says' : `as of ${date} (${sources[0] ?? ''})`
  const columns = columnsOf(known)
  return `${head}, ${source}; dollars for a million tokens\n\n${renderTable(columns)}`
}

function columnsOf({ price }: KnownPrice): readonly Column[] {
  const tools = tierInDollars({ prices: price.tools ?? {} }).prices
  const tiers = [['default', price] as const, ...Object.entries(price.tiers ?? {})]
  return tiers.flatMap(([tier, of]) => {
    const { prices, longContext } = tierInDollars(of)
    const long = longContext
      .toReversed()
      .map(([above, list]): Column => [`${tier} > ${above / 1000}k`, { ...tools, ...toolsIn(prices), ...list }])
    const usual: Column = [tier, { ...prices, ...tools, ...toolsIn(prices) }]
    return [usual, ...long]
  })
}

/** What a tier says of tools holds for its long contexts, too. */
function toolsIn(prices: DollarList): DollarList {
  return Object.fromEntries(
    TOOLS.flatMap((name) => (prices[name] === undefined ? [] : [[name, prices[name]] as const])),
  )
}

function renderTable(columns: readonly Column[]): string {
  const flat = columns.map(([title, prices]): Column => [title, flatten(prices)])
  const names = [...new Set(flat.flatMap(([, prices]) => Object.keys(prices)))]
  const cells = names.map((name) => [labelOf(name), ...flat.map(([, prices]) => String(prices[name] ?? ''))])
  const rows = [['', ...flat.map(([title]) => title)], ...cells]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Images by quality and size are rows like the others. */
function flatten(prices: DollarList): DollarList {
  return Object.fromEntries(
    Object.entries(prices).flatMap(([name, value]) =>
      typeof value === 'number'
        ? [[name, value] as const]
        : Object.entries(value).map(([key, each]) => [`image ${key}`, each] as const),
    ),
  )
}

function labelOf(name: string): string {
  const unit = name.startsWith('image ') ? 'for one' : UNITS[name]
  return unit === undefined ? name : `${name}, ${unit}`
}

import { distance } from '../../formats/text/nearest.ts'
import type { PriceTable } from '../../pricing/price.ts'
import { PriceBook } from '../../pricing/price-book.ts'

/** So many names help a reader. */
const SHOWN_MAX = 5

/** Says that a model has no price where it is asked for, what that means, and what to do. */
export function explainNoPrice(
  model: string,
  targets: readonly { readonly upstream: string; readonly provider: string | undefined }[],
  table: PriceTable,
): string {
  const upstreams = targets.map(({ upstream }) => upstream).join(', ')
  const providers = new Set(targets.map(({ provider = 'openai' }) => provider))
  const names = nearNames(
    model,
    [...providers].flatMap((provider) => Object.keys(table.providers[provider] ?? {})),
  )
  const book = new PriceBook(table, [])
  const elsewhere = Object.keys(table.providers).filter((one) => book.priceOf(one, one, model) !== undefined)
  return [
    `${model} has no price at ${upstreams}. A key with a spend limit can't call it there (403 model_not_priced).`,
    ...(names.length > 0 ? [`  Names that are like it: ${names.join(', ')}`] : []),
    ...(elsewhere.length > 0
      ? [
          `  It has one at ${elsewhere.slice(0, SHOWN_MAX).join(', ')}: set the upstream's preset, if it is one of those.`,
        ]
      : []),
    '  Say in nexcode.yaml what it costs (dollars for a million tokens), or that it is free:',
    `    prices: { ${JSON.stringify(model)}: { input: 0.15, output: 0.6 } }`,
    `    prices: { ${JSON.stringify(model)}: { free: true } }`,
    '',
  ].join('\n')
}

/** The names that hold the word, or differ from it in a few letters; the nearest first. */
function nearNames(word: string, names: readonly string[]): readonly string[] {
  const plain = word.toLowerCase()
  return [...new Set(names)]
    .map((name) => ({ name, holds: name.toLowerCase().includes(plain), away: distance(plain, name.toLowerCase()) }))
    .filter(({ name, holds, away }) => holds || away <= Math.max(plain.length, name.length) / 3)
    .toSorted((one, other) => one.away - other.away)
    .slice(0, SHOWN_MAX)
    .map(({ name }) => name)
}

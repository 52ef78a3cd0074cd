import { priceEntry } from '../config/sections/price-in-dollars.ts'
import type { Settings } from '../config/settings.ts'
import type { KnownPrice, PriceTable } from '../pricing/price.ts'
import { loadPrices, PriceBook } from '../pricing/price-book.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { INVALID } from '../process/start-failure.ts'
import type { Flags } from './flags.ts'
import { explainNoPrice } from './prices/explain-no-price.ts'
import { renderPrice } from './prices/render-price.ts'
import { writeOut } from './write-out.ts'

const UNKNOWN = 1

/** An upstream's model, and what it costs there. */
interface PricedTarget {
  readonly upstream: string
  readonly provider: string | undefined
  readonly model: string
  readonly known: KnownPrice | undefined
}

/**
 * Shows what a model costs at each upstream that is configured. Gives the exit code: 0; 1 where it has no price at any of them; 2 for an
 * invalid command or configuration.
 *
 * @example
 * process.exit(await prices({ args: ['show', 'gpt-4o'], config: undefined, json: false }))
 */
export async function prices({
  args: [, model],
  config,
  json,
}: Pick<Flags, 'args' | 'config' | 'json'>): Promise<number> {
  if (model === undefined) {
    process.stderr.write('nexcode prices: name a model: nexcode prices show gpt-4o\n')
    return INVALID
  }
  const configuration = await readWholeConfiguration(process.env, config)
  if (configuration === undefined) return INVALID
  const { settings } = configuration.config
  const table = await loadPrices()
  const targets = pricedTargets(settings, model, new PriceBook(table, settings.prices))
  const priced = targets.filter(isPriced)
  if (json) await writeOut(process.stdout, `${JSON.stringify(asJson(table, model, targets), null, 2)}\n`)
  else if (priced.length > 0) await writeOut(process.stdout, priced.map((one) => renderPrice(one, table)).join('\n'))
  if (priced.length > 0) return 0
  process.stderr.write(explainNoPrice(model, targets, table))
  return UNKNOWN
}

/** The targets that answer for a name in `models`; for any other name, the model at each upstream. */
function pricedTargets(settings: Settings, name: string, book: PriceBook): readonly PricedTarget[] {
  const entry = settings.models.find((one) => one.name === name)
  const targets =
    entry?.targets.map(({ upstream, model }) => ({ upstream, model: model ?? name })) ??
    settings.upstreams.map((upstream) => ({ upstream: upstream.name, model: name }))
  return targets.map(({ upstream, model }) => {
    const provider = settings.upstreams.find((one) => one.name === upstream)?.provider
    return { upstream, provider, model, known: book.priceOf(provider, upstream, model) }
  })
}

function isPriced(target: PricedTarget): target is PricedTarget & { readonly known: KnownPrice } {
  return target.known !== undefined
}

/** `price` is what an entry of `prices` in the file would say; null: there is none. */
function asJson({ date, sources }: PriceTable, model: string, targets: readonly PricedTarget[]): object {
  return {
    model,
    table: { date, sources },
    targets: targets.map(({ upstream, provider = null, model: at, known }) => ({
      upstream,
      provider,
      model: at,
      by: known?.by ?? 'none',
      price: known === undefined ? null : known.by === 'free' ? { free: true } : priceEntry(known.price),
    })),
  }
}

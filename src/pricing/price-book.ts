import { BoundedMemo } from '../formats/bounded-memo.ts'
import { FilePriceFinder } from './file-prices.ts'
import type { FilePrice, KnownPrice, ModelPrice, PriceTable } from './price.ts'
import { findPrice, indexPrices, type PriceIndex } from './price-index.ts'

/** The names are callers' own: of a longer one nothing is kept. */
const KEPT = { entriesMax: 2048, keyCharsMax: 256 }

type Memo = BoundedMemo<{ readonly known: KnownPrice | undefined }>

/**
 * What the models of all upstreams cost: by `prices` in the configuration file, else by the table that NexCode comes with. A look-up that
 * was made before is one of a map.
 *
 * @example
 * const book = new PriceBook(await loadPrices(), settings.prices)
 * book.priceOf('openai', 'openai', 'gpt-4o-2024-08-06')?.price
 */
export class PriceBook {
  readonly #index: PriceIndex
  readonly #file: FilePriceFinder
  readonly #found = new Map<string, Memo>()

  constructor(table: PriceTable, filePrices: readonly FilePrice[]) {
    this.#index = indexPrices(table)
    this.#file = new FilePriceFinder(filePrices)
  }

  /**
   * The price of a model; undefined: nobody has told it, which is not the same as free. `provider`: whose price list holds for the upstream
   * (`UpstreamSettings.provider`); `model`: as the upstream calls it.
   */
  priceOf(provider: string | undefined, upstream: string, model: string): KnownPrice | undefined {
    const found = this.#memoOf(upstream)
    return (found.get(model) ?? found.set(model, { known: this.#find(provider, upstream, model) })).known
  }

  /**
   * The price of what has answered: the model that the answer names, else the one that was asked for. What the file says of either goes
   * before the table, so that a deployment with a name of one's own has its own price.
   */
  priceOfAnswer(
    provider: string | undefined,
    upstream: string,
    asked: string,
    served: string | undefined,
  ): KnownPrice | undefined {
    const ofAsked = this.priceOf(provider, upstream, asked)
    if (served === undefined || served === asked) return ofAsked
    const ofServed = this.priceOf(provider, upstream, served)
    if (ofServed === undefined || (ofServed.by === 'table' && ofAsked !== undefined && ofAsked.by !== 'table')) {
      return ofAsked
    }
    return ofServed
  }

  #memoOf(upstream: string): Memo {
    const kept = this.#found.get(upstream)
    if (kept !== undefined) return kept
    const memo: Memo = new BoundedMemo(KEPT)
    this.#found.set(upstream, memo)
    return memo
  }

  #find(provider: string | undefined, upstream: string, model: string): KnownPrice | undefined {
    const entry = this.#file.find(upstream, model)
    if (entry === undefined) return known(this.#inTable(provider, model), 'table')
    if (entry === 'free') return { price: FREE, by: 'free' }
    return known('sameAs' in entry ? this.#sameAs(provider, entry.sameAs) : entry, 'file')
  }

  /** An address that is nobody's we know is mostly a proxy: what has a name of its maker's costs as much as there. */
  #inTable(provider: string | undefined, model: string): ModelPrice | undefined {
    for (const one of provider === undefined ? MAKERS : [provider]) {
      const price = findPrice(this.#index, one, model)
      if (price !== undefined) return price
    }
    return provider === undefined && GROQS_OWN.test(model) ? findPrice(this.#index, 'groq', model) : undefined
  }

  /** A name that holds a known provider in front is looked for there, else among the models of the upstream's own. */
  #sameAs(provider: string | undefined, name: string): ModelPrice | undefined {
    const slash = name.indexOf('/')
    return (
      this.#inTable(provider, name) ??
      (slash === -1 ? undefined : this.#inTable(name.slice(0, slash), name.slice(slash + 1)))
    )
  }
}

/** Those who sell the models that they have made. Of models that anybody may run, none is looked for: they cost what their host takes. */
const MAKERS = [
  'openai',
  'anthropic',
  'gemini',
  'xai',
  'mistral',
  'perplexity',
  'cohere',
  'deepseek',
  'moonshot',
  'minimax',
  'zai',
]

/** Groq hosts models of others; names that end so are its own. */
const GROQS_OWN = /-(?:versatile|instant)$/

/** Each count costs nothing. */
const FREE: ModelPrice = Object.freeze({
  prices: {
    input: 0,
    output: 0,
    image: 0,
    second: 0,
    character: 0,
    request: 0,
    webSearch: 0,
    fileSearch: 0,
    codeSession: 0,
  },
})

function known(price: ModelPrice | undefined, by: KnownPrice['by']): KnownPrice | undefined {
  return price === undefined ? undefined : { price, by }
}

/**
 * Loads the prices that NexCode comes with. They take some milliseconds and a few megabytes, so only those load them who need them.
 *
 * @example
 * const book = new PriceBook(await loadPrices(), settings.prices)
 */
export async function loadPrices(): Promise<PriceTable> {
  const { default: table } = await import('./prices.json', { with: { type: 'json' } })
  return table
}

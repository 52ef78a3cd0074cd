import { compilePatterns, type Fits, isWildcard } from '../formats/text/wildcards.ts'
import type { FilePrice } from './price.ts'

/** Finds what the configuration file says of a model: an entry without `*` goes first, then the first of the others that fits. */
export class FilePriceFinder {
  readonly #exact = new Map<string, FilePrice['price']>()
  readonly #starred: { readonly fits: Fits; readonly price: FilePrice['price'] }[] = []

  constructor(entries: readonly FilePrice[]) {
    for (const { pattern, price } of entries) {
      const name = pattern.toLowerCase()
      if (isWildcard(name)) this.#starred.push({ fits: compilePatterns([name]), price })
      else this.#exact.set(name, price)
    }
  }

  /** The entry of `UPSTREAM/MODEL`, else that of the model; undefined: there is none. */
  find(upstream: string, model: string): FilePrice['price'] | undefined {
    const name = model.toLowerCase()
    const full = `${upstream.toLowerCase()}/${name}`
    const exact = this.#exact.get(full) ?? this.#exact.get(name)
    return exact ?? this.#starred.find(({ fits }) => fits(full) || fits(name))?.price
  }
}

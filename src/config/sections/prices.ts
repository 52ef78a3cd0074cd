import { type Static, type TInteger, Type } from '@sinclair/typebox'
import { suggest } from '../../formats/text/nearest.ts'
import { type FilePrice, PRICE_TIERS, type PriceList, type TierPrice } from '../../pricing/price.ts'
import { closed, type FieldValues, mapOf, optional, required, text } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { NUMBER_OF_PRICE, NUMBER_PRICES, PRICE_LIST_FIELDS, TOKEN_PRICE_FIELDS } from './price-list-fields.ts'

/** The tiers whose prices the file may name. */
const TIERS: readonly string[] = PRICE_TIERS.filter((tier) => tier !== 'default')
/** A price of a token below this many dollars for a million is most likely one for a single token. */
const LEAST_A_MILLION = 0.0005

const tokens = (): TInteger => Type.Integer({ minimum: 1, maximum: 1_000_000_000 })

const LongContextEntry = closed('long context', {
  above: required(tokens(), 'It holds for all of a call that reads more tokens than this.', {
    examples: [200_000],
  }),
  ...TOKEN_PRICE_FIELDS,
})

const LONG_CONTEXT = {
  long_context: optional(
    Type.Array(LongContextEntry, { minItems: 1 }),
    'Other prices for calls that read much; what is not said costs what it costs in others.',
    { examples: [[{ above: 200_000, input: 2.5, output: 15 }]] },
  ),
}

const TierEntry = closed('price tier', { ...TOKEN_PRICE_FIELDS, ...LONG_CONTEXT })

const PriceEntry = closed('price', {
  free: optional(Type.Literal(true), 'It costs nothing, such as a model on a machine of your own.', {
    examples: [true],
  }),
  same_as: optional(text(), "The model whose price it has: the upstream's own provider's, or PROVIDER/MODEL.", {
    examples: ['gpt-4o', 'openai/gpt-4o'],
  }),
  ...PRICE_LIST_FIELDS,
  ...LONG_CONTEXT,
  tiers: optional(
    mapOf(TierEntry),
    'Prices of calls that are served as batch, flex or priority; what is not said costs what it costs in others.',
    { examples: [{ batch: { input: 0.075, output: 0.3 } }] },
  ),
  output_tokens_max: optional(
    tokens(),
    'The most tokens that it writes: what is held of a budget for a call that sets no limit.',
    { 'x-default': '16384', examples: [8192] },
  ),
  context_tokens_max: optional(tokens(), 'The most tokens that it reads.', {
    examples: [128_000],
  }),
})

/** `prices` in the file. */
export const PRICES_FIELDS = {
  prices: optional(
    mapOf(PriceEntry),
    'What models cost, by MODEL or UPSTREAM/MODEL; * is for any characters. Goes before the prices that NexCode comes with.',
    { examples: [{ 'gpt-4o-mini': { input: 0.15, cached: 0.075, output: 0.6 }, 'ollama/*': { free: true } }] },
  ),
}

type PricePart = Static<typeof PriceEntry>
type ListPart = FieldValues<typeof PRICE_LIST_FIELDS>

/** The prices by the file, in its order. Reports all their faults. */
export function pricesFromFile(
  reader: SectionReader,
  { prices = {} }: FieldValues<typeof PRICES_FIELDS>,
): readonly FilePrice[] {
  return Object.entries(prices).map(([pattern, part]) => {
    const at = reader.at('prices', pattern)
    checkPattern(at, pattern)
    return { pattern, price: priceFromFile(at, part) }
  })
}

function priceFromFile(reader: SectionReader, part: PricePart): FilePrice['price'] {
  const { free, same_as: sameAs, ...own } = part
  const hasOwn = Object.keys(own).length > 0
  if ([free !== undefined, sameAs !== undefined, hasOwn].filter(Boolean).length > 1) {
    const cure = 'Keep one of them: free: true, same_as, or prices of its own.'
    reader.report({ wrong: 'says in more than one way what it costs', cure }, 'key')
  }
  if (free === true) return 'free'
  if (sameAs !== undefined) return { sameAs }
  const usual = tierFromFile(reader, own, {})
  if (Object.keys(usual.prices).length === 0) {
    const cure =
      'Write what it costs, such as input: 0.15 and output: 0.6 (dollars for a million tokens), or free: true.'
    reader.report({ wrong: 'names no price', cure }, 'key')
  }
  const tiers = Object.fromEntries(
    Object.entries(own.tiers ?? {}).map(([tier, inTier]) => {
      const at = reader.at('tiers', tier)
      checkTier(at, tier)
      return [tier, tierFromFile(at, inTier, usual.prices)]
    }),
  )
  return {
    ...usual,
    ...(own.tiers !== undefined && { tiers }),
    ...(own.output_tokens_max !== undefined && { outputTokensMax: own.output_tokens_max }),
    ...(own.context_tokens_max !== undefined && { contextTokensMax: own.context_tokens_max }),
  }
}

type TierPart = Static<typeof TierEntry>

/** The prices of a tier; what is not said is that of `others`, and in a long context that of a short one. */
function tierFromFile(reader: SectionReader, part: TierPart, others: PriceList): TierPrice {
  const prices = { ...others, ...listFromFile(reader, part) }
  const long = (part.long_context ?? []).map((one, index) => ({
    aboveTokens: one.above,
    prices: { ...prices, ...listFromFile(reader.at('long_context', index), one) },
  }))
  const longContext = long.toSorted((one, other) => other.aboveTokens - one.aboveTokens)
  return { prices, ...(longContext.length > 0 && { longContext }) }
}

function listFromFile(reader: SectionReader, part: ListPart): PriceList {
  const list: { -readonly [K in keyof PriceList]: PriceList[K] } = {}
  for (const field of NUMBER_PRICES) {
    const [name, nano] = NUMBER_OF_PRICE[field]
    const dollars = part[field]
    if (dollars === undefined) continue
    if (field in TOKEN_PRICE_FIELDS && dollars > 0 && dollars < LEAST_A_MILLION) {
      const cure = 'Prices of tokens are dollars for a million of them: multiply by 1,000,000 if this is for one.'
      reader.at(field).warn({ wrong: 'is less than anybody asks for', cure })
    }
    list[name] = toNano(dollars, nano)
  }
  if (part.images !== undefined) {
    list.imageBy = Object.fromEntries(Object.entries(part.images).map(([key, dollars]) => [key, toNano(dollars, 1e9)]))
  }
  return list
}

/** To a thousandth of a nano-dollar, so that costs can be added up in whole numbers. */
function toNano(dollars: number, nano: number): number {
  return Math.round(dollars * nano * 1000) / 1000
}

function checkPattern(reader: SectionReader, pattern: string): void {
  if (pattern !== '' && !/\p{Cc}/u.test(pattern)) return
  const cure = 'Write a model, such as "gpt-4o" or "gpt-*", or an upstream and its model, such as "ollama/*".'
  reader.report({ wrong: 'has a name that no model has', cure }, 'key')
}

function checkTier(reader: SectionReader, tier: string): void {
  if (!TIERS.includes(tier)) reader.report({ wrong: 'is no tier', cure: suggest(tier, TIERS, '') }, 'key')
}

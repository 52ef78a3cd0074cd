import { memoize } from '../formats/bounded-memo.ts'
import type { TextShares } from './text-shares.ts'

/** How a family of models counts what it reads. */
export interface TokenSizes {
  /** The bytes in a token: of words and code in ASCII, of all other characters, of digits and keys. At least about. */
  readonly plainBytes: number
  readonly otherBytes: number
  readonly denseBytes: number
  /** The most tokens of an image. */
  readonly image: number
  /** The tokens of a second of sound. */
  readonly audioSecond: number
}

/** OpenAI's tokens since gpt-4o (`o200k_base`), and those of before (`cl100k_base`). */
const O200K = { plainBytes: 2.9, otherBytes: 2.4, denseBytes: 1.4, audioSecond: 10 }
const CL100K = { plainBytes: 2.9, otherBytes: 1.8, denseBytes: 1.4, audioSecond: 10 }
const USUAL: TokenSizes = { plainBytes: 2.7, otherBytes: 1.5, denseBytes: 1.2, image: 2500, audioSecond: 32 }

/**
 * By the beginning of a model's name. Texts: the least bytes a token that were measured (`o200k_base`, `cl100k_base` and Claude's published
 * tokens) over English, code, JSON, ten languages, and over digits, UUIDs and base64; for newer Claudes a third more tokens. Images: the
 * providers' own pages, for the largest that they do not scale down.
 */
const FAMILIES: readonly (readonly [name: RegExp, sizes: TokenSizes])[] = [
  // An image costs the small model as much as the large one, so that it counts 33 times as many tokens.
  [/^gpt-4o-mini/, { ...O200K, image: 37_000 }],
  [/^(?:gpt-4\.1-(?:mini|nano)|gpt-5-(?:mini|nano)|o4-mini)/, { ...O200K, image: 3800 }],
  [/^(?:gpt-3|gpt-4(?![o.])|text-embedding-)/, { ...CL100K, image: 1600 }],
  [/^(?:gpt-5\.[4-9]|gpt-[6-9])/, { ...O200K, image: 12_000 }],
  [/^(?:gpt-|chatgpt-|o\d|computer-use|codex)/, { ...O200K, image: 1600 }],
  [/^claude/, { plainBytes: 2.5, otherBytes: 1.5, denseBytes: 1.1, image: 4800, audioSecond: 32 }],
  [/^gemini/, { plainBytes: 3, otherBytes: 2, denseBytes: 1, image: 3000, audioSecond: 32 }],
]

/**
 * How a model counts what it reads, by its name.
 *
 * @example
 * tokensOfText(bytes, shares, tokenSizesOf('gpt-4o'))
 */
export const tokenSizesOf: (model: string) => TokenSizes = memoize(findSizes, { entriesMax: 512, keyCharsMax: 128 })

function findSizes(model: string): TokenSizes {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const bare = name.startsWith('ft:') ? name.slice('ft:'.length) : name
  return FAMILIES.find(([pattern]) => pattern.test(bare))?.[1] ?? USUAL
}

/** Words have fewer digits, capitals and operators than this share; keys and numbers have more than the second. */
const DENSE_FROM = 0.1
const DENSE_ALL = 0.5
/** A character that is escaped (`\u4f60`) has twice the bytes that it has in UTF-8. */
const ESCAPED_TIMES = 2

/** The most tokens that a text of so many bytes is, about. */
export function tokensOfText(bytes: number, shares: TextShares, sizes: TokenSizes): number {
  const { other, escaped, dense } = shares
  const density = Math.min(1, Math.max(0, dense - DENSE_FROM) / (DENSE_ALL - DENSE_FROM))
  const plainBytes = sizes.plainBytes - density * (sizes.plainBytes - sizes.denseBytes)
  const each =
    (1 - other - escaped) / plainBytes + other / sizes.otherBytes + escaped / (sizes.otherBytes * ESCAPED_TIMES)
  return Math.ceil(bytes * each)
}

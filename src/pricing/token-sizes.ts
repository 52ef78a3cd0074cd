/** How a family of models counts what it reads. */
export interface TokenSizes {
  /** The bytes of text in a token, at least about. */
  readonly textBytes: number
  /** The most tokens of an image. */
  readonly image: number
  /** The tokens of a second of sound. */
  readonly audioSecond: number
}

const USUAL: TokenSizes = { textBytes: 2.5, image: 2500, audioSecond: 32 }

/**
 * By the beginning of a model's name. Texts: measured over English, code, JSON, Chinese, Japanese, Russian and Arabic, the least of them;
 * images: the providers' own pages, for the largest that they do not scale down.
 */
const FAMILIES: readonly (readonly [name: RegExp, sizes: TokenSizes])[] = [
  // An image costs the small one as much as the large one, so it counts 33 times as many tokens.
  [/^gpt-4o-mini/, { textBytes: 3, image: 37_000, audioSecond: 10 }],
  [/^(?:gpt-4\.1-(?:mini|nano)|gpt-5-(?:mini|nano)|o4-mini)/, { textBytes: 3, image: 3_800, audioSecond: 10 }],
  [/^gpt-(?:3|4(?!\.|o|\d))/, { textBytes: 2.5, image: 1_500, audioSecond: 10 }],
  [/^(?:gpt-5\.[4-9]|gpt-[6-9])/, { textBytes: 3, image: 12_000, audioSecond: 10 }],
  [/^(?:gpt-|chatgpt-|o\d|text-embedding-|computer-use|codex)/, { textBytes: 3, image: 1_600, audioSecond: 10 }],
  [/^claude/, { textBytes: 2.2, image: 4_800, audioSecond: 32 }],
  [/^gemini/, { textBytes: 3, image: 3_000, audioSecond: 32 }],
]

/**
 * How a model counts what it reads, by its name.
 *
 * @example
 * Math.ceil(bytes / tokenSizesOf('gpt-4o').textBytes)
 */
export function tokenSizesOf(model: string): TokenSizes {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const bare = name.startsWith('ft:') ? name.slice('ft:'.length) : name
  return FAMILIES.find(([pattern]) => pattern.test(bare))?.[1] ?? USUAL
}

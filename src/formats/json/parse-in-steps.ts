import { TooManyValues } from './json-builder.ts'
import { JsonParser } from './json-parser.ts'

/** The result of parsing a JSON text; `too_dense`: it has more values than this server makes. */
export type ParsedInSteps =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'no_json' | 'too_dense' }

/** A text of at most this many bytes is parsed at once. */
const AT_ONCE_BYTES_MAX = 32 * 1024
/** The values of a longer one may take this much memory, in bytes … */
const WEIGHT_FREE = 2 * 1024 * 1024
/** … and this many times its length on top of that. */
const WEIGHT_FACTOR = 5

const UTF_8 = new TextDecoder()

/**
 * Parses a JSON text with rests; `valuesMax`: the most values that it may have, if that differs
 * from the parser's own limit.
 *
 * @example
 * const parsed = yield* parseInSteps(bytes)
 */
export function* parseInSteps(bytes: Uint8Array, valuesMax?: number): Generator<void, ParsedInSteps, void> {
  try {
    if (bytes.byteLength <= AT_ONCE_BYTES_MAX) return { kind: 'value', value: JSON.parse(UTF_8.decode(bytes)) }
    const parser = new JsonParser(bytes, WEIGHT_FREE + WEIGHT_FACTOR * bytes.byteLength, { valuesMax })
    while (!parser.goOn(always)) yield
    return { kind: 'value', value: parser.value }
  } catch (thrown) {
    return { kind: thrown instanceof TooManyValues ? 'too_dense' : 'no_json' }
  }
}

function always(): true {
  return true
}

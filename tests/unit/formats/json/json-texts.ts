import fc from 'fast-check'

/** Names that rules like, and some that objects have of their own. */
export const NAMES = ['a', 'b', 'max_tokens', 'a.b', '__proto__', 'constructor', 'ü', '', 'a"b', '\\', '😀'] as const

const SPACE = fc.constantFrom('', '', ' ', '\n\t', '\r\n  ')

/** A string of JSON with some of its characters escaped in an odd way. */
function spelt(text: string): fc.Arbitrary<string> {
  return fc.infiniteStream(fc.boolean()).map((choices) => {
    const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
    const parts = units.map((unit) => {
      const isOdd = choices.next().value === true
      const plain = JSON.stringify(String.fromCharCode(unit)).slice(1, -1)
      const isHalf = unit >= 0xd800 && unit <= 0xdfff
      return isOdd || isHalf ? `\\u${unit.toString(16).padStart(4, '0')}` : plain
    })
    return `"${parts.join('')}"`
  })
}

const SCALAR = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1.50',
    '1e400',
    '9007199254740993',
    '1E+2',
    '-12.5e-3',
    '5',
    '70',
  ),
  fc.oneof(fc.string(), fc.constantFrom('}', '{"a":1}', '\\"', 'x'.repeat(60), `${'y'.repeat(40)}"\\`)).chain(spelt),
)

/** Any JSON text, with odd whitespace, escapes, spellings of numbers, and names that occur twice. */
export const { text: JSON_TEXT, object: OBJECT_TEXT } = fc.letrec<{ text: string; object: string; array: string }>(
  (tie) => ({
    text: fc.oneof({ depthSize: 'small', withCrossShrink: true }, SCALAR, tie('object'), tie('array')),
    array: fc
      .tuple(SPACE, fc.array(fc.tuple(SPACE, tie('text'), SPACE), { maxLength: 4 }))
      .map(([empty, items]) => `[${items.map((parts) => parts.join('')).join(',') || empty}]`),
    object: fc
      .tuple(SPACE, fc.array(memberText(tie('text')), { maxLength: 5 }))
      .map(([empty, members]) => `{${members.join(',') || empty}}`),
  }),
)

/** A member of an object: any whitespace, a name in any spelling (`known` times as often one of `names`), and a value. */
export function memberText(
  value: fc.Arbitrary<string>,
  names: readonly string[] = NAMES,
  known = 1,
): fc.Arbitrary<string> {
  const key = fc
    .oneof({ weight: known, arbitrary: fc.constantFrom(...names) }, fc.string({ maxLength: 3 }))
    .chain(spelt)
  return fc.tuple(SPACE, key, SPACE, fc.constant(':'), SPACE, value, SPACE).map((parts) => parts.join(''))
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** The text of bytes. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

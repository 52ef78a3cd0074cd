const UTF_8 = new TextEncoder()

/** A shorter secret is not looked for in base64, hexadecimal or UTF-16: other texts would match it too easily. */
const CODED_BYTES_MIN = 8
/** The longest form of one byte: `&#x00002d;`. */
const FORM_BYTES_MAX = 10

/**
 * Gives the sources of patterns for a secret in a byte string or search text (`formats/bytes/byte-string.ts`), one for each form in
 * which it may be repeated: as it is, or with any of its characters escaped as in JSON (`\u006b`, `\/`, also in a text within a
 * text), URLs (`%6B`, `%256B`) or HTML (`&#45;`); in base64 of either alphabet, at any place of the encoded text; in hexadecimal;
 * in UTF-16 and UTF-32.
 *
 * In base64, the characters at both ends that also encode neighbouring bytes are left: they tell a few bits.
 *
 * @example
 * const pattern = new RegExp(secretForms(key).join('|'), 'g')
 */
export function secretForms(secret: string): readonly string[] {
  return secretFormUnits(secret).map((units) => units.join(''))
}

/**
 * Gives the same forms, each as the patterns of its characters: a reader of pieces has to know what may be the beginning of one.
 *
 * @example
 * const [escaped] = secretFormUnits(key)
 */
export function secretFormUnits(secret: string): readonly (readonly string[])[] {
  const characters = Array.from(secret)
  // The optional end of the last escape is left out: where a text comes in pieces, it can't be waited for.
  const endOf = (at: number): string => (at < characters.length - 1 ? ';?' : '')
  const escaped = characters.map((one, at) => `(?:${escapesOf(one, endOf(at)).join('|')})`)
  const bytes = UTF_8.encode(secret)
  if (bytes.byteLength < CODED_BYTES_MIN) return [escaped]
  const wide = Array.from(bytes, (byte, at) => (at === 0 ? '' : String.raw`\x00{1,3}`) + byteForm(byte))
  const hex = Array.from(bytes.toHex(), (digit) => hexForm(Number.parseInt(digit, 16), 1))
  return [escaped, ...[0, 1, 2].map((shift) => base64Units(bytes, shift)), hex, wide]
}

/** A shorter secret is not looked for in halves. */
const HALVED_CHARS_MIN = 24

/**
 * Gives some secrets and the halves of the long ones, the longest first: a text may repeat a secret cut off, and most of one is as good as
 * all of it.
 *
 * @example
 * withHalves(['sk-0123456789-0123456789']) // the key, then 'sk-012345678' and '9-0123456789'
 */
export function withHalves(secrets: readonly string[]): readonly string[] {
  const halves = secrets.flatMap((secret) => {
    const middle = Math.floor(secret.length / 2)
    return secret.length < HALVED_CHARS_MIN ? [] : [secret.slice(0, middle), secret.slice(middle)]
  })
  // One secret may begin with another.
  return [...new Set([...secrets, ...halves])].toSorted((one, other) => other.length - one.length)
}

/**
 * The most bytes that a secret takes in any of its forms.
 *
 * @example
 * const heldBytes = longestForm(key) - 1
 */
export function longestForm(secret: string): number {
  return UTF_8.encode(secret).byteLength * FORM_BYTES_MAX
}

const HTML_NAMES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
])

function escapesOf(character: string, end: string): string[] {
  const bytes = [...UTF_8.encode(character)]
  const code = character.codePointAt(0) ?? 0
  const forms = [bytes.map(byteForm).join(''), bytes.map((byte) => `%(?:25){0,2}${hexForm(byte, 2)}`).join('')]
  forms.push(`&#(?:0{0,4}${code}|[xX]0{0,4}${hexForm(code, 1)})${end}`)
  if (code <= 0xffff) forms.push(String.raw`\\{1,4}u${hexForm(code, 4)}`)
  if ('"\\/'.includes(character)) forms.push(String.raw`\\{1,4}` + byteForm(code))
  const named = HTML_NAMES.get(character)
  if (named !== undefined) forms.push(named)
  return forms
}

/** The base64 characters that depend on these bytes alone, if as many bytes as `shift` stand before them. */
function base64Units(bytes: Uint8Array, shift: number): string[] {
  const shifted = new Uint8Array(shift + bytes.byteLength)
  shifted.set(bytes, shift)
  const begin = shift === 0 ? 0 : shift + 1
  const core = shifted.toBase64().slice(begin, Math.floor((shifted.byteLength * 8) / 6))
  return Array.from(core, (character) => {
    if (character === '+') return String.raw`(?:[+\-]|%(?:25){0,2}2[bB])`
    return character === '/' ? String.raw`(?:\\{0,4}[/_]|%(?:25){0,2}2[fF])` : character
  })
}

/** The pattern of one byte, in a byte string as well as in a search text. */
function byteForm(byte: number): string {
  const hex = byte.toString(16).padStart(2, '0')
  return byte < 0x80 ? String.raw`\x${hex}` : String.raw`[\x${hex}\uf7${hex}]`
}

/** The pattern of a hexadecimal number, with digits in either case. */
function hexForm(number: number, digits: number): string {
  const hex = number.toString(16).padStart(digits, '0')
  return hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
}

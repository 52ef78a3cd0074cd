import { isSecretText } from '../formats/secrets-in-headers.ts'

/** Puts stars over secrets. */
export interface Scrub {
  /** Eight stars for each secret, whatever its length: what two callers with different keys send is alike. */
  readonly text: (text: string) => string
  /** The same, in bytes. */
  readonly bytes: (bytes: Uint8Array) => Uint8Array
  /** As many stars as the secret has bytes, so that what has been cut into chunks can be cut there again. */
  readonly sameLength: (bytes: Uint8Array) => Uint8Array
}

const STARS = '*'.repeat(8)
const UTF_8 = new TextEncoder()
const DECODER = new TextDecoder()
/** How many arguments a call takes at once. */
const PIECE = 8192

/** Where a word begins: also behind an escape such as `\n` in a JSON text. */
const WORD_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))`
/** What known services' keys look like, and tokens of the web (RFC 7519), whoever they belong to. */
const KEY_SHAPES = [
  '(?:sk|rk|sess|xai|pplx)-[A-Za-z0-9_-]{20,}',
  '(?:gsk|hf|ghp|gho|r8|sk|rk)_[A-Za-z0-9_]{20,}',
  'AIza[A-Za-z0-9_-]{35}',
  'AKIA[A-Z0-9]{16}',
  String.raw`eyJ[A-Za-z0-9_-]{8,1024}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,}`,
].map((shape) => WORD_START + shape)

/**
 * Makes what puts stars over the given secrets, and over whatever has the form of a key, wherever they stand: as they are,
 * or with some of their characters escaped as JSON (`\u006b`, `\/`) or URLs (`%6B`) do it.
 *
 * @example
 * createScrub(['the-key-of-the-server']).text('key: the%2Dkey-of-the-server') // 'key: ********'
 */
export function createScrub(secrets: readonly string[]): Scrub {
  // The longest first: one may begin with another.
  const known = [...new Set(secrets)].filter(isSecretText).toSorted((one, other) => other.length - one.length)
  const pattern = new RegExp([...known.map(patternOf), ...KEY_SHAPES].join('|'), 'g')
  const mask = (bytes: Uint8Array, starsFor: (found: string) => string): Uint8Array => {
    const written = toByteString(bytes)
    const masked = written.replace(pattern, starsFor)
    return masked === written ? bytes : Uint8Array.from(masked, (character) => character.charCodeAt(0))
  }
  const scrubBytes = (bytes: Uint8Array): Uint8Array => mask(bytes, () => STARS)
  return {
    text: (text) => {
      const bytes = UTF_8.encode(text)
      const masked = scrubBytes(bytes)
      return masked === bytes ? text : DECODER.decode(masked)
    },
    bytes: scrubBytes,
    sameLength: (bytes) => mask(bytes, (found) => '*'.repeat(found.length)),
  }
}

/** A text in which each byte is the character of that number: what a pattern can search, whatever the bytes are. */
function toByteString(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return text
}

/** The pattern of a secret, in any mixture of its characters' forms. */
function patternOf(secret: string): string {
  return Array.from(secret, (character) => `(?:${formsOf(character).join('|')})`).join('')
}

function formsOf(character: string): string[] {
  const bytes = [...UTF_8.encode(character)]
  const forms = [bytes.map(escapeByte).join(''), bytes.map((byte) => `%${hexPattern(byte, 2)}`).join('')]
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xffff) forms.push(String.raw`\\u${hexPattern(code, 4)}`)
  if ('"\\/'.includes(character)) forms.push(String.raw`\\` + escapeByte(code))
  return forms
}

function escapeByte(byte: number): string {
  return String.raw`\x${byte.toString(16).padStart(2, '0')}`
}

/** Hexadecimal digits in either case. */
function hexPattern(number: number, digits: number): string {
  const hex = number.toString(16).padStart(digits, '0')
  return hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
}

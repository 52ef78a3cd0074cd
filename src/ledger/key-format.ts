import type { Secret } from '../config/secret.ts'

/** The beginnings of our keys: a caller's, and one that can only manage. A scanner of secrets can know them by these. */
export const KEY_PREFIX = 'sk-nex-'
/** The beginning of an admin key. */
export const ADMIN_KEY_PREFIX = 'sk-nex-admin-'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE = BigInt(DIGITS.length)
/** 256 bits in base 62. */
const SECRET_CHARS = 43
const FORM = /^sk-nex-(admin-)?([0-9A-Za-z]{44})$/
const SHOWN_CHARS = 4

/** What a text is that may be a key of ours. */
export type KeyForm = 'key' | 'admin_key' | 'mistyped' | 'foreign'

/**
 * Makes a key: its prefix, 256 random bits in base 62, and a check digit (Luhn's algorithm for 62 digits), so that a mistyped one is known
 * without a look-up. `random`: fills an array with random bytes (Web Crypto).
 *
 * @example
 * const key = makeKey(KEY_PREFIX, (bytes) => crypto.getRandomValues(bytes))
 */
export function makeKey(prefix: string, random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  let number = random(new Uint8Array(32)).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let text = ''
  for (let index = 0; index < SECRET_CHARS; index += 1) {
    text = (DIGITS[Number(number % BASE)] ?? '') + text
    number /= BASE
  }
  return `${prefix}${text}${checkDigit(text)}`
}

/**
 * Tells whether a text has the form of one of our keys; `mistyped`: but for its check digit; `foreign`: it is somebody else's.
 *
 * @example
 * if (keyFormOf(credential) === 'mistyped') throw new ApiError('incorrect_api_key')
 */
export function keyFormOf(text: string): KeyForm {
  const parts = FORM.exec(text)
  if (parts === null) return text.startsWith(KEY_PREFIX) ? 'mistyped' : 'foreign'
  const [, admin, secret = ''] = parts
  if (checkDigit(secret.slice(0, SECRET_CHARS)) !== secret[SECRET_CHARS]) return 'mistyped'
  return admin === undefined ? 'key' : 'admin_key'
}

/**
 * What may be shown of a key: its prefix and its last four characters.
 *
 * @example
 * redactKey(new Secret('sk-nex-…')) // 'sk-nex-...1c96'
 */
export function redactKey(key: Secret): string {
  const text = key.reveal()
  const prefix = text.startsWith(ADMIN_KEY_PREFIX) ? ADMIN_KEY_PREFIX : KEY_PREFIX
  return `${text.startsWith(prefix) ? prefix : ''}...${text.slice(-SHOWN_CHARS)}`
}

/** The digit that makes the sum of all a multiple of 62, every second one doubled from the right. */
function checkDigit(text: string): string {
  let sum = 0
  let factor = 2
  for (let index = text.length - 1; index >= 0; index -= 1) {
    const product = factor * DIGITS.indexOf(text.charAt(index))
    sum += Math.floor(product / DIGITS.length) + (product % DIGITS.length)
    factor = 3 - factor
  }
  return DIGITS[(DIGITS.length - (sum % DIGITS.length)) % DIGITS.length] ?? ''
}

import { Secret } from '../config/secret.ts'
import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import { toSearchText } from '../formats/bytes/byte-string.ts'
import { longestForm, secretForms, secretFormUnits, withHalves } from '../formats/secrets/secret-forms.ts'
import { isSecretName } from '../formats/secrets/secret-names.ts'
import { isSecretText, secretsOf } from '../formats/secrets/secrets-in-headers.ts'

type Bytes = Uint8Array<ArrayBuffer>

/**
 * Hides the secrets that are sent with a call, in any form in which an upstream may repeat them. Each hidden byte becomes one star,
 * so that a length stays true.
 */
export interface Mask {
  readonly text: (text: string) => string
  /** Changes the headers with a secret in their value, and removes those with a secret in their name. */
  readonly headers: (headers: Headers) => void
  /** Masks whole bytes; gives the same array if there is nothing to hide. */
  readonly bytes: (bytes: Bytes) => Bytes
  /** Masks the part of a body that has come. The bytes from `openAt` on may be the beginning of a secret. */
  readonly piece: (bytes: Bytes) => { readonly shown: Bytes; readonly openAt: number }
  /** Gives the place of the first secret (-1: there is none), and the place from which the bytes may be the beginning of one. */
  readonly places: (bytes: Uint8Array) => { readonly secretAt: number; readonly openAt: number }
}

const UTF_8 = new TextEncoder()
const STAR = 0x2a

/**
 * Makes the mask over some secrets; undefined: there is none to hide.
 *
 * @example
 * const mask = createMask([deployment.key])
 * mask?.headers(answer.headers)
 */
export function createMask(secrets: readonly Secret[]): Mask | undefined {
  const revealed = secrets.map((secret) => secret.reveal()).filter((text) => text !== '')
  if (revealed.length === 0) return undefined
  const texts = withHalves(revealed)
  const all = new RegExp(texts.flatMap(secretForms).join('|'), 'g')
  // A text that holds a secret also holds its halves. Without the flag "g", each test starts at the beginning.
  const least = texts.filter((text) => !texts.some((other) => other !== text && text.includes(other)))
  const any = new RegExp(least.flatMap(secretForms).join('|'))
  const inName = namePattern(revealed)
  const openFrom = createOpenFrom(texts)
  const cover = (bytes: Bytes, text: string, before: number): Bytes => {
    if (!any.test(text)) return bytes
    // Not a `slice`: that of a `Buffer` shares its memory, which belongs to somebody else.
    const covered = new Uint8Array(bytes)
    for (const { index, 0: found } of text.matchAll(all)) {
      if (index < before) covered.fill(STAR, index, index + found.length)
    }
    return covered
  }
  const maskText = (text: string): string => (any.test(text) ? text.replace(all, starsFor) : text)
  return {
    text: maskText,
    headers(headers) {
      for (const [name, value] of headers) {
        if (any.test(value) || inName?.test(name) === true) return maskHeaders(headers, maskText, inName)
      }
    },
    bytes: (bytes) => cover(bytes, toSearchText(bytes), bytes.byteLength),
    piece(bytes) {
      const text = toSearchText(bytes)
      const openAt = openFrom(bytes, text)
      // Bytes that may become a whole secret are not yet masked as a half of it.
      return { shown: cover(bytes, text, openAt), openAt }
    },
    places(bytes) {
      const text = toSearchText(bytes)
      const openAt = openFrom(bytes, text)
      const found = text.search(any)
      return { secretAt: found < openAt ? found : -1, openAt }
    },
  }
}

/**
 * Makes the function that gives the mask for an upstream and a key: it hides the key, and those of the upstream's own headers and
 * parameters that are named like a secret. Each mask is made once; undefined: there is nothing to hide.
 *
 * @example
 * const mask = createAccountMasks()(deployment.upstream, deployment.key)
 */
export function createAccountMasks(): (upstream: UpstreamSettings, key: Secret | undefined) => Mask | undefined {
  const made = new Map<UpstreamSettings, Map<Secret | undefined, Mask | undefined>>()
  return (upstream, key) => {
    let masks = made.get(upstream)
    if (masks === undefined) {
      masks = new Map()
      made.set(upstream, masks)
    }
    if (!masks.has(key)) masks.set(key, createMask([...(key === undefined ? [] : [key]), ...ownSecrets(upstream)]))
    return masks.get(key)
  }
}

function ownSecrets({ headers, query }: UpstreamSettings): readonly Secret[] {
  const inHeaders = secretsOf(new Headers(headers.map(([name, value]): [string, string] => [name, value.reveal()])))
  const inQuery = query.filter(([name, value]) => isSecretName(name) && isSecretText(value.reveal()))
  return [...inHeaders.map((text) => new Secret(text)), ...inQuery.map(([, value]) => value)]
}

/** A shorter secret, or one of medium length without digits, may be a word in a header's name: `ollama`, `request`. */
const UNLIKELY_IN_NAMES = /^(?=.*\d).{16,}$|^.{32,}$/s

/** Gives the pattern for the secrets that are looked for in names, in any case; undefined: there are none. */
function namePattern(secrets: readonly string[]): RegExp | undefined {
  const unlikely = secrets.filter((text) => UNLIKELY_IN_NAMES.test(text))
  return unlikely.length === 0 ? undefined : new RegExp(withHalves(unlikely).flatMap(secretForms).join('|'), 'i')
}

function maskHeaders(headers: Headers, maskText: Mask['text'], inName: RegExp | undefined): void {
  const pairs = [...headers]
  for (const [name] of pairs) headers.delete(name)
  // They are appended one by one: there may be several cookies.
  for (const [name, value] of pairs) if (inName?.test(name) !== true) headers.append(name, maskText(value))
}

function starsFor(found: string): string {
  return '*'.repeat(found.length)
}

/** The beginning of an escaped character, or of one of several bytes: it may be a little longer than any real one. */
const UNFINISHED_UNITS = [
  '%[0-9A-Fa-f]{0,5}',
  '&[#0-9A-Za-z]{0,9}',
  String.raw`\\{1,8}(?:u[0-9A-Fa-f]{0,3})?`,
  String.raw`\x00{1,3}`,
]
const UNFINISHED = new RegExp(`(?:${UNFINISHED_UNITS.join('|')})$`, 'y')
const BEGINS_ESCAPE = String.raw`[%&\\]`
/** The characters of any form that are not the secret's own. */
const FORM_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_%&#;\\\0'

/** Makes the function that gives the place from which a text may be the beginning of a secret; the text's length: nowhere. */
function createOpenFrom(secrets: readonly string[]): (bytes: Uint8Array, text: string) => number {
  const forms = secrets.flatMap(secretFormUnits)
  const bytesMax = Math.max(...secrets.map(longestForm)) - 1
  const ownBytes = secrets.map((secret) => UTF_8.encode(secret))
  const first = new RegExp([...new Set(forms.map(beginningOf)), BEGINS_ESCAPE].join('|'), 'g')
  const isInForms = new Uint8Array(256)
  for (const bytes of [UTF_8.encode(FORM_CHARACTERS), ...ownBytes]) for (const byte of bytes) isInForms[byte] = 1
  let units: readonly (readonly RegExp[])[] | undefined
  return (bytes, text) => {
    // Most pieces end with a byte that is in no secret, such as the end of a line.
    const end = bytes.byteLength
    let from = end
    while (from > end - bytesMax && isInForms[bytes[from - 1] ?? 0] === 1) from -= 1
    if (from === end) return end
    units ??= stickyUnits(forms)
    first.lastIndex = from
    for (let found = first.exec(text); found !== null; found = first.exec(text)) {
      const { index } = found
      if (units.some((form) => isBeginning(form, text, index))) return index
      first.lastIndex = index + 1
    }
    return end
  }
}

/** A form's first unit, with the units that may follow: that excludes most texts that have only the first unit. */
function beginningOf([unit = '', next = '$']: readonly string[]): string {
  return `${unit}(?=${next}|$|${BEGINS_ESCAPE}|\\x00)`
}

/** The forms' units as patterns that match at a place; there are few different ones. */
function stickyUnits(forms: readonly (readonly string[])[]): readonly (readonly RegExp[])[] {
  const made = new Map<string, RegExp>()
  for (const unit of forms.flat()) if (!made.has(unit)) made.set(unit, new RegExp(unit, 'y'))
  return forms.map((form) => form.flatMap((unit) => made.get(unit) ?? []))
}

/** Whether the rest of a text is the beginning of a form and nothing else. */
function isBeginning(form: readonly RegExp[], text: string, start: number): boolean {
  let at = start
  for (const unit of form) {
    if (at === text.length) return true
    unit.lastIndex = at
    if (!unit.test(text)) {
      UNFINISHED.lastIndex = at
      return UNFINISHED.test(text)
    }
    at = unit.lastIndex
  }
  return false
}

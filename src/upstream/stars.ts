import { toSearchText } from '../formats/bytes/byte-string.ts'
import { longestForm, secretForms, secretFormUnits, withHalves } from '../formats/secret-forms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Stars over secrets, in whichever form these stand; as many as the bytes that they hide, so that a length stays true. */
export interface Stars {
  readonly text: (text: string) => string
  /** Whether a name has a secret in it, in whichever case. */
  readonly isInName: (name: string) => boolean
  readonly isIn: (text: string) => boolean
  /** The same bytes where there is nothing to hide. */
  readonly bytes: (bytes: Bytes) => Bytes
  /** The same, for as much of a body as has come: gives also from where on the bytes may be the beginning of a secret. */
  readonly piece: (bytes: Bytes) => { readonly shown: Bytes; readonly openAt: number }
  /** Where the first secret begins, -1: there is none; and from where on the bytes may be the beginning of one. */
  readonly places: (bytes: Uint8Array) => { readonly secretAt: number; readonly openAt: number }
}

const UTF_8 = new TextEncoder()
const STAR = 0x2a

/**
 * Makes what puts stars over some texts, none of them empty.
 *
 * @example
 * const shown = createStars([key]).text(reason)
 */
export function createStars(secrets: readonly string[]): Stars {
  const texts = withHalves(secrets)
  const source = texts.flatMap(secretForms).join('|')
  const all = new RegExp(source, 'g')
  const name = new RegExp(source, 'i')
  // Where a secret is, there are its halves. Without the flag, a test begins at the beginning each time.
  const least = texts.filter((text) => !texts.some((other) => other !== text && text.includes(other)))
  const any = new RegExp(least.flatMap(secretForms).join('|'))
  const openFrom = createOpenFrom(texts)
  const cover = (bytes: Bytes, text: string, before: number): Bytes => {
    if (!any.test(text)) return bytes
    // Not by `slice`, which for a `Buffer` is the same memory: that is somebody else's.
    const covered = new Uint8Array(bytes)
    for (const { index, 0: found } of text.matchAll(all)) {
      if (index < before) covered.fill(STAR, index, index + found.length)
    }
    return covered
  }
  return {
    text: (text) => (any.test(text) ? text.replace(all, starsFor) : text),
    isIn: (text) => any.test(text),
    isInName: (text) => name.test(text),
    bytes: (bytes) => cover(bytes, toSearchText(bytes), bytes.byteLength),
    piece(bytes) {
      const text = toSearchText(bytes)
      const openAt = openFrom(bytes, text)
      // What may become a whole secret is not taken for a half of it yet.
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

function starsFor(found: string): string {
  return '*'.repeat(found.length)
}

/** What a character that is escaped, or written in several, has so far: a little more than can be. */
const UNFINISHED_UNITS = [
  '%[0-9A-Fa-f]{0,5}',
  '&[#0-9A-Za-z]{0,9}',
  String.raw`\\{1,8}(?:u[0-9A-Fa-f]{0,3})?`,
  String.raw`\x00{1,3}`,
]
const UNFINISHED = new RegExp(`(?:${UNFINISHED_UNITS.join('|')})$`, 'y')
const BEGINS_ESCAPE = String.raw`[%&\\]`
/** What stands in any of the forms beside a secret's own characters. */
const FORM_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_%&#;\\\0'

/** Makes what says from where on a text may be the beginning of a secret; its length where it ends with none. */
function createOpenFrom(secrets: readonly string[]): (bytes: Uint8Array, text: string) => number {
  const forms = secrets.flatMap(secretFormUnits)
  const bytesMax = Math.max(...secrets.map(longestForm)) - 1
  const ownBytes = secrets.map((secret) => UTF_8.encode(secret))
  const first = new RegExp([...new Set(forms.map(beginningOf)), BEGINS_ESCAPE].join('|'), 'g')
  const isInForms = new Uint8Array(256)
  for (const bytes of [UTF_8.encode(FORM_CHARACTERS), ...ownBytes]) for (const byte of bytes) isInForms[byte] = 1
  let units: readonly (readonly RegExp[])[] | undefined
  return (bytes, text) => {
    // Most pieces end with what is in no secret, such as the end of a line.
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

/** A form's first unit, with what may stand behind it. Most of what has only the first is found out at once. */
function beginningOf([unit = '', next = '$']: readonly string[]): string {
  return `${unit}(?=${next}|$|${BEGINS_ESCAPE}|\\x00)`
}

/** The forms' units as patterns that match at a place; there are few different ones. */
function stickyUnits(forms: readonly (readonly string[])[]): readonly (readonly RegExp[])[] {
  const made = new Map<string, RegExp>()
  for (const unit of forms.flat()) if (!made.has(unit)) made.set(unit, new RegExp(unit, 'y'))
  return forms.map((form) => form.flatMap((unit) => made.get(unit) ?? []))
}

/** Whether all that is left of a text is the beginning of a form, and no more than that. */
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

import { fromByteString, toByteString } from '../formats/bytes/byte-string.ts'
import { secretForms, withHalves } from '../formats/secrets/secret-forms.ts'
import { isSecretText } from '../formats/secrets/secrets-in-headers.ts'
import { secretPlaces } from './named-values.ts'

/** Puts stars over secrets. */
export interface Scrub {
  /** Eight stars for each secret of any length: requests of two callers with different keys become equal. */
  readonly text: (text: string) => string
  /** Likewise, in bytes. */
  readonly bytes: (bytes: Uint8Array) => Uint8Array
  /** As many stars as the secret has bytes, so that a body can be cut into the same chunks again. */
  readonly sameLength: (bytes: Uint8Array) => Uint8Array
  /** Likewise, but only over known secrets and over texts with the form of a key. Names of members and parameters do not count. */
  readonly known: (bytes: Uint8Array) => Uint8Array
}

/** The text that replaces a secret. */
export const STARS = '*'.repeat(8)
const UTF_8 = new TextEncoder()
const DECODER = new TextDecoder()

/** The beginning of a word, also behind an escape such as `\n` in a JSON text. */
const WORD_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))`
/** The forms of known services' keys and of JSON Web Tokens (RFC 7519), whoever they belong to. */
const KEY_SHAPES = [
  '(?:sk|rk|ek|sess|xai|pplx|nvapi|tvly|glpat|dapi)-[A-Za-z0-9_-]{20,}',
  '(?:gsk|hf|ghp|gho|ghs|ghu|github_pat|r8|sk|rk|ek|pcsk|fw)_[A-Za-z0-9_]{20,}',
  'xox[abprs]-[A-Za-z0-9-]{16,}',
  'AIza[A-Za-z0-9_-]{35}',
  String.raw`ya29\.[A-Za-z0-9_-]{20,}`,
  'A[KS]IA[A-Z0-9]{16}',
  String.raw`eyJ[A-Za-z0-9_-]{8,1024}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,}`,
].map((shape) => WORD_START + shape)

type StarsFor = (found: string) => string

/**
 * Makes a scrub, which puts stars over three kinds of texts: the given secrets, in every form (`secretForms`); texts with the form
 * of a key; and values whose name says that they are secret.
 *
 * @example
 * createScrub(['the-key-of-the-server']).text('key: the%2Dkey-of-the-server') // 'key: ********'
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const known = withHalves(secrets.filter(isSecretText))
  const pattern = new RegExp([...known.flatMap(secretForms), ...KEY_SHAPES].join('|'), 'g')
  const maskKnown = (written: string, starsFor: StarsFor): string => written.replace(pattern, starsFor)
  const maskAll = (written: string, starsFor: StarsFor): string => maskKnown(maskNamed(written, starsFor), starsFor)
  const over =
    (mask: (written: string, starsFor: StarsFor) => string, starsFor: StarsFor) =>
    (bytes: Uint8Array): Uint8Array => {
      const written = toByteString(bytes)
      const masked = mask(written, starsFor)
      return masked === written ? bytes : fromByteString(masked)
    }
  const eight: StarsFor = () => STARS
  const asMany: StarsFor = (found) => '*'.repeat(found.length)
  const scrubBytes = over(maskAll, eight)
  return {
    text: (text) => {
      const bytes = UTF_8.encode(text)
      const masked = scrubBytes(bytes)
      return masked === bytes ? text : DECODER.decode(masked)
    },
    bytes: scrubBytes,
    sameLength: over(maskAll, asMany),
    known: over(maskKnown, asMany),
  }
}

/**
 * Makes a function that gives a scrub for some secrets. It keeps the last one, because the secrets are mostly the same and a
 * pattern is dear to compile.
 *
 * @example
 * const scrubFor = rememberScrub()
 */
export function rememberScrub(): (secrets: readonly string[]) => Scrub {
  let last: { readonly secrets: string; readonly scrub: Scrub } | undefined
  return (secrets) => {
    const wanted = [...new Set(secrets)].toSorted().join('\n')
    if (last?.secrets !== wanted) last = { secrets: wanted, scrub: createScrub(secrets) }
    return last.scrub
  }
}

function maskNamed(text: string, starsFor: StarsFor): string {
  let masked = ''
  let at = 0
  for (const { start, end } of secretPlaces(text)) {
    masked += text.slice(at, start) + starsFor(text.slice(start, end))
    at = end
  }
  return at === 0 ? text : masked + text.slice(at)
}

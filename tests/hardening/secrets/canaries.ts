import { createHash } from 'node:crypto'

/** What no other text has in it; each canary begins with it. */
const STEM = 'zQ7cAn'

/** What a canary stands for. The first are the server's own secrets, the next what a caller brings, the last what a caller says. */
export type CanaryKind = (typeof SERVERS)[number] | (typeof CALLERS)[number] | (typeof CONTENT)[number]

/** The server's key, a token of its, a header and a parameter that each call to the upstream gets. */
export const SERVERS = ['srv', 'tok', 'hdr', 'qry'] as const
/** A caller's key, its session, and what the name beside it says to be a secret. */
export const CALLERS = ['key', 'ses', 'nam'] as const
/** A prompt, a file or its name, and other words: in paths, queries and headers. */
export const CONTENT = ['pro', 'fil', 'pat'] as const

/** The canary of a kind; of a case, but for those of the server. */
export function canary(kind: CanaryKind, number = 0): string {
  return `${STEM}${kind}0123456789n${number}e0123456789`
}

/** So much of a secret is looked for: a few characters of one that was cut off tell nothing. */
const TOLD_CHARS = 16

/** The canaries of other cases than this one, in the clear. */
export function foreignCanaries(text: string, number: number): readonly string[] {
  const found = text.matchAll(new RegExp(`${STEM}(?:${[...CALLERS, ...CONTENT].join('|')})0123456789n(\\d+)e`, 'g'))
  return [...found].filter(([, own]) => Number(own) !== number).map(([whole]) => whole)
}

/** Which kinds of canaries a text has in it, in whichever form: in the clear, base64, hexadecimal, escaped for URLs or JSON, UTF-16. */
export function kindsIn(text: string, kinds: readonly CanaryKind[]): readonly CanaryKind[] {
  return kinds.filter((kind) => formsOf(canary(kind).slice(0, TOLD_CHARS)).some((form) => text.includes(form)))
}

/** Whether a text has any canary in it, in whichever form. */
export function hasCanary(text: string): boolean {
  return STEM_FORMS.some((form) => text.includes(form))
}

const known = new Map<string, readonly string[]>()

function formsOf(word: string): readonly string[] {
  const before = known.get(word)
  if (before !== undefined) return before
  const bytes = Buffer.from(word)
  const hex = bytes.toString('hex')
  const each = (write: (character: string) => string): string => Array.from(word, write).join('')
  const code = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0')
  const forms = [
    ...[word, word.toLowerCase(), hex, hex.toUpperCase(), bytes.toString('utf16le')],
    each((character) => `%${code(character, 2)}`),
    each((character) => `%${code(character, 2).toUpperCase()}`),
    each((character) => `\\u${code(character, 4)}`),
    ...[0, 1, 2].map((before_) => base64Core(word, before_)),
  ]
  known.set(word, forms)
  return forms
}

/** What of a word's base64 is the same whatever stands around it, where so many bytes stand before it. */
function base64Core(word: string, before: number): string {
  const encoded = Buffer.from('\0'.repeat(before) + word).toString('base64')
  const from = before === 0 ? 0 : before + 1
  return encoded.slice(from, Math.floor(((before + word.length) * 8) / 6))
}

const STEM_FORMS = formsOf(STEM)

/** Digests of secrets, by which somebody could find them out. */
export class Digests {
  readonly #known = new Map<string, string>()

  add(secret: string): void {
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
      const digest = createHash(algorithm).update(secret).digest()
      for (const form of [digest.toString('hex'), digest.toString('base64url')])
        this.#known.set(form.slice(0, 16), secret)
    }
  }

  /** A secret whose digest, or its beginning, is in a text. */
  find(text: string): string | undefined {
    for (const [word] of text.matchAll(/[A-Za-z0-9+/_-]{16,}/g)) {
      const secret = this.#known.get(word.replaceAll('+', '-').replaceAll('/', '_').slice(0, 16))
      if (secret !== undefined) return secret
    }
    return undefined
  }
}

import { isPathWord } from './shown-path.ts'

/** A path that everybody reads alike: small letters, no escapes, nothing that some server cuts or turns. */
const USUAL = /^(?!v\d|(?:openai|beta|api|inference)\/)(?:[a-z0-9_-]+\/)*[a-z0-9_-]+$/
/** How often an upstream may decode a path before it reads it; one would do for an honest one. */
const DECODINGS = 3
/** What may stand in front of an API's paths, once more: `beta/completions` is one of DeepSeek's, `inference/v1/…` is Fireworks'. */
const FRONT = /^(?:(?:v\d[a-z\d.]*|openai|beta|api|inference)\/)+(?=.)/
/** An API's word, and something behind it that a server may cut off: `completions.json`, `completions::$DATA`. */
const CUT_WORD = /^([a-z0-9_-]+)[^a-z0-9_-]/

/**
 * Gives the path below `/v1/` as the most tolerant upstream reads it, so that no spelling gets past a rule for an endpoint:
 * without escapes, capitals, what stands behind `;`, `?` or a null byte, backslashes, dots and blanks at a segment's end, empty
 * segments, or another `v1/` or `openai/` in front.
 *
 * @example
 * const isChat = endpointPath('Ch%61t//completions/') === 'chat/completions'
 */
export function endpointPath(written: string): string {
  if (USUAL.test(written)) return written
  return decoded(written)
    .normalize('NFKC')
    .replace(/[?#\0].*$/s, '')
    .split(/[/\\]/)
    .map(readSegment)
    .filter((segment) => segment !== '')
    .join('/')
    .replace(FRONT, '')
}

/**
 * Whether every server reads a path below `/v1/` as it is written: the API's words in their own letters, and in ids nothing that
 * some server cuts, decodes twice or takes for a slash. In the place of a model's name an escaped slash may stand.
 *
 * @example
 * isPlainPath('files/file-Ab%20c/content') // true
 * isPlainPath('chat/completions/') // false
 */
export function isPlainPath(written: string): boolean {
  if (USUAL.test(written)) return true
  return written.split('/').every((segment, number, all) => isPlainSegment(segment, all[number - 1] ?? ''))
}

/** What a model's name stands behind. */
const MODEL_PARENTS: ReadonlySet<string> = new Set(['models', 'deployments', 'engines'])
/** An escape of another kind than UTF-8's, or a second one behind the first: who decodes it, and how, nobody can tell. */
const UNCLEAR_ESCAPE = /%(?![0-9a-f]{2})|%25/i
/** What ends a path or a segment, a backslash, and what is an escape again. */
const TURNING = /[\p{Cc}\\?#;%]/u

function isPlainSegment(segment: string, parent: string): boolean {
  if (segment === '' || UNCLEAR_ESCAPE.test(segment)) return false
  const text = decodeOnce(segment)?.normalize('NFKC')
  if (text === undefined || TURNING.test(text) || /[. ]$/.test(text)) return false
  if (MODEL_PARENTS.has(parent)) return true
  if (text.includes('/')) return false
  const read = readSegment(text)
  return read === segment || !isPathWord(read)
}

function readSegment(segment: string): string {
  const text = segment
    .replace(/;.*$/s, '')
    .replace(/[.\s]+$/, '')
    .toUpperCase()
    .toLowerCase()
  const word = CUT_WORD.exec(text)?.[1]
  return word !== undefined && isPathWord(word) ? word : text
}

function decodeOnce(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** Decodes all escapes, also those that come of others; what is no UTF-8 is read byte by byte, and overlong forms as what they mean. */
function decoded(written: string): string {
  let path = written
  for (let times = 0; times < DECODINGS && path.includes('%'); times += 1) {
    path = path
      .replace(/%u([0-9a-f]{4})/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => decodeOnce(escapes) ?? decodeBytes(escapes))
  }
  return path
}

function decodeBytes(escapes: string): string {
  return escapes
    .replace(/%c([01])%([89ab][0-9a-f])/gi, (_code, high: string, low: string) =>
      String.fromCharCode(Number(high) * 64 + (Number.parseInt(low, 16) & 63)),
    )
    .replace(/%([0-9a-f]{2})/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

import { endpointOf } from './endpoint-of.ts'
import { isPathWord } from './shown-path.ts'

/** A path that all servers read alike: small letters, no escapes, nothing that some server cuts or changes. */
const USUAL = /^(?!v\d|(?:openai|beta|api|inference)\/)(?:[a-z0-9_-]+\/)*[a-z0-9_-]+$/
/** How often an upstream may decode a path before it reads it; one would do for an honest one. */
const DECODINGS = 3
/** The segments that may precede an API's paths again: `beta/completions` is DeepSeek's, `inference/v1/…` is Fireworks'. */
const FRONT = /^(?:(?:v\d[a-z\d.]*|openai|beta|api|inference)\/)+(?=.)/
/** A word of the API with an ending that a server may cut off: `completions.json`, `completions::$DATA`. */
const CUT_WORD = /^([a-z0-9_-]+)[^a-z0-9_-]/

/**
 * Gives the path below `/v1/` as the most tolerant upstream reads it, so that no spelling gets past a rule for an endpoint:
 * without escapes, capitals, the text behind `;`, `?` or a null byte, backslashes, dots and blanks at a segment's end, empty
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

/** OpenAI's Administration API; `projects` is where it has the roles of projects. */
const ADMINISTRATION = /^(?:organization|projects)(?:\/|$)/

/**
 * Whether a request target is one of OpenAI's Administration API, in whatever spelling an upstream might read it as one: with the key of an
 * account, keys can be made by it.
 *
 * @example
 * isAdministration('/v1/organization/projects?limit=5') // true
 */
export function isAdministration(target: string): boolean {
  return ADMINISTRATION.test(endpointPath(endpointOf(target)))
}

/**
 * Whether every server reads a path below `/v1/` as it is written: the API's words in their own letters, and no character in an id that
 * some server cuts, decodes twice or takes for a slash. A model's name may hold an escaped slash.
 *
 * @example
 * isPlainPath('files/file-Ab%20c/content') // true
 * isPlainPath('chat/completions/') // false
 */
export function isPlainPath(written: string): boolean {
  if (USUAL.test(written)) return true
  return written.split('/').every((segment, number, all) => isPlainSegment(segment, all[number - 1] ?? ''))
}

/** The segments that precede a model's name. */
const MODEL_PARENTS: ReadonlySet<string> = new Set(['models', 'deployments', 'engines'])
/** A malformed escape, or one of a percent sign, which may be decoded twice: servers differ in how they decode these. */
const UNCLEAR_ESCAPE = /%(?![0-9a-f]{2})|%25/i
/** Characters that end a path or a segment, a backslash, and the beginning of another escape. */
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

/** Decodes all escapes, also repeated ones; bytes that are not UTF-8 are read one by one, and overlong forms by their meaning. */
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

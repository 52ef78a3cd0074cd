/** What a server makes of a request's path, without its query. */
export type PathReader = (path: string) => string

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // What is no UTF-8 is read byte by byte.
    return path.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
}

function withoutDots(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return kept.join('/')
}

const merged = (path: string): string => path.replace(/\/{2,}/g, '/')

/** aiohttp and Starlette: escapes are decoded, and the rest is what it is. */
export const asAiohttp: PathReader = decode

/** Servers on Web standards: the URL's own reading of dots and backslashes, and no escape is decoded. */
export const asWeb: PathReader = (path) => withoutDots(path.replaceAll('\\', '/').replace(/%2e/gi, '.'))

/** Express: case does not count, nor a slash at the end. */
export const asExpress: PathReader = (path) => decode(path).toLowerCase().replace(/\/$/, '')

/** nginx in front of such a server: escapes are decoded twice between them, slashes merged, dots resolved. */
export const asNginx: PathReader = (path) => decode(withoutDots(merged(decode(path))))

/** IIS: case does not count, a backslash is a slash, dots and blanks at a segment's end are not there, `%u0061` is an a. */
export const asIis: PathReader = (path) => {
  const unicode = path.replace(/%u([0-9a-f]{4})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  const slashed = merged(decode(unicode).replaceAll('\\', '/'))
  const trimmed = slashed.split('/').map((segment) => (/^\.+$/.test(segment) ? segment : segment.replace(/[. ]+$/, '')))
  return withoutDots(trimmed.join('/'))
    .toLowerCase()
    .replace(/::\$data$/, '')
    .replace(/\/$/, '')
}

/** Tomcat: what stands behind a semicolon is not there. */
export const asTomcat: PathReader = (path) => withoutDots(merged(decode(path.replace(/;[^/]*/g, ''))))

/** Rails: what looks like a file's extension is the form of the answer, and a slash at the end is none. */
export const asRails: PathReader = (path) =>
  merged(decode(path))
    .replace(/\0.*$/s, '')
    .replace(/\/$/, '')
    .replace(/\.[a-z]+$/, '')

/** What a path calls: the endpoint, and the model where the path names one; undefined: what no server has. */
export interface PathCall {
  readonly endpoint: string
  readonly model: string | undefined
}

const ENDPOINTS = new Set([
  ...['chat/completions', 'completions', 'responses', 'embeddings', 'moderations', 'messages', 'messages/batches'],
  ...['audio/speech', 'audio/transcriptions', 'audio/translations', 'images/generations', 'images/edits'],
  ...['realtime/client_secrets', 'realtime/sessions', 'batches'],
])

/**
 * Finds the endpoint in a path that a server has read.
 *
 * @example
 * const call = callOf('/openai/deployments/gpt-4o/chat/completions')
 */
export function callOf(path: string): PathCall | undefined {
  const below = path
    .replace(/^\/+/, '')
    .replace(/^(?:(?:v1|v1beta|openai|beta|inference)\/)+/, '')
    .replace(/(completions)\/batch$/, '$1')
  const named = /^(?:deployments|engines)\/([^/]+)\/(.+)$/.exec(below)
  if (named !== null) return ENDPOINTS.has(named[2] ?? '') ? { endpoint: named[2] ?? '', model: named[1] } : undefined
  const method = /^models\/([^/]+):generatecontent$/i.exec(below)
  if (method !== null) return { endpoint: 'generateContent', model: method[1] }
  if (/^evals\/[^/]+\/runs$/.test(below)) return { endpoint: 'evals/runs', model: undefined }
  return ENDPOINTS.has(below) ? { endpoint: below, model: undefined } : undefined
}

import { nearest } from '../formats/text/nearest.ts'
import { ENDPOINT_TABLE } from './endpoint-table.ts'
import { RESOURCES } from './resources.ts'

/** The segments after the resource in OpenAI's paths (OpenAI specification), and paths of this server's own. */
const PATH_WORDS: ReadonlySet<string> = new Set([
  ...RESOURCES,
  ...ENDPOINT_TABLE.flatMap(({ paths }) =>
    paths.flatMap((path) => path.split('/').filter((word) => /^\w+$/.test(word))),
  ),
  ...['v1', 'v1beta', 'api', 'openai', 'deployments', 'health', 'healthz', 'livez', 'ready', 'readyz', 'metrics'],
  ...['docs', 'openapi.json', 'favicon.ico', 'robots.txt', 'liveliness', 'liveness', 'readiness', 'admin', 'ui'],
  ...['accept', 'activate', 'alpha', 'archive', 'calls', 'cancel', 'checkpoints', 'client_secrets', 'compact'],
  ...['complete', 'content', 'deactivate', 'events', 'file_batches', 'generations', 'graders', 'hangup', 'input_items'],
  ...['input_tokens', 'items', 'jobs', 'messages', 'output_items', 'parts', 'pause', 'permissions', 'refer', 'reject'],
  ...['remix', 'resume', 'run', 'runs', 'search', 'sessions', 'speech', 'steps', 'submit_tool_outputs'],
  ...['transcription_sessions', 'transcriptions', 'translations', 'usage', 'costs', 'users', 'validate', 'variations'],
  ...['versions', 'voices', 'rerank', 'tokenize', 'detokenize', 'generate', 'tags', 'ps', 'show', 'count_tokens'],
])

/**
 * Whether a segment of a path is a word of the API's, in the API's own spelling.
 *
 * @example
 * isPathWord('completions') // true
 */
export function isPathWord(segment: string): boolean {
  return PATH_WORDS.has(segment)
}

const SEGMENTS_MAX = 12
/** A longer segment is no misspelt word. */
const WORD_CHARS_MAX = 32

/**
 * Gives a request's path as a log may show it: the words of the API, and misspelt ones; `…` replaces all other segments
 * since each may be an id, a key or any text. The query is left out.
 *
 * @example
 * showPath('/v1/chat/completion?key=sk-1') // '/v1/chat/completion'
 * showPath('/v1/files/file-abc/content') // '/v1/files/…/content'
 */
export function showPath(target: string): string {
  const path = target.split('?', 1)[0] ?? ''
  const segments = path.split('/').slice(0, SEGMENTS_MAX)
  return segments.map((segment) => (segment === '' || isWord(segment) ? segment : '…')).join('/')
}

function isWord(segment: string): boolean {
  if (PATH_WORDS.has(segment)) return true
  const isPlain = segment.length <= WORD_CHARS_MAX && /^[A-Za-z][A-Za-z._-]{2,}$/.test(segment)
  return isPlain && nearest(segment, WORD_LIST) !== undefined
}

const WORD_LIST = [...PATH_WORDS].filter((word) => word.length >= 4)

import { ENDPOINT_TABLE } from './endpoint-table.ts'

/**
 * The first path segment of every documented path of OpenAI's API, from its specification and its official client
 * libraries, with the legacy `edits` and `engines`.
 *
 * A base URL without `/v1` is the commonest mistake in setting up a client, so these are served without the prefix
 * too. An unknown segment is served below `/v1` only: there everything passes.
 *
 * @example
 * const isBare = RESOURCES.has(path.split('/', 2)[1] ?? '')
 */
export const RESOURCES: ReadonlySet<string> = new Set([
  'agents',
  'assistants',
  'audio',
  'batches',
  'chat',
  'chatkit',
  'completions',
  'containers',
  'content_provenance_checks',
  'conversations',
  'decisions',
  'edits',
  'embeddings',
  'engines',
  'evals',
  'files',
  'fine_tuning',
  'images',
  'live',
  'models',
  'moderations',
  'organization',
  'projects',
  'realtime',
  'responses',
  'safety',
  'skills',
  'threads',
  'uploads',
  'vaults',
  'vector_stores',
  'videos',
  'webhook_endpoints',
  'webhook_event_types',
])

/**
 * The paths below `/v1/` that are calls of a model, and so get an upstream's path template: those that Azure serves below
 * `/deployments/{deployment}` (https://learn.microsoft.com/azure/ai-foundry/openai/reference).
 *
 * @example
 * const isCallOfModel = MODEL_ENDPOINTS.has('chat/completions')
 */
export const MODEL_ENDPOINTS: ReadonlySet<string> = new Set(
  ENDPOINT_TABLE.flatMap((row) => (row.kind === 'call' && row.isDeployed === true ? row.paths : [])),
)

/**
 * The resources of OpenAI's API whose objects live at one upstream, by the first segment of their paths below `/v1/`:
 * only that upstream knows them.
 *
 * @example
 * const isStateful = STATEFUL_RESOURCES.has('files')
 */
export const STATEFUL_RESOURCES: ReadonlySet<string> = new Set([
  'files',
  'uploads',
  'batches',
  'responses',
  'conversations',
  'assistants',
  'threads',
  'vector_stores',
  'fine_tuning',
  'containers',
  'evals',
  'videos',
  'skills',
  'chatkit',
  'realtime',
  'live',
  'agents',
  'vaults',
  'webhook_endpoints',
])

/** The last segments of paths whose answers are content: a file's, a video's, or a text that was spoken. */
const CONTENTS = /(?:^|\/)(?:content|audio\/(?:speech|transcriptions|translations))\/?$/

/**
 * Whether the answer of an endpoint (its path below `/v1/`) is content, whose type does not tell which server answered: a file may be
 * a web page, and some servers call the text of a transcription `text/html`.
 *
 * @example
 * const mayBePage = holdsContent(endpointOf(exchange.requestTarget))
 */
export function holdsContent(endpoint: string): boolean {
  return CONTENTS.test(endpoint)
}

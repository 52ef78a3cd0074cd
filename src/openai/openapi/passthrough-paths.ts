import { referToErrors } from './error-responses.ts'
import type { Operation, PathItem, Paths } from './operation.ts'
import { parametersOf } from './path-parameters.ts'

/** The path that stands for a resource: its method, the part after the resource's name, and its purpose. */
interface Representative {
  readonly method: 'get' | 'post'
  readonly below?: string
  readonly summary: string
  /** What is to be known of it, where it does not simply pass through. */
  readonly description?: string
}

/** The operator's own server, or OpenAI's: which of the two is managed is decided by whether there is a ledger. */
const ADMINISTRATION =
  'With a ledger (`LEDGER`), this server answers what is below `/organization` itself: projects, service accounts, API keys, limits, spend alerts, usage, costs and the audit log of its own, by OpenAI’s Administration API and with an admin key (`ADMIN_KEY`, or one of `admin_api_keys`); 404 says what it does not have. A caller’s key sees itself at `/organization/projects/me/api_keys/me`. Without a ledger it passes through, with the caller’s own admin key and never with this server’s key.'

const REPRESENTATIVES: ReadonlyMap<string, Representative> = new Map<string, Representative>([
  ['agents', { method: 'get', summary: 'Agents' }],
  ['assistants', { method: 'get', summary: 'Assistants' }],
  ['audio', { method: 'post', below: '/speech', summary: 'Speech, transcriptions and translations' }],
  ['batches', { method: 'post', summary: 'Batches of requests' }],
  ['chat', { method: 'get', below: '/completions', summary: 'Stored chat completions' }],
  ['chatkit', { method: 'post', below: '/sessions', summary: 'ChatKit sessions and threads' }],
  ['containers', { method: 'get', summary: 'Containers and their files' }],
  ['content_provenance_checks', { method: 'post', summary: 'Content provenance checks' }],
  ['conversations', { method: 'post', summary: 'Conversations and their items' }],
  ['decisions', { method: 'post', summary: 'Decisions: quick answers to classification or scoring questions' }],
  ['edits', { method: 'post', summary: 'Edits (legacy)' }],
  ['embeddings', { method: 'post', summary: 'Embeddings' }],
  ['engines', { method: 'get', summary: 'Engines (legacy)' }],
  ['evals', { method: 'get', summary: 'Evals and their runs' }],
  ['files', { method: 'post', summary: 'Files: upload, list, download' }],
  ['fine_tuning', { method: 'post', below: '/jobs', summary: 'Fine-tuning jobs' }],
  ['images', { method: 'post', below: '/generations', summary: 'Images: generate, edit, vary' }],
  ['live', { method: 'post', below: '/sessions', summary: 'Live sessions' }],
  ['models', { method: 'get', summary: 'The models that the key may use' }],
  ['moderations', { method: 'post', summary: 'Moderations' }],
  [
    'organization',
    { method: 'get', below: '/projects', summary: 'Administration, usage and costs', description: ADMINISTRATION },
  ],
  [
    'projects',
    {
      method: 'get',
      below: '/{project_id}/roles',
      summary: 'Roles within projects',
      description: ADMINISTRATION,
    },
  ],
  ['realtime', { method: 'post', below: '/client_secrets', summary: 'Realtime sessions and calls' }],
  ['responses', { method: 'post', summary: 'Responses' }],
  ['safety', { method: 'get', below: '/alerts/{alert_id}', summary: 'Safety alerts and cases' }],
  ['skills', { method: 'get', summary: 'Skills' }],
  ['threads', { method: 'post', summary: 'Threads, messages and runs' }],
  ['uploads', { method: 'post', summary: 'Uploads in parts' }],
  ['vaults', { method: 'get', summary: 'Vaults' }],
  ['vector_stores', { method: 'get', summary: 'Vector stores and their files' }],
  ['videos', { method: 'post', summary: 'Videos' }],
  ['webhook_endpoints', { method: 'get', summary: 'Webhook endpoints' }],
  ['webhook_event_types', { method: 'get', summary: 'Types of webhook events' }],
])

/**
 * Gives one path per resource that passes through, to stand for everything below it: a resource may be followed by any
 * number of segments, which an OpenAPI path template can't say.
 *
 * @example
 * const paths = createPassthroughPaths(['embeddings', 'models'])
 */
export function createPassthroughPaths(resources: Iterable<string>): Paths {
  return Object.fromEntries([...resources].map(passthroughPath))
}

function passesThrough(resource: string): string {
  return `Passes through, as does everything below \`/${resource}\`: every method, path, query, header and byte, streamed both ways, WebSocket upgrades too. What to send and what comes back stands in OpenAI’s API reference.`
}

function passthroughPath(resource: string): [string, PathItem] {
  const representative: Representative = REPRESENTATIVES.get(resource) ?? {
    method: 'get',
    summary: `Everything below /${resource}`,
  }
  const path = `/${resource}${representative.below ?? ''}`
  const parameters = parametersOf(path)
  const operation: Operation = {
    operationId: `passthrough_${resource}`,
    tags: ['Passthrough'],
    summary: representative.summary,
    description: representative.description ?? passesThrough(resource),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(representative.method === 'post' ? { requestBody: { content: { '*/*': {} } } } : {}),
    responses: { '2XX': { description: 'The upstream’s answer, as it came.' }, ...referToErrors() },
  }
  return [path, { [representative.method]: operation }]
}

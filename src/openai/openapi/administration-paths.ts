import { referToErrors } from './error-responses.ts'
import type { Operation, PathItem, Paths } from './operation.ts'
import { parametersOf } from './path-parameters.ts'

/** What the operations on one path do, by method. */
type Summaries = Partial<Readonly<Record<'get' | 'post' | 'delete', string>>>

const PROJECT = '/organization/projects/{project_id}'
const USAGE = 'What was used, in buckets of a minute, an hour or a day: '

/** All that this server has of OpenAI's Administration API, where it has a ledger. */
const SUMMARIES: Readonly<Record<string, Summaries>> = {
  '/organization/projects': { get: 'List projects', post: 'Create a project' },
  [PROJECT]: { get: 'Get a project', post: 'Change a project' },
  [`${PROJECT}/archive`]: { post: 'Archive a project: its keys are refused' },
  [`${PROJECT}/service_accounts`]: { get: 'List service accounts', post: 'Create a service account and its first key' },
  [`${PROJECT}/service_accounts/{service_account_id}`]: {
    get: 'Get a service account',
    post: 'Change a service account',
    delete: 'Delete a service account with all its keys',
  },
  [`${PROJECT}/service_accounts/{service_account_id}/api_keys`]: { post: 'Create another key' },
  [`${PROJECT}/api_keys`]: { get: 'List the keys of a project' },
  [`${PROJECT}/api_keys/me`]: { get: 'A caller’s own key: its limits, and what is spent and left of them' },
  [`${PROJECT}/api_keys/{api_key_id}`]: {
    get: 'Get a key',
    post: 'Change the scopes, the expiry and the limits of a key',
    delete: 'Revoke a key',
  },
  [`${PROJECT}/api_keys/{api_key_id}/rotate`]: { post: 'Give a key a new value' },
  [`${PROJECT}/rate_limits`]: { get: 'List the rate limits of a project' },
  [`${PROJECT}/rate_limits/{rate_limit_id}`]: {
    post: 'Set the rate limit of a model',
    delete: 'Take a rate limit away',
  },
  [`${PROJECT}/model_permissions`]: {
    get: 'The models that a project may use',
    post: 'Set the models that a project may use',
    delete: 'Let a project use all models',
  },
  [`${PROJECT}/spend_limit`]: {
    get: 'What a project may spend in a month',
    post: 'Set what a project may spend in a month',
    delete: 'Take the limit of a month away',
  },
  '/organization/spend_limit': {
    get: 'What all projects may spend in a month',
    post: 'Set what all projects may spend in a month',
    delete: 'Take the limit of all away',
  },
  [`${PROJECT}/spend_alerts`]: { get: 'List the spend alerts of a project', post: 'Create a spend alert of a project' },
  [`${PROJECT}/spend_alerts/{alert_id}`]: {
    get: 'Get a spend alert of a project',
    post: 'Change a spend alert of a project',
    delete: 'Delete a spend alert of a project',
  },
  '/organization/spend_alerts': { get: 'List spend alerts', post: 'Create a spend alert' },
  '/organization/spend_alerts/{alert_id}': {
    get: 'Get a spend alert',
    post: 'Change a spend alert',
    delete: 'Delete a spend alert',
  },
  '/organization/admin_api_keys': { get: 'List admin keys', post: 'Create an admin key' },
  '/organization/admin_api_keys/{key_id}': { get: 'Get an admin key', delete: 'Revoke an admin key' },
  '/organization/audit_logs': { get: 'What was managed, and by whom' },
  '/organization/usage/completions': { get: `${USAGE}calls that write text` },
  '/organization/usage/decisions': { get: `${USAGE}decisions` },
  '/organization/usage/embeddings': { get: `${USAGE}embeddings` },
  '/organization/usage/moderations': { get: `${USAGE}moderations` },
  '/organization/usage/images': { get: `${USAGE}images` },
  '/organization/usage/audio_speeches': { get: `${USAGE}speech` },
  '/organization/usage/audio_transcriptions': { get: `${USAGE}transcriptions` },
  '/organization/usage/vector_stores': { get: `${USAGE}vector stores` },
  '/organization/usage/code_interpreter_sessions': { get: `${USAGE}sessions of the code interpreter` },
  '/organization/usage/file_search_calls': { get: `${USAGE}searches in files` },
  '/organization/usage/web_search_calls': { get: `${USAGE}searches of the web` },
  '/organization/costs': { get: 'What was spent, by day' },
}

/**
 * Gives the paths of the Administration API that a server with a ledger answers itself.
 *
 * @example
 * const paths = createAdministrationPaths()
 */
export function createAdministrationPaths(): Paths {
  return Object.fromEntries(Object.entries(SUMMARIES).map(([path, summaries]) => [path, pathItem(path, summaries)]))
}

function pathItem(path: string, summaries: Summaries): PathItem {
  return Object.fromEntries(
    Object.entries(summaries).map(([method, summary]) => [method, operationOf(method, path, summary)]),
  )
}

function operationOf(method: string, path: string, summary: string): Operation {
  const parameters = parametersOf(path)
  return {
    operationId: `${method}${path.replaceAll(/\W+/g, '_').replace(/_$/, '')}`,
    tags: ['Administration'],
    summary,
    description:
      'By OpenAI’s Administration API, whose SDKs call it (`client.admin.organization`); fields of this server’s own stand in the same objects.',
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(method === 'post' ? { requestBody: { content: { 'application/json': {} } } } : {}),
    responses: { '200': { description: 'OpenAI’s object.' }, ...referToErrors() },
  }
}

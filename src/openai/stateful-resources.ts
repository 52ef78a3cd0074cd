/**
 * The resources of OpenAI's API whose objects live at one upstream, by the first segment of their paths below `/v1/`:
 * what was made there can be asked for only there.
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

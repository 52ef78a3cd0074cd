/**
 * The members by which OpenAI's API names objects (files, responses, containers, …) in bodies, such as `id`, `file_id`, `file_ids`,
 * `container`. The free text of callers and models, such as `metadata`, names no object.
 */

/** A longer text is no id. */
export const OBJECT_ID_CHARS_MAX = 4096

/** Members that hold an id, or a list of them, although their names do not show it. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  'id',
  'container',
  'conversation',
  'training_file',
  'validation_file',
  'result_files',
  'fine_tuned_model',
])
/** The ids in members such as `call_id` belong to no object that a caller can ask for. */
const NOT_OBJECTS: ReadonlySet<string> = new Set([
  'call_id',
  'tool_call_id',
  'request_id',
  'organization_id',
  'project_id',
  'user_id',
  'client_id',
  'connector_id',
  'group_id',
  'trace_id',
  'custom_id',
  'approval_request_id',
])

/**
 * Whether a member of a body holds the id of an object, or a list of them.
 *
 * @example
 * const isId = namesObject('input_file_id')
 */
export function namesObject(member: string): boolean {
  if (member.endsWith('_id') || member.endsWith('_ids')) return !NOT_OBJECTS.has(member)
  return OTHER_NAMES.has(member)
}

/** Members that hold only free text or a schema, written by a caller or a model. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'metadata',
  'attributes',
  'arguments',
  'args',
  'parsed',
  'output_parsed',
  'structured_output',
  'structured_content',
  'parameters',
  'schema',
  'json_schema',
  'item_schema',
  'input_schema',
  'variables',
  'headers',
  'filters',
  'logit_bias',
  'datasource_item',
  'client_metadata',
  'extra_body',
])

/**
 * Whether a member of a body holds only free text, and so names no object.
 *
 * @example
 * const isSkipped = isOwnWords('metadata')
 */
export function isOwnWords(member: string): boolean {
  return OWN_WORDS.has(member)
}

/** Members of an answer that repeat a caller's words. */
const REPEATED: ReadonlySet<string> = new Set([
  'tools',
  'tool_choice',
  'input',
  'instructions',
  'prompt',
  'data_source',
  'data_source_config',
  'testing_criteria',
  'sample',
  'pending_safety_checks',
])

/**
 * Whether a member of an answer names no object that its upstream has made known: it is free text, or repeats the caller's words.
 *
 * @example
 * const isSkipped = isRepeated('tools')
 */
export function isRepeated(member: string): boolean {
  return REPEATED.has(member) || OWN_WORDS.has(member)
}

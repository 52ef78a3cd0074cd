/**
 * How OpenAI's API names objects (files, responses, containers, …) in bodies: by members such as `id`, `file_id`, `file_ids`,
 * `container`. What stands in callers' and models' own words, such as `metadata`, names nothing.
 */

/** A longer text is no id. */
export const OBJECT_ID_CHARS_MAX = 4096

/** Members that hold an id, or a list of them, without saying so in their names. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  'id',
  'container',
  'conversation',
  'training_file',
  'validation_file',
  'result_files',
  'fine_tuned_model',
])
/** What such names as `call_id` tell is no object that can be asked for. */
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

/** Members of which all that is in them is somebody's own words: a caller's, a model's, a schema's. */
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
 * Whether nothing in a member of a body names an object.
 *
 * @example
 * const isSkipped = isOwnWords('metadata')
 */
export function isOwnWords(member: string): boolean {
  return OWN_WORDS.has(member)
}

/** Members of an answer that repeat what a caller has said. */
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
 * Whether nothing in a member of an answer names an object that its upstream has made known: it is own words, or the caller's.
 *
 * @example
 * const isSkipped = isRepeated('tools')
 */
export function isRepeated(member: string): boolean {
  return REPEATED.has(member) || OWN_WORDS.has(member)
}

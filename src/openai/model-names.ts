/** Names of members that name a model, as `foldName` gives them, beside all that contain `model`. */
const NAMES: ReadonlySet<string> = new Set([
  ...['engine', 'engines', 'engineid', 'enginename', 'llm', 'llms', 'llmid', 'llmname', 'ranker'],
  ...['deploymentid', 'deploymentname', 'adapter', 'adapters', 'adapterid', 'adaptername'],
  ...['lora', 'loras', 'loraid', 'loraname', 'lorapath', 'loraadapter', 'loraadapters', 'lorarequest'],
])
const ENDING = /(?:fallback|deployment)s?$/
const MODEL = 'model'
/** Names of facts about a model: `model_type`, `model_provider`. */
const ABOUT =
  /model(?:s)?(?:type|provider|family|format|kwargs|args|settings|params|parameters|options|inputs?|outputs?|effort|verbosity|summary|mode|modality|modalities|permissions|contextwindow|reasoning(?:effort|summary)?)$/
const SHORTEST_ENDING = 'fallback'.length
const LONGEST_CHARS = 48

/**
 * Whether a member names a model, by its name as `foldName` gives it: `model`, `draft_model`, `model_id`, `fallbacks`, `engine`.
 *
 * @example
 * isModelName(foldName('azureml-model-deployment')) // true
 */
export function isModelName(name: string): boolean {
  if (name.length > LONGEST_CHARS) return false
  if (name.includes(MODEL)) return !ABOUT.test(name)
  // Each element of a form's list has a number: `engine[0]`. Most names have none, and a body may have thousands.
  const word = isDigit(name.charCodeAt(name.length - 1)) ? name.replace(/\d+$/, '') : name
  return NAMES.has(word) || (word.length >= SHORTEST_ENDING && ENDING.test(word))
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/**
 * Whether a member of that name maps names to models, so that both are models: `fallbacks`, `model_group_alias`.
 *
 * @example
 * leadsToModels('contextwindowfallbacks') // true
 */
export function leadsToModels(name: string): boolean {
  return /(?:fallbacks|alias|aliases|map|mapping)$/.test(name)
}

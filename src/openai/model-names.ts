/** Names of members that are a model's, as `foldName` gives them, beside all in which `model` stands. */
const NAMES: ReadonlySet<string> = new Set([
  ...['engine', 'engines', 'engineid', 'enginename', 'llm', 'llms', 'llmid', 'llmname', 'ranker'],
  ...['deploymentid', 'deploymentname', 'adapter', 'adapters', 'adapterid', 'adaptername'],
  ...['lora', 'loras', 'loraid', 'loraname', 'lorapath', 'loraadapter', 'loraadapters', 'lorarequest'],
])
const ENDINGS = ['fallback', 'fallbacks', 'deployment', 'deployments']
const MODEL = 'model'
/** What is said of a model without naming one: `model_type`, `model_provider`. */
const ABOUT =
  /model(?:s)?(?:type|provider|family|format|kwargs|args|settings|params|parameters|options|inputs?|outputs?|effort|verbosity|summary|mode|modality|modalities|permissions|contextwindow|reasoning(?:effort|summary)?)$/
const LONGEST_CHARS = 48

/**
 * Whether a member of that name, as `foldName` gives it, names a model: `model`, `draft_model`, `model_id`, `fallbacks`, `engine`.
 *
 * @example
 * isModelName(foldName('azureml-model-deployment')) // true
 */
export function isModelName(name: string): boolean {
  if (name.length > LONGEST_CHARS) return false
  if (name.includes(MODEL)) return !ABOUT.test(name)
  // Of a form's list each has a number: `engine[0]`.
  const word = name.replace(/\d+$/, '')
  return NAMES.has(word) || ENDINGS.some((ending) => word.endsWith(ending))
}

/**
 * Whether what stands in a member of that name leads from names to models, so that both are: `fallbacks`, `model_group_alias`.
 *
 * @example
 * leadsToModels('contextwindowfallbacks') // true
 */
export function leadsToModels(name: string): boolean {
  return /(?:fallbacks|alias|aliases|map|mapping)$/.test(name)
}

import { distance } from '../../../formats/text/nearest.ts'

/** The parameters of OpenAI's API that rules are written for: chat and text completions, responses, embeddings, images, audio. */
export const KNOWN_PARAMS: readonly string[] = `
audio background best_of chunking_strategy conversation dimensions echo encoding_format file frequency_penalty function_call functions
image include input input_fidelity instructions language logit_bias logprobs mask max_completion_tokens max_output_tokens max_tokens
max_tool_calls messages metadata modalities model moderation n output_compression output_format parallel_tool_calls partial_images
prediction presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention quality reasoning
reasoning_effort response_format safety_identifier seed service_tier size speed stop store stream stream_options style suffix
temperature text timestamp_granularities tool_choice tools top_logprobs top_p truncation user verbosity voice web_search_options
`
  .trim()
  .split(/\s+/)

/** A shorter name is another one as soon as one letter differs: `top_k` is no misspelt `top_p`. */
const LETTERS_MIN = 6
const LONG = 10

/**
 * The parameter of OpenAI's that a name is most likely a misspelling of; undefined: it is one of these, or one that only some
 * upstream knows.
 *
 * @example
 * misspeltParam('max_token') // 'max_tokens'
 */
export function misspeltParam(name: string): string | undefined {
  const plain = lettersOf(name)
  if (plain.length < LETTERS_MIN || KNOWN_PARAMS.includes(name)) return undefined
  const errorsMax = plain.length < LONG ? 1 : 2
  return KNOWN_PARAMS.find((known) => distance(plain, lettersOf(known)) <= errorsMax)
}

function lettersOf(name: string): string {
  return name.replace(/[-_\s]/g, '').toLowerCase()
}

import { isJsonObject } from '../../formats/json/json.ts'

const CONVERSATION_CHARS_MAX = 4096
const PROMPT_CHARS_MAX = 1024

/**
 * What is the same in all requests that had better go to the same deployment, because their beginnings are the same and the
 * upstream has them cached: the body's `prompt_cache_key`, else its `user`, else the beginning of its conversation, up to
 * the first message of a user, whatever the model. undefined: there is nothing of the kind.
 *
 * @example
 * const deployments = route.order({ affinity: affinityOf(body.value) })
 */
export function affinityOf(body: unknown): string | undefined {
  if (!isJsonObject(body)) return undefined
  const { prompt_cache_key: cacheKey, user, messages, instructions, input, prompt } = body
  if (isText(cacheKey)) return cacheKey
  if (isText(user)) return user
  if (Array.isArray(messages) && messages.length > 0) return beginning(untilUser(messages), CONVERSATION_CHARS_MAX)
  const first = Array.isArray(input) ? untilUser(input) : input
  if (isText(instructions) || isText(input) || (Array.isArray(first) && first.length > 0)) {
    return beginning([instructions, first], CONVERSATION_CHARS_MAX)
  }
  if (isText(prompt)) return prompt.slice(0, PROMPT_CHARS_MAX)
  return Array.isArray(prompt) && prompt.length > 0 ? beginning(prompt, PROMPT_CHARS_MAX) : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** The first messages, up to and with the first of a user; all of them where none is. */
function untilUser(messages: readonly unknown[]): readonly unknown[] {
  const at = messages.findIndex((message) => isJsonObject(message) && message['role'] === 'user')
  return at === -1 ? messages : messages.slice(0, at + 1)
}

/** The first characters of a value's JSON. */
function beginning(value: readonly unknown[], charsMax: number): string {
  // An image within a message has megabytes: of a string, no more is written than is kept.
  const cut = (_name: string, part: unknown): unknown => (typeof part === 'string' ? part.slice(0, charsMax) : part)
  return JSON.stringify(value.slice(0, charsMax), cut).slice(0, charsMax)
}

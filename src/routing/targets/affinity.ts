import { isJsonObject } from '../../formats/json/json.ts'

const CONVERSATION_CHARS_MAX = 4096
const PROMPT_CHARS_MAX = 1024

/**
 * Gives a key that is equal for requests with the same beginning, which should go to the same deployment because its cache has that
 * beginning. It is the body's `prompt_cache_key`, else its `user`, else the beginning of its conversation up to the first message
 * of a user, whatever the model. undefined: the body has none of them.
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

/** The messages up to the first one of a user, that included; all of them where no user speaks. */
function untilUser(messages: readonly unknown[]): readonly unknown[] {
  const at = messages.findIndex((message) => isJsonObject(message) && message['role'] === 'user')
  return at === -1 ? messages : messages.slice(0, at + 1)
}

/** The first characters of a value's JSON. */
function beginning(value: readonly unknown[], charsMax: number): string {
  // An image in a message has megabytes: no more of a string is written than is kept.
  const cut = (_name: string, part: unknown): unknown => (typeof part === 'string' ? part.slice(0, charsMax) : part)
  return JSON.stringify(value.slice(0, charsMax), cut).slice(0, charsMax)
}

import { referToErrors } from './error-responses.ts'
import type { Operation, Paths } from './operation.ts'

/**
 * Gives the paths of Anthropic's Messages API, which pass through beside OpenAI's.
 *
 * @example
 * const paths = createMessagesPaths()
 */
export function createMessagesPaths(): Paths {
  return {
    '/messages': { post: operationOf('messages', 'Messages, by Anthropic’s API') },
    '/messages/count_tokens': { post: operationOf('messages_count_tokens', 'The tokens of a message') },
  }
}

function operationOf(operationId: string, summary: string): Operation {
  return {
    operationId,
    tags: ['Messages'],
    summary,
    description:
      'Passes through byte for byte, with the `anthropic-*` headers; the key may stand in `x-api-key`. The errors of this server have Anthropic’s shape here: `{"type": "error", "error": {"type", "message"}}`. What to send and what comes back stands in Anthropic’s API reference.',
    requestBody: { content: { '*/*': {} } },
    responses: { '2XX': { description: 'The upstream’s answer, as it came.' }, ...referToErrors() },
  }
}

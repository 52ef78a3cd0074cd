/** The protocols that this server speaks to callers, whatever it serves: they differ in how errors and lists are written. */
export type Protocol = 'openai' | 'anthropic'

/** The paths of Anthropic's Messages API. Clients whose base URL has a `/v1` of its own write it twice. */
const MESSAGES_PATH = /^(?:\/v1){0,2}\/messages(?:[/?]|$)/

/**
 * Gives the protocol of a request: Anthropic's at the paths of its Messages API, and wherever the header is that it asks of each
 * request (https://platform.claude.com/docs/en/api/versioning); else OpenAI's.
 *
 * @example
 * const isAnthropic = protocolOf(exchange.requestTarget, exchange.received) === 'anthropic'
 */
export function protocolOf(target: string, headers: Headers): Protocol {
  return MESSAGES_PATH.test(target) || headers.has('anthropic-version') ? 'anthropic' : 'openai'
}

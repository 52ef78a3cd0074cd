import { referToErrors } from './error-responses.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Example, MediaType, PathItem } from './operation.ts'

const SAMPLING = {
  temperature: 0.7,
  max_tokens: 1500,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  stop: ['停止词'],
} as const

const USER_MESSAGE = { role: 'user', content: '你好' } as const

const CHAT_EXAMPLES: Readonly<Record<string, Example>> = {
  short: {
    summary: 'The least that is needed',
    value: { model: 'gpt-3.5-turbo', messages: [USER_MESSAGE], temperature: 0.7 },
  },
  full: {
    summary: 'With a system message and all the usual parameters',
    value: {
      model: 'gpt-3.5-turbo',
      messages: [{ role: 'system', content: '你是一个助手' }, USER_MESSAGE],
      ...SAMPLING,
    },
  },
  stream: {
    summary: 'Streamed, with the tokens used at the end',
    value: {
      model: 'gpt-3.5-turbo',
      messages: [USER_MESSAGE],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
}

const COMPLETION_EXAMPLES: Readonly<Record<string, Example>> = {
  full: {
    summary: 'With all the usual parameters',
    value: { model: 'gpt-3.5-turbo', prompt: '请解释', ...SAMPLING },
  },
}

const USAGE: JsonSchema = {
  type: 'object',
  description: 'The tokens used.',
  properties: {
    prompt_tokens: { type: 'integer', description: 'Tokens of the prompt.' },
    completion_tokens: { type: 'integer', description: 'Tokens of the answer.' },
    total_tokens: { type: 'integer', description: 'Both together.' },
  },
}

/** The body of an answer: the fields that every client reads. The upstream decides about the rest, so it is left open. */
function answerSchema(object: string, choice: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return {
    type: 'object',
    description: 'The upstream’s answer, byte for byte. It may have more fields than these.',
    properties: {
      id: { type: 'string', description: 'The id of the completion.' },
      object: { type: 'string', examples: [object] },
      created: { type: 'integer', description: 'When it was made, in seconds since 1970.' },
      model: { type: 'string', description: 'The model that answered.' },
      choices: {
        type: 'array',
        description: 'The answers.',
        items: {
          type: 'object',
          properties: {
            index: { type: 'integer' },
            ...choice,
            finish_reason: { type: ['string', 'null'], description: 'Why it ended: `stop`, `length`, `tool_calls`, …' },
          },
        },
      },
      usage: USAGE,
    },
  }
}

/** The bodies of the answers, for the document's components. */
export const ANSWER_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ChatCompletion: answerSchema('chat.completion', {
    message: {
      type: 'object',
      properties: { role: { type: 'string' }, content: { type: ['string', 'null'] } },
    },
  }),
  Completion: answerSchema('text_completion', { text: { type: 'string' } }),
}

/**
 * `POST /chat/completions`.
 *
 * @example
 * const paths = { '/chat/completions': createChatCompletionPath() }
 */
export function createChatCompletionPath(): PathItem {
  return completionPath({
    operationId: 'createChatCompletion',
    summary: 'Create a chat completion',
    request: { schema: { $ref: '#/components/schemas/ChatCompletionRequest' }, examples: CHAT_EXAMPLES },
    answer: { schema: { $ref: '#/components/schemas/ChatCompletion' } },
  })
}

/**
 * `POST /completions`.
 *
 * @example
 * const paths = { '/completions': createCompletionPath() }
 */
export function createCompletionPath(): PathItem {
  return completionPath({
    operationId: 'createCompletion',
    summary: 'Create a completion',
    request: { schema: { $ref: '#/components/schemas/CompletionRequest' }, examples: COMPLETION_EXAMPLES },
    answer: { schema: { $ref: '#/components/schemas/Completion' } },
  })
}

interface CompletionPathOptions {
  readonly operationId: string
  readonly summary: string
  readonly request: MediaType
  readonly answer: MediaType
}

function completionPath({ operationId, summary, request, answer }: CompletionPathOptions): PathItem {
  const events: JsonSchema = {
    type: 'string',
    description:
      'With `stream: true`: server-sent events, each a chunk of the answer as JSON, and `[DONE]` at the end.',
  }
  return {
    post: {
      operationId,
      tags: ['Completions'],
      summary,
      description:
        'Only what is certainly wrong is refused here; unknown parameters, roles and types pass. The body goes on as the very bytes that came, except that a missing `model` is put in.',
      requestBody: { required: true, content: { 'application/json': request } },
      responses: {
        200: {
          description: 'The upstream’s answer, as it came.',
          headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
          content: { 'application/json': answer, 'text/event-stream': { schema: events } },
        },
        ...referToErrors(),
      },
    },
  }
}

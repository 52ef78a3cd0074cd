import { createAdministrationPaths } from './openapi/administration-paths.ts'
import { ANSWER_SCHEMAS, createChatCompletionPath, createCompletionPath } from './openapi/completion-paths.ts'
import { createErrorExamples, createErrorResponses, ERROR_RESPONSE_SCHEMA } from './openapi/error-responses.ts'
import { createHealthPaths } from './openapi/health-paths.ts'
import { type JsonSchema, toJsonSchema } from './openapi/json-schema.ts'
import { createMessagesPaths } from './openapi/messages-paths.ts'
import type { Example, Paths, ResponseHeader, ResponseShape, Server, Tag } from './openapi/operation.ts'
import { createPassthroughPaths } from './openapi/passthrough-paths.ts'
import { RESOURCES } from './resources.ts'
import { ChatCompletionRequest } from './schemas/chat-completion-request.ts'
import { CompletionRequest } from './schemas/completion-request.ts'

/** The description of NexCode's API for machines (OpenAPI 3.1.1); plain JSON data. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: {
    readonly title: string
    readonly version: string
    readonly summary: string
    readonly description: string
    readonly license: { readonly name: string; readonly identifier: string }
  }
  readonly servers: readonly Server[]
  readonly security: readonly Readonly<Record<string, readonly []>>[]
  readonly tags: readonly { readonly name: Tag; readonly description: string }[]
  readonly paths: Paths
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, { readonly type: 'http'; readonly [field: string]: string }>>
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly headers: Readonly<Record<string, ResponseHeader>>
    readonly responses: Readonly<Record<string, ResponseShape>>
    readonly examples: Readonly<Record<string, Example>>
  }
}

/** The facts about one server that the document tells. */
export interface OpenApiDocumentOptions {
  readonly version: string
  /** The base URL as the caller sees it, ending with `/v1`. */
  readonly serverUrl: string
}

const TAGS: OpenApiDocument['tags'] = [
  { name: 'Completions', description: 'Read, checked for what is certainly wrong, and sent on byte for byte.' },
  { name: 'Messages', description: 'Anthropic’s protocol, for its SDKs and for Claude Code: sent on byte for byte.' },
  {
    name: 'Passthrough',
    description:
      'Everything else of OpenAI’s API, streamed both ways as it is: each path here stands for all of its resource.',
  },
  {
    name: 'Administration',
    description:
      'Projects, keys, limits, usage and costs of this server, where it has a ledger (`LEDGER`), with an admin key. Without one, these paths pass through with the caller’s own admin key.',
  },
  { name: 'Health', description: 'For orchestrators and load balancers: open to all, never a call to a model.' },
]

/**
 * Describes NexCode's API. The shapes of requests and errors are those that the server itself works with.
 *
 * @example
 * const document = createOpenApiDocument({ version, serverUrl: 'http://localhost:8000/v1' })
 */
export function createOpenApiDocument({ version, serverUrl }: OpenApiDocumentOptions): OpenApiDocument {
  // Below `/completions` there is nothing else; below `/chat` there are the stored completions.
  const resources = [...RESOURCES].filter((resource) => resource !== 'completions')
  const { '/chat/completions': storedCompletions, ...passthrough } = createPassthroughPaths(resources)
  return {
    openapi: '3.1.1',
    info: {
      title: 'NexCode',
      version,
      summary: 'An OpenAI-compatible gateway.',
      description:
        'Every OpenAI client works through it: set its base URL to this server’s. The paths below `/v1` are also served without it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      // This one is first because it holds behind any proxy; the full one is for copies of this document that are used elsewhere.
      { url: '/v1', description: 'This server.' },
      { url: serverUrl, description: 'This server, in full.' },
    ],
    security: [{ bearer: [] }],
    tags: TAGS,
    paths: {
      '/chat/completions': { ...createChatCompletionPath(), ...storedCompletions },
      '/completions': createCompletionPath(),
      ...createMessagesPaths(),
      ...passthrough,
      ...createAdministrationPaths(),
      ...createHealthPaths(),
    },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Your own OpenAI API key; where the server has `REQUIRE_AUTH` on, one of its API tokens or a key of its ledger. The headers `x-api-key` and `api-key` carry it too.',
        },
      },
      schemas: {
        ChatCompletionRequest: toJsonSchema(ChatCompletionRequest),
        CompletionRequest: toJsonSchema(CompletionRequest),
        ...ANSWER_SCHEMAS,
        ErrorResponse: ERROR_RESPONSE_SCHEMA,
      },
      headers: {
        RequestId: { description: 'The id of this exchange, here and in the log.', schema: { type: 'string' } },
        RetryAfter: { description: 'Seconds to wait before a retry.', schema: { type: 'integer' } },
      },
      responses: createErrorResponses(),
      examples: createErrorExamples(),
    },
  }
}

import { type EnvReader, row } from '../../env-reader.ts'
import { capWordsOf } from '../../providers/cap-words.ts'
import { providerOf } from '../../providers/provider-of.ts'
import { streamUsageOf } from '../../providers/stream-usage.ts'
import { OPENAI_DEFAULT_MODEL, vendorOf } from '../../providers/vendor.ts'
import { Secret } from '../../secret.ts'
import { baseUrlKind, headerValue, path, secret, word } from '../../text-kinds.ts'
import { NEVER_OPEN } from '../breaker.ts'
import { NO_TIMEOUTS } from '../timeouts.ts'
import { anthropicKeyHeaderOf, type SecretPair } from './headers.ts'
import type { UpstreamSettings } from './upstream.ts'

/** The environment's upstream, which the file's upstreams replace. */
export interface EnvUpstream {
  /** http(s), without a slash at its end. */
  readonly baseUrl: string
  readonly apiKey: Secret | undefined
  readonly organization: string | undefined
  readonly project: string | undefined
}

/** The variables of the environment's upstream, and of the model that is put in where a request names none. */
export const UPSTREAM_ENV = {
  OPENAI_API_BASE: row({
    name: 'OPENAI_API_BASE',
    kind: baseUrlKind,
    default: 'https://api.openai.com/v1',
    doc: 'Base URL of the upstream, up to and including /v1.',
    example: 'https://api.openai.com/v1',
  }),
  OPENAI_BASE_URL: row({
    name: 'OPENAI_BASE_URL',
    kind: baseUrlKind,
    default: undefined,
    doc: "The OpenAI SDKs' name for the same; read where OPENAI_API_BASE is absent.",
    example: 'http://127.0.0.1:11434/v1',
  }),
  OPENAI_API_KEY: row({
    name: 'OPENAI_API_KEY',
    kind: secret,
    default: undefined,
    doc: "The server's own upstream key.",
    example: 'sk-...',
  }),
  OPENAI_API_KEY_FILE: row({
    name: 'OPENAI_API_KEY_FILE',
    kind: path,
    default: undefined,
    doc: 'File that holds OPENAI_API_KEY, such as a container secret.',
    example: '/run/secrets/openai_api_key',
  }),
  OPENAI_ORG_ID: row({
    name: 'OPENAI_ORG_ID',
    kind: headerValue,
    default: undefined,
    doc: "OpenAI-Organization header, sent with the server's key.",
    example: 'org-123',
  }),
  OPENAI_PROJECT_ID: row({
    name: 'OPENAI_PROJECT_ID',
    kind: headerValue,
    default: undefined,
    doc: "OpenAI-Project header, sent with the server's key.",
    example: 'proj_123',
  }),
  OPENAI_MODEL: row({
    name: 'OPENAI_MODEL',
    kind: word,
    default: undefined,
    defaultNote: `${OPENAI_DEFAULT_MODEL} for OpenAI itself, none for others`,
    doc: 'Model put in where a chat or text completion names none.',
    example: 'gpt-4o-mini',
  }),
} as const

/** The environment's upstream, as its variables describe it. */
export function upstreamFromEnv({ has, take, takeSecret }: EnvReader): EnvUpstream {
  const fallback = has(UPSTREAM_ENV.OPENAI_API_BASE) ? undefined : take(UPSTREAM_ENV.OPENAI_BASE_URL)
  return {
    baseUrl: fallback ?? take(UPSTREAM_ENV.OPENAI_API_BASE),
    apiKey: takeSecret(UPSTREAM_ENV.OPENAI_API_KEY, UPSTREAM_ENV.OPENAI_API_KEY_FILE),
    organization: take(UPSTREAM_ENV.OPENAI_ORG_ID),
    project: take(UPSTREAM_ENV.OPENAI_PROJECT_ID),
  }
}

/** The environment's upstream among the settings: named after its host, and asked once, without a breaker. */
export function envUpstreamSettings({ baseUrl, apiKey, organization, project }: EnvUpstream): UpstreamSettings {
  const vendor = vendorOf(baseUrl, undefined)
  const headers: SecretPair[] = []
  if (organization !== undefined) headers.push(['openai-organization', new Secret(organization)])
  if (project !== undefined) headers.push(['openai-project', new Secret(project)])
  return {
    name: new URL(baseUrl).host,
    baseUrl,
    vendor,
    provider: providerOf(baseUrl, undefined),
    auth: 'either',
    keys: apiKey === undefined ? [] : [apiKey],
    keyNames: apiKey === undefined ? [] : ['OPENAI_API_KEY'],
    keyHeader: 'authorization',
    anthropicKeyHeader: anthropicKeyHeaderOf(baseUrl, undefined, 'authorization'),
    headers,
    query: [],
    modelPath: undefined,
    timeouts: NO_TIMEOUTS,
    tlsCa: undefined,
    proxy: undefined,
    concurrency: undefined,
    breaker: NEVER_OPEN,
    check: undefined,
    lacks: undefined,
    servesAnyModel: false,
    capWords: capWordsOf(vendor),
    streamUsage: streamUsageOf(vendor, undefined),
  }
}

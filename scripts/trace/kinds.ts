import { CHUNKS } from './trace-upstream.ts'

/** Texts by name: variables, or files. */
export type Env = Readonly<Record<string, string>>

/** One kind of request, and its gateway. */
export interface Kind {
  readonly name: string
  readonly body: Readonly<Record<string, unknown>>
  /** The variables of its gateway, beside those that all have. */
  readonly env: (upstream: string) => Env
  /** Files in the gateway's working folder, by name. */
  readonly files: (upstream: string) => Env
}

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4000 }
const EXTENSION = `export default {
  name: 'trace',
  async fetch(request, next, context) {
    const response = await next(request)
    response.headers.set('x-traced', context.requestId)
    return response
  },
}
`

const fileOf = (upstream: string, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    upstreams: {
      one: { base_url: upstream, api_key: 'sk-upstream-one-0000000000' },
      two: { base_url: upstream, api_key: 'sk-upstream-two-0000000000' },
    },
    models: {
      'gpt-4o-mini': {
        targets: [
          { upstream: 'one', model: 'gpt-4o-mini' },
          { upstream: 'two', model: 'gpt-4o-mini' },
        ],
      },
    },
    params: [{ clamp: { max_tokens: { max: 1500 } } }],
    ...more,
  })

const noFiles = (): Env => ({})
const noEnv = (): Env => ({})

/** The kinds of request that are traced; a cached one has its answer from the requests before. */
export const KINDS: readonly Kind[] = [
  {
    name: 'chat, environment only, JSON',
    body: CHAT,
    env: (upstream) => ({ OPENAI_API_BASE: upstream }),
    files: noFiles,
  },
  {
    name: `the same as a stream of ${CHUNKS} chunks`,
    body: { ...CHAT, stream: true },
    env: (upstream) => ({ OPENAI_API_BASE: upstream }),
    files: noFiles,
  },
  {
    name: 'with a file: two targets, one rule',
    body: CHAT,
    env: noEnv,
    files: (upstream) => ({ 'nexcode.json': fileOf(upstream) }),
  },
  {
    name: 'answered from the cache (environment, memory)',
    body: { ...CHAT, temperature: 0 },
    env: (upstream) => ({ OPENAI_API_BASE: upstream, CACHE: 'memory' }),
    files: noFiles,
  },
  {
    name: 'file, rule, cache hit, one extension',
    body: { ...CHAT, temperature: 0 },
    env: noEnv,
    files: (upstream) => ({
      'nexcode.json': fileOf(upstream, { cache: { store: 'memory' }, extensions: ['./trace.ts'] }),
      'trace.ts': EXTENSION,
    }),
  },
]

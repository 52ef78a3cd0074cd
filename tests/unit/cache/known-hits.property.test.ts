import { afterEach, expect, setDefaultTimeout, setSystemTime, spyOn, test } from 'bun:test'
import fc from 'fast-check'
import { standalone } from '../../../src/answers/body-note.ts'
import { createApp } from '../../../src/app.ts'
import { KnownHits } from '../../../src/cache/known-hits.ts'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { Secret } from '../../../src/config/secret.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { Arrival } from '../../../src/exchange/arrival.ts'
import { sha256 } from '../../../src/process/sha256.ts'
import { createMemoryStore } from '../../../src/storage/memory/memory-store.ts'
import type { Store } from '../../../src/storage/store.ts'
import { openLog } from '../../../src/telemetry/open-log.ts'
import type { UpstreamFetch } from '../../../src/upstream/send.ts'

setDefaultTimeout(120_000)
afterEach(() => {
  setSystemTime()
})

const START = Date.UTC(2026, 0, 1)
const TOKENS = ['token-of-somebody-1', 'token-of-somebody-2'] as const
const NAMES = ['alice', 'bob', undefined] as const
const EQUAL = ['{"model":"m","temperature":0,"messages":[]}', '{"temperature":0,"model":"m","messages":[]}'] as const
const BODIES = [
  ...EQUAL,
  '{"model":"m","temperature":1,"messages":[]}',
  '{"model":"m","temperature":0,"stream":true,"messages":[]}',
  '{"model":"m","temperature":0',
  // It is digested in slices.
  `{"model":"m","temperature":0,"messages":[{"role":"user","content":"${'long '.repeat(14_000)}"}]}`,
] as const
type Extra = Readonly<Record<string, string>>
const PLAIN: Extra = {}
const EXTRAS: readonly Extra[] = [
  PLAIN,
  { 'cache-control': 'max-age=5' },
  { 'cache-control': 'no-cache' },
  { 'cache-control': 'only-if-cached' },
  { 'x-nexcode-cache-ttl': '7' },
  { 'idempotency-key': 'k' },
  { 'accept-language': 'de' },
]
/** Headers that differ between two exchanges that are alike. */
const OF_ONE_EXCHANGE = new Set(['x-request-id', 'x-nexcode-request-id', 'server-timing'])

function loadedConfig(): Config {
  const env = { OPENAI_API_BASE: 'http://upstream.test/v1', OPENAI_API_KEY: 'sk-server', CACHE: 'memory' }
  const loaded = loadConfig(
    { ...env, REQUIRE_AUTH: 'true', API_TOKEN: TOKENS[0] },
    { isTerminal: false, readFile: () => '' },
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

const config = loadedConfig()
const { settings } = config
const RELOADS: readonly Settings[] = [
  settings,
  { ...settings, debugHeaders: true },
  { ...settings, cache: { ...settings.cache, requests: 'all' } },
  { ...settings, cache: { ...settings.cache, scope: 'shared' } },
  { ...settings, cache: { ...settings.cache, store: undefined } },
]

/** Answers each call with its number. */
function numbered(): UpstreamFetch {
  let calls = 0
  return async (_url, { body }) => {
    calls += 1
    const isStream = (await new Response(body).text()).includes('"stream":true')
    const text = isStream ? `data: {"n":${calls}}\n\ndata: [DONE]\n\n` : `{"n":${calls}}`
    return new Response(text, { headers: { 'content-type': isStream ? 'text/event-stream' : 'application/json' } })
  }
}

/** A request as the HTTP server of ours hands it on. */
function arriving(text: string): Arrival {
  const bytes = new TextEncoder().encode(text)
  const body = {
    ...{ isComplete: true, length: bytes.byteLength, whole: () => bytes, peek: () => bytes },
    stream: () => new Blob([bytes]).stream(),
  }
  return { target: '/v1/chat/completions', isHttp10: false, abort: new AbortController(), body }
}

/** A gateway in this process. `knowsKinds`: whether its server tells it which heads are alike. */
function startApp(knowsKinds: boolean) {
  const lines: string[] = []
  const { log } = openLog({
    level: 'info',
    sink: { write: (line) => void lines.push(line), flush() {}, async settle() {} },
  })
  let store: Store | undefined
  const app = createApp({
    ...{ config, version: '0.0.0', log, sha256, fetch: numbered() },
    openStore() {
      store = createMemoryStore({ bytesMax: 1_000_000, entriesMax: 100, now: Date.now })
      return store
    },
  })
  const rename = (name: string | undefined): void =>
    app.admit({
      tokens: TOKENS.map((token, at) => ({ name: at === 0 ? name : 'bob', token: new Secret(token) })),
      adminKey: undefined,
    })
  rename('alice')
  return {
    rename,
    reload: (to: Settings) => app.apply(to),
    purge: async (scope: string | undefined) => void (await store?.purge(scope)),
    async ask(token: string, extra: Extra, text: string): Promise<unknown> {
      const fields = {
        host: 'localhost',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...extra,
      }
      const headers = new Headers({ ...fields, 'content-length': `${text.length}` })
      const headKind = knowsKinds ? { text: JSON.stringify(fields) } : undefined
      const request = { method: 'POST', url: 'http://localhost/v1/chat/completions', headers, headKind }
      const response = standalone(await app.serve(request, arriving(text)))
      const answer = (await response.text()).replaceAll(/req_\w+/g, '')
      const shown = [...response.headers].filter(([name]) => !OF_ONE_EXCHANGE.has(name))
      const { request_id, time, duration_ms, ttfb_ms, upstream_ms, ...told } = JSON.parse(lines.at(-1) ?? '{}')
      return { status: response.status, shown, answer, told, hasFirstByte: ttfb_ms !== undefined }
    },
  }
}

const asking = fc.record({
  token: fc.constantFrom(...TOKENS, TOKENS[0], TOKENS[0]),
  extra: fc.constantFrom(...EXTRAS, ...EXTRAS.map(() => PLAIN)),
  body: fc.constantFrom(...BODIES, ...BODIES.map(() => EQUAL[0])),
})
type App = ReturnType<typeof startApp>
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: asking.map(
      ({ token, extra, body }) =>
        (app: App) =>
          app.ask(token, extra, body),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(...RELOADS).map((to) => async (app: App) => app.reload(to)) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((scope) => (app: App) => app.purge(scope)) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => async (app: App) => app.rename(name)) },
  { weight: 2, arbitrary: fc.constantFrom(1, 1000, 6000, 3_600_000) },
)

test('answers and the log are the same with and without known hits, whatever is reloaded, purged, renamed or too old', async () => {
  const find = spyOn(KnownHits.prototype, 'find')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      const [knowing, other] = [startApp(true), startApp(false)]
      setSystemTime(START)
      for (const one of steps) {
        if (typeof one === 'number') setSystemTime(Date.now() + one)
        else expect(await one(knowing)).toEqual(await one(other))
      }
    }),
    { numRuns: 50 },
  )
  const found = await Promise.all(find.mock.results.map(({ value }) => value))
  find.mockRestore()
  expect(found.filter((hit) => hit !== undefined).length).toBeGreaterThan(100)
})

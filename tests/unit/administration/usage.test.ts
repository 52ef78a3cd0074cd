import { afterAll, beforeAll, expect, test } from 'bun:test'
import { administer } from '../../../src/administration/administer.ts'
import type { Booking } from '../../../src/ledger/records.ts'
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts'
import { NO_USAGE, type Usage } from '../../../src/openai/usage/usage.ts'
import { sha256 } from '../../../src/process/sha256.ts'

const DAY = 86_400
const START = Date.UTC(2026, 10, 2) / 1000

const ledger = await openSqliteLedger(':memory:')
const deps = {
  ledger,
  follow: async () => undefined,
  tokenKeys: () => [],
  look: async () => ({ spent: 0n, held: 0n }),
  now: () => (START + 3 * DAY) * 1000,
  random: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
  sha256,
}
let booked = 0

function call(usage: Partial<Usage>, more: Partial<Booking> = {}): Booking {
  booked += 1
  return {
    id: booked.toString(16).padStart(32, '0'),
    at: (START + 3600) * 1000,
    requestId: `req_${booked}`,
    keyId: 'key_1',
    projectId: 'proj_1',
    model: 'gpt-4o',
    servedModel: 'gpt-4o-2024-11-20',
    endpoint: 'chat/completions',
    upstream: 'openai',
    tier: 'default',
    isBatch: false,
    usage: { ...NO_USAGE, ...usage },
    cost: 1_500_000_000,
    saved: 0,
    pricedBy: 'table',
    isEstimated: false,
    outcome: 'complete',
    status: 200,
    ...more,
  }
}

interface BucketsPage {
  readonly data: readonly { readonly start_time: number; readonly results: readonly Record<string, unknown>[] }[]
}

async function ask(what: string): Promise<readonly Record<string, unknown>[]> {
  const target = `/v1/organization/${what}${what.includes('?') ? '&' : '?'}start_time=${START}&end_time=${START + DAY}`
  const caller = { kind: 'admin', id: 'ADMIN_KEY' } as const
  const page = (await administer(
    { method: 'GET', target, caller, readBody: async () => undefined },
    deps,
  )) as BucketsPage
  return page.data.flatMap(({ results }) => results)
}

beforeAll(() =>
  ledger.book([
    call({
      inputText: 100,
      inputCachedText: 20,
      inputCacheWrite: 5,
      outputText: 30,
      outputReasoning: 10,
      webSearches: 2,
    }),
    call({ inputText: 1, inputAudio: 2, outputAudio: 3 }, { keyId: 'key_2', projectId: 'proj_2', isBatch: true }),
    call({ inputText: 7 }, { endpoint: 'responses', model: 'o3', tier: 'flex', cost: 250_000_000 }),
    call({ inputText: 50 }, { endpoint: 'embeddings', model: 'text-embedding-3-small' }),
    call({ inputText: 4 }, { endpoint: 'moderations', model: 'omni-moderation-latest' }),
    call({ images: 2, outputImage: 90 }, { endpoint: 'images/generations', model: 'gpt-image-1' }),
    call({ characters: 300 }, { endpoint: 'audio/speech', model: 'tts-1' }),
    call({ seconds: 61.5 }, { endpoint: 'audio/transcriptions', model: 'whisper-1' }),
    call({ codeSessions: 1, fileSearches: 3 }, { endpoint: 'responses' }),
    call({ inputText: 9 }, { at: (START + DAY + 5) * 1000 }),
  ]),
)
afterAll(() => ledger.close())

test('completions are all calls that write text, with OpenAI’s sums of each kind of token', async () => {
  expect(await ask('usage/completions')).toEqual([
    {
      object: 'organization.usage.completions.result',
      input_tokens: 135,
      output_tokens: 43,
      num_model_requests: 4,
      input_uncached_tokens: 110,
      input_text_tokens: 108,
      input_audio_tokens: 2,
      input_image_tokens: 0,
      input_cached_tokens: 20,
      input_cached_text_tokens: 20,
      input_cached_audio_tokens: 0,
      input_cached_image_tokens: 0,
      input_cache_write_tokens: 5,
      input_cache_write_30m_tokens: 5,
      input_cache_write_12h_tokens: 0,
      output_text_tokens: 40,
      output_audio_tokens: 3,
      output_image_tokens: 0,
      project_id: null,
      user_id: null,
      api_key_id: null,
      model: null,
      batch: null,
      service_tier: null,
      api_source: null,
    },
  ])
})

test('each other kind has its own counts', async () => {
  const counts = {
    embeddings: { input_tokens: 50, num_model_requests: 1 },
    moderations: { input_tokens: 4, num_model_requests: 1 },
    images: { images: 2, num_model_requests: 1, size: null, source: null },
    audio_speeches: { characters: 300, num_model_requests: 1 },
    audio_transcriptions: { seconds: 61.5, num_model_requests: 1 },
    code_interpreter_sessions: { num_sessions: 1 },
    file_search_calls: { num_requests: 3, vector_store_id: null },
    web_search_calls: { num_requests: 2, num_model_requests: 2, context_level: null },
  }
  for (const [kind, expected] of Object.entries(counts)) {
    const [result, ...others] = await ask(`usage/${kind}`)
    expect([kind, others]).toEqual([kind, []])
    expect(result).toMatchObject(expected)
  }
  expect(await ask('usage/vector_stores')).toEqual([])
  expect(await ask('usage/decisions')).toEqual([])
})

test('results are grouped, and say by what', async () => {
  const groups = async (query: string, ...names: string[]) =>
    (await ask(`usage/completions?${query}`)).map((result) => names.map((name) => result[name]))
  expect(await groups('group_by[]=project_id&group_by[]=batch', 'project_id', 'batch', 'num_model_requests')).toEqual([
    ['proj_1', false, 3],
    ['proj_2', true, 1],
  ])
  expect(await groups('group_by=api_key_id', 'api_key_id', 'input_tokens')).toEqual([
    ['key_1', 132],
    ['key_2', 3],
  ])
  expect(await groups('group_by[]=service_tier&group_by[]=model', 'service_tier', 'model')).toEqual([
    ['default', 'gpt-4o'],
    ['flex', 'o3'],
  ])
  expect(await groups('group_by[]=user_id&group_by[]=api_source', 'user_id', 'api_source')).toEqual([
    [null, 'unlabeled'],
  ])
})

test('results are filtered; of users, whom this server has none of, there are none', async () => {
  const requests = async (query: string) =>
    (await ask(`usage/completions?${query}`)).map((one) => one['num_model_requests'])
  expect(await requests('project_ids[]=proj_2')).toEqual([1])
  expect(await requests('api_key_ids[]=key_1&models[]=o3')).toEqual([1])
  expect(await requests('batch=false')).toEqual([3])
  expect(await requests('models[]=gpt-4o&models[]=o3')).toEqual([4])
  expect(await requests('project_ids[]=proj_3')).toEqual([])
  expect(await requests('user_ids[]=user_1')).toEqual([])
})

test('costs are in dollars, by project, key and model', async () => {
  expect(await ask('costs')).toEqual([
    {
      object: 'organization.costs.result',
      amount: { value: 12.25, currency: 'usd' },
      line_item: null,
      project_id: null,
      api_key_id: null,
      user_id: null,
      api_source: null,
      quantity: null,
      quantity_unit: null,
    },
  ])
  const items = await ask('costs?group_by[]=line_item&group_by[]=project_id')
  expect(items).toContainEqual(
    expect.objectContaining({
      line_item: 'o3',
      project_id: 'proj_1',
      amount: { value: 0.25, currency: 'usd' },
      quantity: 7,
      quantity_unit: 'tokens',
    }),
  )
  expect(items).toContainEqual(
    expect.objectContaining({ line_item: 'whisper-1', quantity: 61.5, quantity_unit: 'duration_seconds' }),
  )
  expect(await ask('costs?line_items[]=o3')).toHaveLength(1)
})

test('a bucket is a whole one by UTC, whatever second the question begins at', async () => {
  const at = async (width: string, start: number, more = '') => {
    const target = `/organization/usage/completions?start_time=${start}&end_time=${start + 60}&bucket_width=${width}${more}`
    const caller = { kind: 'admin', id: 'ADMIN_KEY' } as const
    const page = (await administer(
      { method: 'GET', target, caller, readBody: async () => undefined },
      deps,
    )) as BucketsPage
    return page.data.map(({ start_time, results }) => [start_time - START, results.length])
  }
  expect(await at('1d', START + 5000)).toEqual([[0, 1]])
  expect(await at('1h', START + 3661)).toEqual([[3600, 1]])
  expect(await at('1m', START + 3601)).toEqual([
    [3600, 1],
    [3660, 0],
  ])
  expect(await at('1h', START + 3661, '&api_key_ids[]=key_2')).toEqual([[3600, 1]])
})

test('a page of very many results goes on in the next one, where it has stopped: each key once, each bucket whole in the end', async () => {
  const books = await openSqliteLedger(':memory:')
  const keys = Array.from({ length: 2_500 }, (_, n) => `key_of_many_${n}`)
  await books.book(keys.map((keyId) => call({ outputText: 1 }, { keyId })))
  const caller = { kind: 'admin', id: 'ADMIN_KEY' } as const
  const told: unknown[] = []
  const starts: number[][] = []
  for (let page = ''; ; ) {
    const target = `/organization/costs?start_time=${START}&end_time=${START + 2 * DAY}&group_by[]=api_key_id${page}`
    const asked = { method: 'GET', target, caller, readBody: async () => undefined }
    const answer = (await administer(asked, { ...deps, ledger: books })) as BucketsPage & { next_page: string | null }
    starts.push(answer.data.map(({ start_time }) => start_time - START))
    told.push(...answer.data.flatMap(({ results }) => results.map((result) => result['api_key_id'])))
    if (answer.next_page === null) break
    page = `&page=${answer.next_page}`
  }
  expect(starts).toEqual([[0], [0, DAY]])
  expect(told.toSorted()).toEqual(keys.toSorted())
  await books.close()
})

/**
 * Measures the ledger in SQLite with many keys and rows: how long a process takes to open it and to know its keys, what memory that takes,
 * and how long each kind of question takes. `bun bench/ledger-at-size.ts PATH [ROWS] [KEYS] [ONLY]`; `ONLY`: the questions whose name begins so. The file is made where it is missing, the same
 * each time: about 10 min and 6 GB for the 10,000,000 rows of 90 days and the 1,000,000 keys of 20,000 projects that are the default.
 */
import { existsSync, renameSync, statSync } from 'node:fs'
import type { AdminDeps, AdminRoute } from '../src/administration/admin-route.ts'
import { COST_ROUTES } from '../src/administration/costs.ts'
import { USAGE_ROUTES } from '../src/administration/usage.ts'
import { KeyDirectory } from '../src/ledger/directory/key-directory.ts'
import type { Ledger } from '../src/ledger/ledger.ts'
import { openLedger } from '../src/ledger/open-ledger.ts'
import type { Booking, KeyRecord, ProjectRecord } from '../src/ledger/records.ts'
import { openSqliteBooks, type SqliteBooks } from '../src/ledger/sqlite/sqlite-books.ts'
import { NO_USAGE } from '../src/openai/usage/usage.ts'
import { readResidentBytes } from './process-tree.ts'

const [path = '', rowsText = '10000000', keysText = '1000000', only = ''] = process.argv.slice(2)
const ROWS = Number(rowsText)
const KEYS = Number(keysText)
const PROJECTS = 20_000
const MODELS_OF_A_PROJECT = 5
const DAYS = 90
const DAY = 86_400
/** 2026-09-01, in seconds since 1970. */
const FROM = Date.UTC(2026, 8, 1) / 1000
const TO = FROM + DAYS * DAY
const BATCH_ROWS = 10_000
const ROUNDS = 20
const MIB = 1024 * 1024

let seed = 1
/** Numbers from 0 up to 1, the same ones in each run. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
const below = (bound: number): number => Math.floor(random() * bound)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const keyId = (key: number): string => `key_${key.toString(36).padStart(8, '0')}`
const projectId = (key: number): string => `proj_${key % PROJECTS}`

function makeKey(number: number): KeyRecord {
  const digest = new Bun.CryptoHasher('sha256').update(keyId(number)).digest('hex')
  const limits = { spend: { month: 50_000_000_000n }, rates: [] }
  const [projects, owner] = [projectId(number), `svc_acct_${number}`]
  const names = {
    id: keyId(number),
    projectId: projects,
    ownerId: owner,
    name: `key ${number}`,
    digest,
    redacted: 'sk-nex-…0000',
  }
  return { kind: 'key', ...names, createdAt: FROM, limits, metadata: {}, managedBy: 'api' }
}

function makeProject(number: number): ProjectRecord {
  const limits = { spend: {}, rates: [] }
  return {
    kind: 'project',
    id: projectId(number),
    name: `${number}`,
    createdAt: FROM,
    timeZone: 'UTC',
    limits,
    managedBy: 'api',
  }
}

/** A row; few keys are used often, and most now and then. */
function makeRow(number: number): Booking {
  const key = Math.floor(KEYS * random() ** 3)
  const model = `model-${((key % PROJECTS) + below(MODELS_OF_A_PROJECT)) % 40}`
  const usage = {
    ...NO_USAGE,
    inputText: 100 + below(2_000),
    inputCachedText: below(500),
    outputText: below(800),
    outputReasoning: below(200),
  }
  return {
    ...{
      id: number.toString(16).padStart(36, '0'),
      at: Math.floor((FROM + (number / ROWS) * DAYS * DAY) * 1000),
      requestId: `req_${number}`,
    },
    ...{
      keyId: keyId(key),
      projectId: projectId(key),
      model,
      servedModel: model,
      endpoint: 'chat/completions',
      upstream: 'openai',
    },
    ...{ tier: 'default', isBatch: false, usage, cost: 100_000 + below(5_000_000), saved: 0, pricedBy: 'table' },
    ...{ isEstimated: false, outcome: 'complete', status: 200 },
  }
}

/** Makes the file, beside its place until it is whole. */
function make(): void {
  const unfinished = `${path}.unfinished`
  const books = openSqliteBooks(unfinished)
  const put = (records: readonly (KeyRecord | ProjectRecord)[]): void =>
    void books.edit({ put: records, remove: [], audit: [] })
  const startedAt = performance.now()
  put(Array.from({ length: PROJECTS }, (_, number) => makeProject(number)))
  for (let from = 0; from < KEYS; from += BATCH_ROWS)
    put(Array.from({ length: Math.min(BATCH_ROWS, KEYS - from) }, (_, index) => makeKey(from + index)))
  say(`${KEYS} keys in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  makeRows(books)
  books.close()
  renameSync(unfinished, path)
}

function makeRows(books: SqliteBooks): void {
  for (let from = 0; from < ROWS; from += BATCH_ROWS) {
    const rows = JSON.stringify(
      Array.from({ length: Math.min(BATCH_ROWS, ROWS - from) }, (_, index) => makeRow(from + index)),
    )
    const startedAt = performance.now()
    books.book(rows)
    if (from % (ROWS / 10) === 0)
      say(`row ${from}: ${(((performance.now() - startedAt) * 1000) / BATCH_ROWS).toFixed(1)} µs each`)
  }
}

/** How long a question takes, at random times each: the half of its answers that are faster, and all but one in twenty. */
async function measure(name: string, ask: (round: number) => Promise<string>): Promise<void> {
  if (!name.startsWith(only)) return
  const times: number[] = []
  let said = ''
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now()
    said = await ask(round)
    times.push(performance.now() - startedAt)
  }
  times.sort((one, other) => one - other)
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1).padStart(7)
  slowest.push([times[Math.floor(times.length * 0.95)] ?? 0, name])
  say(`${name.padEnd(66)} ${at(0.5)} ms  p95 ${at(0.95)} ms  ${said}`)
}
const slowest: [ms: number, name: string][] = []

/** What a question's filters and groups are called. */
const FILTERS = {
  none: undefined,
  project: 'project_ids',
  key: 'api_key_ids',
  model: 'models',
  line: 'line_items',
} as const
type Filter = keyof typeof FILTERS
/** So many keys or projects at once. */
const MANY = 100

/** Asks a route as the Administration API does, with the text of its answer. */
async function askRoute(route: AdminRoute | undefined, query: object, deps: AdminDeps): Promise<string> {
  const call = { params: {}, query, body: {}, caller: {} } as never
  const page = (await route?.answer(call, deps)) as { data: { results: object[] }[]; has_more: boolean }
  const text = JSON.stringify(page)
  const results = page.data.reduce((sum, bucket) => sum + bucket.results.length, 0)
  return `${page.data.length} buckets, ${results} results, ${Math.round(text.length / 1024)} KiB`
}

/** All widths with OpenAI's usual and longest pages, without a filter and with each, grouped by each. */
async function measureQuestions(ledger: Ledger): Promise<void> {
  const deps = { ledger, now: () => TO * 1000 } as AdminDeps
  const usage = USAGE_ROUTES.find(({ path: one }) => one.endsWith('/completions'))
  const embeddings = USAGE_ROUTES.find(({ path: one }) => one.endsWith('/embeddings'))
  const [costs] = COST_ROUTES
  const ask = (
    route: AdminRoute | undefined,
    width: '1m' | '1h' | '1d',
    limit: number,
    filter: Filter,
    ids: number,
    groups: readonly string[],
  ) => {
    const span = limit * { '1m': 60, '1h': 3600, '1d': DAY }[width]
    const begin = FROM + below(Math.max(1, DAYS * DAY - span))
    const keys = Array.from({ length: ids }, () => Math.floor(KEYS * random() ** 3))
    const values = { project: keys.map(projectId), key: keys.map(keyId), model: keys.map((key) => `model-${key % 40}`) }
    const name = FILTERS[filter]
    const named = name === undefined ? {} : { [name]: filter === 'line' ? values.model : values[filter as 'key'] }
    const query = {
      start_time: begin,
      limit,
      bucket_width: width,
      ...named,
      ...(groups.length > 0 && { group_by: groups }),
    }
    return askRoute(route, query, deps)
  }
  const rows: (readonly [
    string,
    AdminRoute | undefined,
    '1m' | '1h' | '1d',
    number,
    Filter,
    number,
    readonly string[],
  ])[] = []
  for (const [width, limits] of [
    ['1d', [7, 31]],
    ['1h', [24, 168]],
    ['1m', [60, 1440]],
  ] as const)
    for (const limit of limits)
      for (const filter of ['none', 'project', 'key', 'model'] as const)
        for (const groups of [[], ['model'], ['project_id'], ['api_key_id'], ['project_id', 'api_key_id', 'model']])
          rows.push(['completions', usage, width, limit, filter, 1, groups])
  for (const limit of [7, 90, 180])
    for (const filter of ['none', 'project', 'key', 'line'] as const)
      for (const groups of [
        [],
        ['line_item'],
        ['project_id'],
        ['api_key_id'],
        ['line_item', 'project_id', 'api_key_id'],
      ])
        rows.push(['costs', costs, '1d', limit, filter, 1, groups])
  for (const [width, limit] of [
    ['1d', 31],
    ['1h', 168],
    ['1m', 1440],
  ] as const)
    for (const groups of [[], ['api_key_id']]) {
      for (const filter of ['project', 'key'] as const)
        rows.push(['completions', usage, width, limit, filter, MANY, groups])
      rows.push(['embeddings', embeddings, width, limit, 'none', 1, groups])
    }
  for (const [name, route, width, limit, filter, ids, groups] of rows) {
    const filtered = filter === 'none' ? '' : `, ${ids} ${filter}`
    await measure(`${name} ${limit} x ${width}${filtered}, by ${groups.join(', ') || 'nothing'}`, () =>
      ask(route, width, limit, filter, ids, groups),
    )
  }
}

if (path === '') throw new Error('Usage: bun bench/ledger-at-size.ts PATH [ROWS] [KEYS]')
if (!existsSync(path)) make()
say(`${path}: ${Math.round(statSync(path).size / MIB)} MiB`)

Bun.gc(true)
const startedAt = performance.now()
const ledger = await openLedger(`sqlite:${path}`)
const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()
const directory = new KeyDirectory({ ledger, sha256, now: () => performance.now() })
await directory.follow()
say(`open, with ${directory.size} keys known: ${((performance.now() - startedAt) / 1000).toFixed(2)} s`)
Bun.gc(true)
say(`resident: ${Math.round(readResidentBytes(process.pid) / MIB)} MiB`)

const spent = (scope: object) => async (): Promise<string> => `${await ledger.spent(scope, FROM + 18_000, TO)}`
await measure('spent by a key in 90 days', () => spent({ keyId: keyId(below(KEYS)) })())
await measure('spent by a project in 90 days', () => spent({ projectId: projectId(below(KEYS)) })())
await measure('spent in all in 90 days', spent({}))
await measureQuestions(ledger)
slowest.sort(([one], [other]) => other - one)
say(
  `slowest: ${slowest
    .slice(0, 8)
    .map(([ms, name]) => `${name}: ${ms.toFixed(1)} ms`)
    .join('; ')}`,
)
say(`resident at the end: ${Math.round(readResidentBytes(process.pid) / MIB)} MiB`)
await ledger.close()

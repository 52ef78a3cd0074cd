/**
 * Measures the ledger in SQLite with many keys and rows: how long a process takes to open it and to know its keys, what memory that takes,
 * and how long each kind of question takes. `bun bench/ledger-at-size.ts PATH [ROWS] [KEYS]`; the file is made where it is missing, the same
 * each time: about 10 min and 5 GB for the 10,000,000 rows and 1,000,000 keys that are the default.
 */
import { existsSync, renameSync, statSync } from 'node:fs'
import { KeyDirectory } from '../src/ledger/directory/key-directory.ts'
import type { Ledger, UsageQuery } from '../src/ledger/ledger.ts'
import { openLedger } from '../src/ledger/open-ledger.ts'
import type { Booking, KeyRecord, ProjectRecord } from '../src/ledger/records.ts'
import { openSqliteBooks, type SqliteBooks } from '../src/ledger/sqlite/sqlite-books.ts'
import { NO_USAGE } from '../src/openai/usage/usage.ts'
import { readResidentBytes } from './process-tree.ts'

const [path = '', rowsText = '10000000', keysText = '1000000'] = process.argv.slice(2)
const ROWS = Number(rowsText)
const KEYS = Number(keysText)
const PROJECTS = 1_000
const MODELS_OF_A_PROJECT = 5
const DAYS = 30
const DAY = 86_400
/** 2026-11-01, in seconds since 1970. */
const FROM = Date.UTC(2026, 10, 1) / 1000
const TO = FROM + DAYS * DAY
const BATCH_ROWS = 10_000
const ROUNDS = 40
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
      endpoint: 'chat.completions',
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
async function measure(name: string, ask: (round: number) => Promise<{ readonly length: number }>): Promise<void> {
  const times: number[] = []
  let rows = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now()
    rows = (await ask(round)).length
    times.push(performance.now() - startedAt)
  }
  times.sort((one, other) => one - other)
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1).padStart(8)
  say(`${name.padEnd(58)} ${at(0.5)} ms  p95 ${at(0.95)} ms  ${String(rows).padStart(7)} sums`)
}

/** All widths with OpenAI's usual and longest pages, without a filter and with each, grouped by each. */
async function measureQuestions(ledger: Ledger): Promise<void> {
  const widths = { '1d': [86_400, 7, 30], '1h': [3_600, 24, 168], '1m': [60, 60, 1_440] } as const
  const groupings: readonly UsageQuery['groupBy'][] = [
    ['endpoint', 'model'],
    ['project', 'endpoint', 'model'],
    ['key', 'endpoint', 'model'],
  ]
  for (const [width, [bucketSeconds, usual, most]] of Object.entries(widths))
    for (const buckets of [usual, most])
      for (const filter of ['none', 'project', 'key', 'model'] as const)
        for (const groupBy of groupings) {
          const ask = () => {
            const span = buckets * bucketSeconds
            const begin = FROM + below(DAYS * DAY - span + 1)
            const from = begin - (begin % bucketSeconds)
            const key = Math.floor(KEYS * random() ** 3)
            const values = { project: projectId(key), key: keyId(key), model: `model-${key % 40}`, none: '' }
            const where = filter === 'none' ? {} : { [filter]: [values[filter]] }
            return ledger.usage({ from, to: from + span, bucketSeconds, where, groupBy })
          }
          await measure(`${buckets} x ${width}, filter: ${filter}, by ${groupBy.join(', ')}`, ask)
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

await measure('spent by a key in a month', async () => [
  await ledger.spent({ keyId: keyId(below(KEYS)) }, FROM + 18_000, TO),
])
await measure('spent by a project in a month', async () => [
  await ledger.spent({ projectId: projectId(below(KEYS)) }, FROM + 18_000, TO),
])
await measure('spent in all in a month', async () => [await ledger.spent({}, FROM + 18_000, TO)])
await measure('costs of a month by model', () =>
  ledger.usage({ from: FROM, to: TO, bucketSeconds: 86_400, where: {}, groupBy: ['model'], counts: [] }),
)
await measure('costs of a month by project', () =>
  ledger.usage({ from: FROM, to: TO, bucketSeconds: 86_400, where: {}, groupBy: ['project'], counts: [] }),
)
await measureQuestions(ledger)
say(`resident at the end: ${Math.round(readResidentBytes(process.pid) / MIB)} MiB`)
await ledger.close()
